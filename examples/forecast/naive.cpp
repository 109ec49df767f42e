#include "naive.hpp"

#include <cmath>
#include <numbers>

namespace forecast {
namespace {

std::vector<double> logs_of(const std::vector<double>& values) {
  std::vector<double> logs;
  logs.reserve(values.size());
  for (const double value : values) logs.push_back(std::log(value));
  return logs;
}

std::vector<double> averaged_walk(const std::vector<double>& means) {
  constexpr double theta = 2 - std::numbers::sqrt3;
  std::vector<double> forecasts;
  double surprise = 0;  // e_t: a change less its forecast
  for (std::size_t t = 0; t < means.size(); ++t) {
    if (t > 0) surprise = means[t] - forecasts[t - 1];
    forecasts.push_back(means[t] + theta * surprise);
  }
  return forecasts;
}

}  // namespace

const char* const why_ends_of_months =
    "Changes of monthly means are correlated, by 1/4, though the price is a random walk (Working, Econometrica 28, "
    "1960), so that a network that beats the last mean need not know anything of the price. Months are therefore "
    "their last days where days are known, and forecasts of means have to beat the last day's price, or where no days "
    "are known the best forecast of a random walk of which the means alone are seen.";

std::vector<Naive> naive_forecasts(const Asset& asset) {
  const auto logs = logs_of(asset.prices.values);
  std::vector<Naive> forecasts;
  if (asset.month_price == MonthPrice::mean) {
    if (!asset.last_days.empty()) forecasts.push_back({"last-day", logs_of(asset.last_days)});
    forecasts.push_back({"averaged-walk", averaged_walk(logs)});
  }
  forecasts.push_back({"persistence", logs});
  return forecasts;
}

}  // namespace forecast
