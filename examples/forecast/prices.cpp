// Prices from the program itself or from a folder.
#include "prices.hpp"

#include <aila/data/csv.hpp>
#include <algorithm>
#include <system_error>

namespace forecast {

using aila::data::Series;

std::vector<Series> read_assets(const std::optional<std::filesystem::path>& folder,
                                const std::vector<std::string>& assets) {
  if (!folder) {
    for (const auto& asset : assets)
      if (asset != "gold") throw aila::Error("--assets: without --data there is gold alone, found \"" + asset + '"');
    return aila::data::parse_csv(gold_monthly, "gold_monthly.csv", {.positive = true});
  }
  std::error_code code;
  if (!std::filesystem::is_directory(*folder, code))
    throw aila::Error("--data: there is no folder " + folder->string());
  auto all = aila::data::read_csv(*folder / "prices" / "monthly.csv", {.positive = true});
  for (const auto& one : all) aila::data::require_period(one, aila::data::Period::monthly);
  if (assets.empty()) return all;
  std::vector<Series> series;
  for (const auto& asset : assets) {
    const auto found = std::ranges::find(all, asset, &Series::name);
    if (found == all.end()) {
      std::string message = "--assets: expected ";
      for (const auto& s : all) message.append(s.name).append(", ");
      throw aila::Error(message.append("or all, found \"").append(asset).append("\""));
    }
    series.push_back(*found);
  }
  return series;
}

}  // namespace forecast
