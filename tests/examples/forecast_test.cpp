// The program forecast, run as its users run it: what it writes, that it repeats itself, and what it refuses.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>

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
std::string two_assets() {
  std::string csv = "date,tin,tea\n";
  for (int i = 0; i < 180; ++i) {
    const int month = i % 12 + 1;
    csv += std::to_string(1990 + i / 12) + (month < 10 ? "-0" : "-") + std::to_string(month);
    csv += "," + std::to_string(100 + i + 9 * std::sin(i * 0.9)) + ",";
    csv += (i < 24 ? "" : std::to_string(50 + 8 * std::sin(i * 0.3) + 5 * std::sin(i * 1.1))) + "\n";
  }
  return csv;
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
  const auto trained = report_of(folder, quick + "--policies none,residual --target level --save m.safetensors");
  const auto loaded = report_of(folder, "--load m.safetensors");
  const auto& best = trained["best"][0];
  CHECK(best["file"] == "m.safetensors");
  REQUIRE(loaded["results"][0]["policy"] == best["policy"]);
  for (const auto& result : trained["results"])
    if (result["policy"] == best["policy"]) CHECK(result["mse_z"] == loaded["results"][0]["mse_z"]);

  std::filesystem::create_directories(folder / "prices");
  std::string csv = two_assets();
  csv.replace(csv.find("tin"), 3, "gold");
  write_raw(folder / "prices/monthly.csv", csv);
  const auto other = forecast(folder, "--load m.safetensors --data .");
  CHECK(other.code == 2);
  CHECK(other.err.starts_with("forecast: m.safetensors: the model was trained on prices whose log_mean is "));
  write_raw(folder / "m.safetensors", "no model at all");
  CHECK(forecast(folder, "--load m.safetensors").code == 2);
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
       {"--report", "--plot", "--save", "--load", "--data", "--assets", "--policies", "--networks", "--seeds",
        "--epochs", "--threads", "--target", "--window", "--horizon", "--batch", "--patience"})
    CHECK(answer.out.find(option) != std::string::npos);
}
