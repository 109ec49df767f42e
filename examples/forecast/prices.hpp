// The price series that the program knows: gold inside it, or those of a folder.
#pragma once

#include <aila/data/series.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forecast {

/// gold_monthly.csv, compiled into the program.
extern const std::string_view gold_monthly;

/// What stands for a month.
enum class MonthPrice {
  end,  ///< the price of its last day
  mean  ///< the mean of the prices of its days
};

/// One asset by month.
struct Asset {
  aila::data::Series prices;        ///< what is forecast
  MonthPrice month_price;           ///< what it is of a month
  std::vector<double> last_days{};  ///< the price of each month's last day; empty where days are not known
};

/// The files of a folder that read_assets reads.
std::vector<std::filesystem::path> price_files(const std::filesystem::path& folder);

/// The assets of these names, or all where none is named. Without a folder there is the gold compiled into the program,
/// 1978-01 to 2012-12, made from days; with one, the days of `folder/prices/daily/*.csv` and, of further assets, what
/// `folder/prices/monthly.csv` has, which is taken as means: where days are not known nothing else can be made of it.
/// `month_price` not given is the end where days are known, and else the mean. Throws aila::Error for an asset that is
/// not there or is there twice, for the ends of months whose days are not known, for a file of days or of months that
/// has others, and for a folder or file that cannot be read.
std::vector<Asset> read_assets(const std::optional<std::filesystem::path>& folder,
                               const std::vector<std::string>& assets, std::optional<MonthPrice> month_price);

}  // namespace forecast
