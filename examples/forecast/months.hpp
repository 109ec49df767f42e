// From days to months: the price of the last day of each month, and the mean of its days.
#pragma once

#include <aila/data/series.hpp>

namespace forecast {

/// What stands for a month.
enum class MonthPrice {
  end,  ///< the price of its last day
  mean  ///< the mean of the prices of its days
};

/// A daily series by month; both have the same months.
struct Months {
  aila::data::Series ends, means;
};

/// The months of a daily series. The first and the last month are left out where their first week, or the last four
/// days, have no price. Throws aila::Error for a series that is not by day, a date that is none, ten days without a
/// price in a row, and fewer than one whole month.
Months months_of(const aila::data::Series& days);

}  // namespace forecast
