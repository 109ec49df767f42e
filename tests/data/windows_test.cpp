// Windows, their scaling, the way back to prices, and scores.
#include <doctest/doctest.h>

#include <aila/data/csv.hpp>
#include <aila/data/scores.hpp>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "../io/temporary_folder.hpp"

using namespace aila;
using namespace aila_test;
using doctest::Approx;

namespace {

/// Growth with waves: no two months are alike.
data::Series prices(std::size_t rows) {
  data::Series series{.name = "gold", .dates = {}, .values = {}};
  for (std::size_t i = 0; i < rows; ++i) {
    const auto t = static_cast<double>(i);
    series.dates.push_back("month " + std::to_string(i));
    series.values.push_back(100 * std::exp(0.01 * t + 0.2 * std::sin(0.7 * t)));
  }
  return series;
}

double log_at(const data::Series& series, std::size_t i) {
  return std::log(series.values[i]);
}

}  // namespace

TEST_CASE("windows and targets lie inside their part: none reaches over a border") {
  const auto series = prices(420);
  const data::WindowedSeries w(series);
  CHECK(w.train.count == 294 - 12);
  CHECK(w.valid.count == 63 - 12);
  CHECK(w.test.count == 63 - 12);
  CHECK(w.train.dates.front() == "month 12");
  CHECK(w.train.dates.back() == "month 293");
  CHECK(w.valid.dates.front() == "month 306");
  CHECK(w.valid.dates.back() == "month 356");
  CHECK(w.test.dates.front() == "month 369");
  CHECK(w.test.dates.back() == "month 419");
  CHECK(w.train.inputs.size() == w.train.count * 12);
  CHECK(w.train.targets.size() == w.train.count);
}

TEST_CASE("parts end at the nearest row, not at one below it for want of a binary digit") {
  const data::WindowedSeries w(prices(100), {.train_share = 0.58, .valid_share = 0.2});
  CHECK(w.train.dates.back() == "month 57");
  CHECK(w.valid.dates.back() == "month 77");
}

TEST_CASE("later months do not reach the training part, its statistics or its scaling") {
  auto series = prices(420);
  const data::WindowedSeries before(series);
  for (std::size_t i = 294; i < 420; ++i) series.values[i] *= 17;
  const data::WindowedSeries after(series);
  CHECK(before.train.inputs == after.train.inputs);
  CHECK(before.train.targets == after.train.targets);
  CHECK(before.log_mean() == after.log_mean());
  CHECK(before.change_deviation() == after.change_deviation());
  CHECK(before.naive_error() == after.naive_error());
}

TEST_CASE("levels are log prices scaled by the training part's mean and deviation") {
  const auto series = prices(100);
  const data::WindowedSeries w(series, {.window = 5, .horizon = 3, .target = data::Target::level});
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < 70; ++i) mean += log_at(series, i) / 70;
  for (std::size_t i = 0; i < 70; ++i) square += std::pow(log_at(series, i) - mean, 2) / 70;
  CHECK(w.log_mean() == Approx(mean));
  CHECK(w.log_deviation() == Approx(std::sqrt(square)));
  REQUIRE(w.test.count == 15 - 7);
  const std::size_t i = 2, first = 85 + i;
  for (std::size_t k = 0; k < 5; ++k)
    CHECK(w.test.inputs[i * 5 + k] == Approx((log_at(series, first + k) - mean) / std::sqrt(square)));
  CHECK(w.test.targets[i] == Approx((log_at(series, first + 7) - mean) / std::sqrt(square)));
  CHECK(w.test.targets[i] == Approx(w.to_z(w.test.true_logs[i])));
  CHECK(w.test.prices[i] == series.values[first + 7]);
  CHECK(w.test.last_logs[i] == log_at(series, first + 4));
}

TEST_CASE("changes are seen from the window's last price in units of the training part's deviation of changes") {
  const auto series = prices(100);
  const data::WindowedSeries w(series, {.window = 4, .horizon = 2, .target = data::Target::change});
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < 68; ++i) mean += (log_at(series, i + 2) - log_at(series, i)) / 68;
  for (std::size_t i = 0; i < 68; ++i) square += std::pow(log_at(series, i + 2) - log_at(series, i) - mean, 2) / 68;
  const double unit = std::sqrt(square);
  CHECK(w.change_deviation() == Approx(unit));
  const std::size_t i = 3, first = 70 + i;
  for (std::size_t k = 0; k < 4; ++k)
    CHECK(w.valid.inputs[i * 4 + k] == Approx((log_at(series, first + k) - log_at(series, first + 3)) / unit));
  CHECK(w.valid.inputs[i * 4 + 3] == 0);
  CHECK(w.valid.targets[i] == Approx((log_at(series, first + 5) - log_at(series, first + 3)) / unit));
}

TEST_CASE("under changes the height of the price does not matter") {
  auto series = prices(120);
  const data::WindowedSeries low(series);
  for (double& price : series.values) price *= 1000;
  const data::WindowedSeries high(series);
  for (std::size_t i = 0; i < low.test.inputs.size(); ++i)
    CHECK(low.test.inputs[i] == Approx(high.test.inputs[i]).epsilon(1e-5));
}

TEST_CASE("the targets themselves lead back to the true prices, for both targets and any horizon") {
  const auto series = prices(200);
  for (auto target : {data::Target::level, data::Target::change})
    for (std::size_t horizon : std::array<std::size_t, 3>{1, 2, 6}) {
      const data::WindowedSeries w(series, {.window = 12, .horizon = horizon, .target = target});
      for (const auto* part : {&w.train, &w.valid, &w.test}) {
        const auto logs = w.to_logs(*part, part->targets);
        for (std::size_t i = 0; i < part->count; ++i) CHECK(std::exp(logs[i]) == Approx(part->prices[i]).epsilon(1e-5));
      }
    }
}

TEST_CASE("scores of the truth are perfect and those of persistence are the baseline") {
  const auto series = prices(200);
  const data::WindowedSeries w(series);
  const auto perfect = data::score(w, w.test, w.test.true_logs);
  CHECK(perfect.mse_z == 0);
  CHECK(perfect.mse_price == Approx(0));
  CHECK(perfect.skill == 1);
  CHECK(perfect.mase == Approx(0));
  const auto naive = data::score(w, w.test, w.test.last_logs);
  CHECK(naive.skill == 0);
  double squares = 0, errors = 0;
  for (std::size_t i = 182; i < 200; ++i) {
    squares += std::pow(series.values[i] - series.values[i - 1], 2) / 18;
    errors += std::abs(series.values[i] - series.values[i - 1]) / 18;
  }
  REQUIRE(w.test.count == 18);
  CHECK(naive.mse_price == Approx(squares));
  double training_errors = 0;
  for (std::size_t i = 1; i < 140; ++i) training_errors += std::abs(series.values[i] - series.values[i - 1]) / 139;
  CHECK(w.naive_error() == Approx(training_errors));
  CHECK(naive.mase == Approx(errors / training_errors));
}

TEST_CASE("the mean forecast is the training part's mean target, everywhere") {
  const auto series = prices(200);
  for (auto target : {data::Target::level, data::Target::change}) {
    const data::WindowedSeries w(series, {.target = target});
    double mean = 0;
    for (float t : w.train.targets) mean += static_cast<double>(t) / static_cast<double>(w.train.count);
    CHECK(w.mean_target() == Approx(mean));
    const std::vector<float> outputs(w.test.count, static_cast<float>(mean));
    const auto expected = w.to_logs(w.test, outputs), found = w.mean_forecast(w.test);
    for (std::size_t i = 0; i < w.test.count; ++i) CHECK(found[i] == Approx(expected[i]).epsilon(1e-6));
  }
}

TEST_CASE("series and options that give no windows are refused in one sentence") {
  const auto make = [](const data::Series& series, const data::WindowOptions& options = {}) {
    return error_of([&] { data::WindowedSeries w(series, options); });
  };
  const std::string too_few = " rows, too few for a window of 12 and a horizon of 1";
  CHECK(make(prices(86)) == "");
  CHECK(make(prices(83)) == "gold: the test part has 12" + too_few);
  CHECK(make(prices(80)) == "gold: the validation part has 12" + too_few);
  CHECK(make(prices(0)) == "gold: the training part has 0" + too_few);
  CHECK(make(prices(420), {.window = ~std::size_t{0}}).starts_with("gold: the training part has 294 rows, too few"));
  CHECK(make(prices(420), {.horizon = ~std::size_t{0}}).starts_with("gold: the training part has 294 rows, too few"));
  const std::string zero = "a window and a horizon of 1 month or more are needed, found 0";
  CHECK(make(prices(420), {.window = 0}) == zero);
  CHECK(make(prices(420), {.horizon = 0}) == zero);
  const std::string shares = "the shares of the training and the validation part must be positive and leave rows";
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(make(prices(420), {.train_share = 0.9, .valid_share = 0.1}).starts_with(shares));
  CHECK(make(prices(420), {.train_share = -1}).starts_with(shares));
  CHECK(make(prices(420), {.valid_share = 0}).starts_with(shares));
  CHECK(make(prices(420), {.train_share = nan}).starts_with(shares));

  auto bad = prices(420);
  bad.values[7] = -3;
  CHECK(make(bad) == "gold: expected a positive price, found -3.000000 at month 7");
  bad.values[7] = nan;
  CHECK(make(bad).starts_with("gold: expected a positive price, found "));
  bad.dates.pop_back();
  CHECK(make(bad) == "gold: expected a date for each of 420 prices, found 419 dates");
}

TEST_CASE("a training part that gives no scale is refused: equal prices, constant growth") {
  const std::string equal =
      "gold: the prices or the changes of the training part are all equal, nothing can be scaled by them";
  auto series = prices(200);
  for (double& price : series.values) price = 35.27;
  CHECK(error_of([&] { data::WindowedSeries w(series); }) == equal);
  for (std::size_t i = 0; i < 200; ++i) series.values[i] = std::exp(0.01 * static_cast<double>(i));
  CHECK(error_of([&] { data::WindowedSeries w(series); }) == equal);
}

TEST_CASE("outputs and forecasts that are not one a window are refused") {
  const data::WindowedSeries w(prices(100));
  CHECK(error_of([&] { w.to_logs(w.test, std::vector<float>(5)); }) == "expected 3 outputs, one a window, found 5");
  CHECK(error_of([&] { data::score(w, w.test, std::vector<double>(2)); }) ==
        "expected 3 forecasts, one a window, found 2");
}

#if defined(AILA_SOURCE_DIR)
TEST_CASE("the embedded gold prices are 420 months that make windows for both targets") {
  const auto gold = data::read_prices(AILA_SOURCE_DIR "/examples/forecast/gold_monthly.csv", "gold");
  REQUIRE(gold.values.size() == 420);
  CHECK(gold.dates.front() == "1978-01");
  CHECK(gold.dates.back() == "2012-12");
  CHECK(gold.values.front() == Approx(103.49));
  const data::WindowedSeries w(gold);
  CHECK(w.train.count == 282);
  CHECK(w.test.dates.back() == "2012-12");
  CHECK(data::score(w, w.test, w.mean_forecast(w.test)).skill > 0);
}
#endif
