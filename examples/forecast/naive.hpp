// Forecasts for which nothing is learnt: what a network has to beat.
#pragma once

#include <string>
#include <vector>

#include "prices.hpp"

namespace forecast {

/// A forecast by its name; `logs[t]` is the log price that it forecasts at the end of month t, however far ahead.
struct Naive {
  std::string name;
  std::vector<double> logs;
};

/// The forecasts of an asset's prices, the one that skill is measured against first.
///
/// Of prices at the ends of months: the last price repeated (persistence). If the price of a day is a random walk, none
/// is better.
///
/// Of means, M_t of month t, the last mean repeated is no fair opponent. With steps of variance v in months of n days
///   Var(M_t - M_{t-1}) = v (2 n^2 + 1) / (3 n),   Cov(M_{t+1} - M_t, M_t - M_{t-1}) = v (n^2 - 1) / (6 n),
/// so that changes that follow each other have the correlation (n^2 - 1) / (2 (2 n^2 + 1)), 1/4 for many days, although
/// the price is a random walk: H. Working, "Note on the correlation of first differences of averages in a random
/// chain", Econometrica 28 (1960), 916-918. Beside it there are therefore:
/// - the price of the last day of month t, where days are known (last-day): for a random walk its mean square error is
///   half of that of the last mean, v n / 3 for many days;
/// - the best forecast from the means alone (averaged-walk). Their changes are a moving average of order one,
///   M_t - M_{t-1} = e_t + theta e_{t-1} with theta / (1 + theta^2) = 1/4, theta = 2 - sqrt(3) = 0.268, and the
///   forecast is M_t + theta e_t, for every month ahead; its error for one is 1 / (1 + theta^2) = 0.933 of that of the
///   last mean. The first e is 0.
/// Skill is measured against the first of these that there is. All are taken of logs.
std::vector<Naive> naive_forecasts(const Asset& asset);

/// Why, in two sentences.
extern const char* const why_ends_of_months;

}  // namespace forecast
