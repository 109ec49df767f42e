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

/// The series of the named assets, or of all where none is named. Without a folder it is the gold compiled into the
/// program, monthly means 1978-01 to 2012-12; with one, `folder/prices/monthly.csv`.
/// Throws aila::Error for an asset that is not there, for a series that is not monthly (`aila::data::month_ends` makes
/// months of days), and for a folder or file that cannot be read.
std::vector<aila::data::Series> read_assets(const std::optional<std::filesystem::path>& folder,
                                            const std::vector<std::string>& assets);

}  // namespace forecast
