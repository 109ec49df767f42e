// The program forecast, run as its users run it: what it writes, that it repeats itself, and what it refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "program.hpp"

using namespace aila_test;

namespace {

Answer forecast(const TemporaryFolder& folder, const std::string& options) {
  return shell(folder, "'" AILA_FORECAST_PROGRAM "' --quiet " + options);
}

Json report_of(const TemporaryFolder& folder, const std::string& options) {
  const auto answer = forecast(folder, options + " --report report.json");
  REQUIRE_MESSAGE(answer.code == 0, answer.err);
  return Json::parse(read_raw(folder / "report.json"));
}

/// 180 months of two prices, of which one begins later.
std::string two_assets(const std::string& first = "tin") {
  std::string csv = "date," + first + ",tea\n";
  for (int i = 0; i < 180; ++i) {
    const int month = i % 12 + 1;
    csv += std::to_string(1990 + i / 12) + (month < 10 ? "-0" : "-") + std::to_string(month);
    csv += "," + std::to_string(100 + i + 9 * std::sin(i * 0.9)) + ",";
    csv += (i < 24 ? "" : std::to_string(50 + 8 * std::sin(i * 0.3) + 5 * std::sin(i * 1.1))) + "\n";
  }
  return csv;
}

/// A price of every weekday over fifty years, a walk in steps by chance; and its months, made here by hand.
struct Days {
  std::string csv = "date,tin\n";
  std::vector<double> ends, means;

  Days() {
    using namespace std::chrono;
    std::mt19937 random(1960);
    double log = 5, sum = 0, count = 0, price = 0;
    const sys_days first = year(1950) / January / 1, last = year(1999) / December / 31;
    for (sys_days day = first; day <= last; day += days(1)) {
      const year_month_day date = day;
      if (weekday(day).iso_encoding() < 6) {
        for (int i = 0; i < 4; ++i) log += 0.01 * (static_cast<double>(random()) / 4294967295.0 - 0.5);
        const auto text = std::to_string(std::exp(log));
        price = std::stod(text);
        sum += price;
        count += 1;
        const auto two = [](unsigned number) { return (number < 10 ? "-0" : "-") + std::to_string(number); };
        csv += std::to_string(static_cast<int>(date.year())) + two(static_cast<unsigned>(date.month())) +
               two(static_cast<unsigned>(date.day())) + "," + text + "\n";
      }
      if (date.day() != year_month_day_last(date.year(), month_day_last(date.month())).day()) continue;
      ends.push_back(price);
      means.push_back(sum / count);
      sum = count = 0;
    }
  }

  /// Mean squared error in price of forecasts made at the ends of months, over the test part of windows of 12.
  template <class Forecast>
  static double mse(const std::vector<double>& truth, Forecast forecast) {
    const auto rows = truth.size();
    const auto begin = static_cast<std::size_t>(std::llround(static_cast<double>(rows) * 0.85)) + 12;
    double sum = 0;
    for (std::size_t t = begin; t < rows; ++t)
      sum += std::pow(forecast(t - 1) - truth[t], 2) / static_cast<double>(rows - begin);
    return sum;
  }
};

const Json& result_of(const Json& report, const std::string& policy) {
  return *std::ranges::find_if(report["results"], [&](const Json& result) { return result["policy"] == policy; });
}

const std::string quick = "--seeds 1 --epochs 3 ";

}  // namespace

TEST_CASE("the report has every figure of every policy and baseline for both targets") {
  const TemporaryFolder folder;
  const auto report = report_of(folder, "--seeds 2 --epochs 2 --target both --plot plot.svg");
  CHECK(report["tasks"][0]["period"] == "monthly");
  std::set<std::string> found;
  for (const auto& result : report["results"]) {
    CHECK(result["asset"] == "gold");
    found.insert(result["target"].get<std::string>() + " " + result["policy"].get<std::string>());
    for (const char* figure : {"mse_z", "mse_price", "skill", "mase", "seconds_per_epoch"}) {
      CHECK(std::isfinite(result[figure].get<double>()));
      CHECK(result[figure + std::string("_std")].get<double>() >= 0);
    }
    if (result["kind"] == "baseline") continue;
    CHECK(result["mse_z"] > 0);
    CHECK(result["seconds_per_epoch"] > 0);
    CHECK(result["epochs"] == 2);
    REQUIRE(result["runs"].size() == 2);
    CHECK(result["runs"][0]["mse_z"] != result["runs"][1]["mse_z"]);
    const double mean = (result["runs"][0]["mse_z"].get<double>() + result["runs"][1]["mse_z"].get<double>()) / 2;
    CHECK(result["mse_z"].get<double>() == doctest::Approx(mean));
    if (result["policy"] == "attention") CHECK(result["parameters"] == 157505);
    const bool mixes = result["policy"] == "attention" || result["policy"] == "linear";
    CHECK(result.contains("integration_weights") == mixes);
  }
  CHECK(found == std::set<std::string>{"return none", "return residual", "return densenet", "return linear",
                                       "return attention", "return persistence", "return mean", "level none",
                                       "level residual", "level densenet", "level linear", "level attention",
                                       "level persistence", "level mean"});
  CHECK(read_raw(folder / "plot.svg").starts_with("<svg "));
  CHECK(read_raw(folder / "plot-weights.svg").starts_with("<svg "));
  CHECK(folder.files() == 3);
}

TEST_CASE("training lowers the loss: levels in validation, returns below the mean forecast") {
  const TemporaryFolder folder;
  const auto report = report_of(folder, "--seeds 1 --epochs 15 --target both --policies attention");
  const auto& change = report["results"][0];
  REQUIRE(change["target"] == "return");
  CHECK(change["runs"][0]["training_loss"] < report["tasks"][0]["training_loss_of_mean_forecast"]);
  const auto& level = report["results"][3];
  REQUIRE(level["target"] == "level");
  CHECK(level["runs"][0]["best_validation_loss"].get<double>() <
        0.5 * level["runs"][0]["first_validation_loss"].get<double>());
}

TEST_CASE("a run repeats itself to the bit, with one thread and with two") {
  const TemporaryFolder folder;
  const std::string options = quick + "--policies linear,attention --window 24 --horizon 2 ";
  const auto first = without_times(report_of(folder, options + "--threads 1"));
  CHECK(first == without_times(report_of(folder, options + "--threads 1")));
  CHECK(first == without_times(report_of(folder, options + "--threads 2")));
}

TEST_CASE("a saved model forecasts the same without training, and refuses other prices") {
  const TemporaryFolder folder;
  const auto trained =
      report_of(folder, quick + "--policies none,residual --target level --prices mean --save m.safetensors");
  const auto loaded = report_of(folder, "--load m.safetensors");
  const auto& best = trained["best"][0];
  CHECK(best["file"] == "m.safetensors");
  REQUIRE(loaded["results"][0]["policy"] == best["policy"]);
  for (const auto& result : trained["results"])
    if (result["policy"] == best["policy"]) CHECK(result["mse_z"] == loaded["results"][0]["mse_z"]);

  std::filesystem::create_directories(folder / "prices");
  write_raw(folder / "prices/monthly.csv", two_assets("gold"));
  const auto other = forecast(folder, "--load m.safetensors --data .");
  CHECK(other.code == 2);
  CHECK(other.err.starts_with("forecast: m.safetensors: the model was trained on prices whose log_mean is "));
  write_raw(folder / "m.safetensors", "no model at all");
  CHECK(forecast(folder, "--load m.safetensors").code == 2);
}

TEST_CASE("of days the last one of each month is forecast, or the mean, beside what beats the last mean unlearnt") {
  const TemporaryFolder folder;
  const Days days;
  std::filesystem::create_directories(folder / "prices/daily");
  write_raw(folder / "prices/daily/tin.csv", days.csv);
  const std::string options = "--data . --assets tin --seeds 1 --epochs 1 --policies none ";
  const auto ends = report_of(folder, options + "--save e.safetensors");
  CHECK(ends["tasks"][0]["prices"] == "end");
  CHECK(ends["tasks"][0]["skill_against"] == "persistence");
  CHECK(ends["results"].size() == 3);
  const double last_end = Days::mse(days.ends, [&](std::size_t t) { return days.ends[t]; });
  CHECK(result_of(ends, "persistence")["mse_price"].get<double>() == doctest::Approx(last_end));
  CHECK(result_of(ends, "persistence")["skill"] == 0);
  CHECK(report_of(folder, "--data . --load e.safetensors")["tasks"][0] == ends["tasks"][0]);

  const auto means = report_of(folder, options + "--prices mean --save m.safetensors");
  CHECK(means["tasks"][0]["prices"] == "mean");
  CHECK(means["tasks"][0]["skill_against"] == "last-day");
  CHECK(means["results"].size() == 5);
  const auto mse = [&](const char* name) { return result_of(means, name)["mse_price"].get<double>(); };
  CHECK(mse("last-day") == doctest::Approx(Days::mse(days.means, [&](std::size_t t) { return days.ends[t]; })));
  CHECK(mse("persistence") == doctest::Approx(Days::mse(days.means, [&](std::size_t t) { return days.means[t]; })));
  std::vector<double> walk;
  for (const double mean : days.means)
    walk.push_back(std::log(mean) + (walk.empty() ? 0 : (2 - std::sqrt(3)) * (std::log(mean) - walk.back())));
  CHECK(mse("averaged-walk") ==
        doctest::Approx(Days::mse(days.means, [&](std::size_t t) { return std::exp(walk[t]); })));
  CHECK(result_of(means, "last-day")["skill"] == 0);
  CHECK(result_of(means, "averaged-walk")["skill"] < 0);
  CHECK(report_of(folder, "--data . --load m.safetensors")["tasks"][0] == means["tasks"][0]);

  // Over the 420 months of the training part the errors are what the theory says: 1/2 and 0.933 of the last mean's.
  const auto loss = [&](const char* name) { return result_of(means, name)["training_loss"].get<double>(); };
  CHECK(loss("last-day") / loss("persistence") == doctest::Approx(0.5).epsilon(0.15));
  CHECK(loss("averaged-walk") / loss("persistence") == doctest::Approx(0.933).epsilon(0.05));
}

TEST_CASE("months whose days are not known are taken as means") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "prices/daily");
  write_raw(folder / "prices/monthly.csv", two_assets());
  write_raw(folder / "prices/daily/lead.csv", "date,lead\n" + Days().csv.substr(9));
  const auto report = report_of(folder, quick + "--policies none --data . --assets all");
  REQUIRE(report["tasks"].size() == 3);
  CHECK(report["tasks"][0]["asset"] == "lead");
  CHECK(report["tasks"][0]["prices"] == "end");
  CHECK(report["tasks"][1]["asset"] == "tin");
  CHECK(report["tasks"][1]["prices"] == "mean");
  CHECK(report["tasks"][1]["skill_against"] == "averaged-walk");
  const auto refuses = [&](const std::string& options, const std::string& sentence) {
    CAPTURE(options);
    const auto answer = forecast(folder, "--data . " + options);
    CHECK(answer.code == 2);
    CHECK(answer.err == "forecast: " + sentence + "\n");
  };
  refuses("--assets tin --prices end", "tin: expected days, to take the last one of each month, found months alone");
  const auto days = [&](const std::string& rows) { write_raw(folder / "prices/daily/zinc.csv", "date,zinc\n" + rows); };
  days("1990-01-02,1\n1990-01-19,2\n");
  refuses(
      "--assets zinc",
      "zinc.csv:3:1: expected a date a day, a week, a month, a quarter or a year after 1990-01-02, found 1990-01-19");
  days("1990-02-27,1\n1990-02-30,2\n");
  refuses("--assets zinc",
          "zinc.csv:3:1: expected a date like 1990-02-27, found \"1990-02-30\", which is not in the calendar");
  days("1990-01,1\n1990-02,2\n");
  refuses("--assets zinc", "zinc: expected daily prices, found monthly ones");
  days("1990-01-12,1\n1990-01-15,2\n1990-01-16,3\n");
  refuses("--assets zinc", "zinc: expected a whole month of daily prices, found 1990-01-12 to 1990-01-16");
  write_raw(folder / "prices/daily/zinc.csv", "date,lead\n1990-01-12,1\n");
  refuses("--assets zinc", "zinc.csv: the asset lead is in a file before it already");
}

TEST_CASE("an output that fails at the end leaves the others, and the exit code says so") {
  const TemporaryFolder folder;
  const std::string outputs = quick + "--policies none,attention --report r.json --plot p.svg --save m ";
  // Of all files only the model is larger than 400 blocks of a shell, 200 KiB or more.
  const auto model = shell(folder, "trap '' XFSZ; ulimit -f 400; '" AILA_FORECAST_PROGRAM "' --quiet " + outputs);
  CHECK(model.code == 2);
  CHECK_MESSAGE(is_one_line(model.err, "forecast: m: the file cannot be written into the folder . ("), model.err);
  CHECK(model.out.find("\nreport: r.json\n") != std::string::npos);
  CHECK(model.out.find("\nplot:   p-weights.svg\n") != std::string::npos);
  CHECK(model.out.find("\nmodel:") == std::string::npos);
  CHECK(folder.files() == 3);
  CHECK(Json::parse(read_raw(folder / "r.json"))["best"][0]["file"] == "");

  const TemporaryFolder other;
  const auto all =
      shell(other, "(trap '' XFSZ; ulimit -f 1; '" AILA_FORECAST_PROGRAM "' --quiet " + outputs + ") 2>&1 | cat >&2");
  CHECK(std::ranges::count(all.err, '\n') > 4);
  for (const char* file : {"m", "p.svg", "p-weights.svg", "r.json"})
    CHECK(all.err.find("forecast: " + std::string(file) + ": the file cannot be written") != std::string::npos);
  CHECK(all.err.find("persistence") != std::string::npos);
  CHECK(other.files() == 0);

  const auto full = shell(other, "'" AILA_FORECAST_PROGRAM "' --quiet " + outputs + " >/dev/full");
  CHECK(full.code == 2);
  CHECK(full.err == "forecast: the standard output took not all that was printed\n");
  CHECK(other.files() == 4);
}

TEST_CASE("published networks are trained beside the policies, saved and loaded") {
  const TemporaryFolder folder;
  const auto trained = report_of(folder, quick + "--policies none --networks all --target level --save m.safetensors");
  std::set<std::string> names;
  for (const auto& result : trained["results"])
    if (result["kind"] == "network") {
      names.insert(result["policy"]);
      CHECK(result["parameters"] > 10'000);
      CHECK(result["mse_z"] > 0);
    }
  CHECK(names == std::set<std::string>{"none", "lstm", "attention-lstm", "transformer", "cnn"});
  for (const std::string name : {"lstm", "cnn"}) {  // one with statistics among its parameters, one without
    const auto beside = report_of(folder, quick + "--policies none --networks " + name + " --save m.safetensors");
    const auto& best = beside["best"][0];
    const auto loaded = report_of(folder, "--load m.safetensors");
    REQUIRE(loaded["results"][0]["policy"] == best["policy"]);
    for (const auto& result : beside["results"])
      if (result["policy"] == best["policy"]) CHECK(result["mse_z"] == loaded["results"][0]["mse_z"]);
  }
}

TEST_CASE("a folder of prices gives all of its assets, and a model each") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "prices");
  write_raw(folder / "prices/monthly.csv", two_assets());
  const auto report =
      report_of(folder, quick + "--policies none --data . --assets all --target both --save m.safetensors");
  REQUIRE(report["tasks"].size() == 4);
  CHECK(report["tasks"][0]["asset"] == "tin");
  CHECK(report["tasks"][2]["asset"] == "tea");
  for (const char* file : {"m-tin-return", "m-tin-level", "m-tea-return", "m-tea-level"})
    CHECK(std::filesystem::exists(folder / (file + std::string(".safetensors"))));
  CHECK(report_of(folder, "--data . --load m-tea-return.safetensors")["tasks"][0]["asset"] == "tea");
}

TEST_CASE("prices that are not monthly are refused by their period") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "prices");
  write_raw(folder / "prices/monthly.csv", "DATE,tin\n2020-01-02,1\n2020-01-03,1\n2020-01-06,1\n");
  const auto answer = forecast(folder, "--data .");
  CHECK(answer.code == 2);
  CHECK(answer.err == "forecast: tin: expected a monthly series, found one whose period is daily\n");
}

TEST_CASE("what cannot be done is refused in one sentence, before anything is trained or written") {
  const TemporaryFolder folder;
  const auto refuses = [&](const std::string& options, const std::string& sentence) {
    CAPTURE(options);
    const auto answer = forecast(folder, options);
    CHECK(answer.code == 2);
    CHECK(answer.out == "");
    CHECK(answer.err == "forecast: " + sentence + "\n");
    CHECK(folder.files() == 0);
  };
  refuses("--policies none,resnet",
          "--policies: expected none, residual, densenet, linear, attention or all, found \"resnet\"");
  refuses("--policies none,none", "--policies: none is named twice");
  refuses("--networks resnet", "--networks: expected lstm, attention-lstm, transformer, cnn or all, found \"resnet\"");
  refuses("--target price", "--target: expected return, level or both, found \"price\"");
  refuses("--window 6", "--window: this program was compiled for windows of 12 or 24 months, found 6");
  refuses("--assets silver", "--assets: without --data there is gold alone, found \"silver\"");
  refuses("--data nowhere", "--data: there is no folder nowhere");
  refuses("--data .", "monthly.csv: there is no such file in the folder ./prices");
  refuses("--load nothing.safetensors", "nothing.safetensors: there is no such file in the folder .");
  refuses("--report no/report.json", "--report: report.json: there is no folder no");
  refuses("--save .", "--save: .: expected a file, found a folder");
  refuses("--plot picture.png", "--plot: expected a file name that ends in .svg or a folder, found \"picture.png\"");
  refuses("--report r --save ./r", "--save: expected a file of its own, found r, which --report writes");
  refuses("--report p-weights.svg --plot p.svg",
          "--plot: expected a file of its own, found p-weights.svg, which --report writes");
  const std::string name(300, 'n');
  refuses("--report " + name, "--report: " + name.substr(0, 255) + "...: the name is too long for a file");
  refuses("--prices close", "--prices: expected end, mean, found \"close\"");
  refuses("--load a --seeds 2", "--seeds cannot be given together with --load: a saved model has its own");
  refuses("--horizon 60", "gold: the validation part has 63 rows, too few for a window of 12 and a horizon of 60");
  for (const char* wrong : {"--seeds 0", "--seeds -1", "--epochs many", "--threads 0", "--batch 0", "--what", "word"}) {
    CAPTURE(wrong);
    const auto answer = forecast(folder, wrong);
    CHECK(answer.code == 2);
    CHECK(is_one_line(answer.err, "forecast: "));
    CHECK(folder.files() == 0);
  }
}

TEST_CASE("what a file of weights cannot hold is refused before it is trained, and so is a file that is read") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "prices");
  write_raw(folder / "prices/monthly.csv", two_assets("t\xFFn"));
  const auto answer = forecast(folder, "--data . --assets all --save m");
  CHECK(answer.code == 2);
  CHECK(answer.err ==
        "forecast: --save: expected the name of an asset to be UTF-8 without NUL, as a file of weights keeps it, found "
        "\"t\xEF\xBF\xBDn\"\n");
  CHECK(forecast(folder, quick + "--policies none --data . --assets all --report r.json").code == 0);
  CHECK(forecast(folder, "--data . --assets all --report prices/../prices/monthly.csv").err ==
        "forecast: --report: expected a file of its own, found monthly.csv, which --data reads\n");
  REQUIRE(forecast(folder, quick + "--policies none --save m").code == 0);
  std::filesystem::create_symlink("m", folder / "link");
  CHECK(forecast(folder, "--load m --report link").err ==
        "forecast: --report: expected a file of its own, found link, which --load reads\n");
}

TEST_CASE("an interrupt ends the program at once, and leaves nothing behind") {
  const TemporaryFolder folder;
  const auto answer =
      shell(folder, "'" AILA_FORECAST_PROGRAM
                    "' --epochs 100000 --patience 0 --report r.json --save m --plot p.svg & p=$!; sleep 1; "
                    "kill -INT $p; wait $p");
  CHECK(answer.code == 130);
  CHECK(answer.err.ends_with("forecast: cancelled; nothing was written\n"));
  CHECK(folder.files() == 0);
}

TEST_CASE("help names every option") {
  const TemporaryFolder folder;
  const auto answer = forecast(folder, "--help");
  CHECK(answer.code == 0);
  for (const char* option :
       {"--report", "--plot", "--save", "--load", "--data", "--assets", "--prices", "--policies", "--networks",
        "--seeds", "--epochs", "--threads", "--target", "--window", "--horizon", "--batch", "--patience"})
    CHECK(answer.out.find(option) != std::string::npos);
}
