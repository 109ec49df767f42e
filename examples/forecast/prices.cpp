// Prices from the program itself or from a folder.
#include "prices.hpp"

#include <aila/data/csv.hpp>
#include <aila/data/months.hpp>
#include <algorithm>
#include <system_error>

namespace forecast {
namespace {

using aila::data::Series;
namespace fs = std::filesystem;

/// An asset with all that is known of it: `ends` has no row where days are not known.
struct Known {
  Series ends, means;
};

/// The two columns of gold_monthly.csv: gold at the end of the month, and its mean.
Known gold() {
  auto columns = aila::data::parse_csv(gold_monthly, "gold_monthly.csv",
                                       {.columns = {"gold", "gold_mean"}, .positive = true, .minimum_rows = 1});
  columns[1].name = "gold";
  return {std::move(columns[0]), std::move(columns[1])};
}

/// The same months of both: of one whose first days are not known there is no mean.
Known months_of(const Series& days) {
  Known known{aila::data::month_ends(days), aila::data::month_means(days)};
  if (known.ends.dates.front() != known.means.dates.front()) {
    known.ends.dates.erase(known.ends.dates.begin());
    known.ends.values.erase(known.ends.values.begin());
  }
  return known;
}

bool holds(const std::vector<Known>& all, const std::string& name) {
  return std::ranges::any_of(all, [&](const Known& known) { return known.means.name == name; });
}

/// The files of a folder of days, in the order of their names; none where there is no such folder.
std::vector<fs::path> daily_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code code;
  if (!fs::is_directory(folder, code)) return files;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    if (entry->path().extension() == ".csv") files.push_back(entry->path());
  if (code) throw aila::Error("--data: the folder " + folder.string() + " cannot be read (" + code.message() + ")");
  std::ranges::sort(files);
  return files;
}

std::vector<Known> read_folder(const fs::path& folder) {
  std::vector<Known> all;
  for (const auto& file : daily_files(folder / "daily"))
    for (const auto& days : aila::data::read_csv(file, {.positive = true})) {
      if (holds(all, days.name))
        throw aila::Error(aila::io::display_name(file) + ": the asset " + days.name +
                          " is in a file before it already");
      all.push_back(months_of(days));
    }
  std::error_code code;
  const auto monthly = folder / "monthly.csv";
  if (!all.empty() && !fs::exists(monthly, code)) return all;
  for (auto& means : aila::data::read_csv(monthly, {.positive = true})) {
    aila::data::require_period(means, aila::data::Period::monthly);
    if (!holds(all, means.name)) all.push_back({{}, std::move(means)});
  }
  return all;
}

Asset asset_of(const Known& known, std::optional<MonthPrice> month_price) {
  const bool days = !known.ends.values.empty();
  if (!days && month_price == MonthPrice::end)
    throw aila::Error(known.means.name + ": expected days, to take the last one of each month, found months alone");
  const auto chosen = month_price.value_or(days ? MonthPrice::end : MonthPrice::mean);
  return {.prices = chosen == MonthPrice::end ? known.ends : known.means,
          .month_price = chosen,
          .last_days = known.ends.values};
}

}  // namespace

std::vector<fs::path> price_files(const fs::path& folder) {
  auto files = daily_files(folder / "prices" / "daily");
  files.push_back(folder / "prices" / "monthly.csv");
  return files;
}

std::vector<Asset> read_assets(const std::optional<fs::path>& folder, const std::vector<std::string>& assets,
                               std::optional<MonthPrice> month_price) {
  if (!folder) {
    for (const auto& asset : assets)
      if (asset != "gold") throw aila::Error("--assets: without --data there is gold alone, found \"" + asset + '"');
    return {asset_of(gold(), month_price)};
  }
  std::error_code code;
  if (!fs::is_directory(*folder, code)) throw aila::Error("--data: there is no folder " + folder->string());
  const auto all = read_folder(*folder / "prices");
  std::vector<Asset> chosen;
  if (assets.empty())
    for (const auto& known : all) chosen.push_back(asset_of(known, month_price));
  for (const auto& asset : assets) {
    const auto found = std::ranges::find_if(all, [&](const Known& known) { return known.means.name == asset; });
    if (found == all.end()) {
      std::string message = "--assets: expected ";
      for (const auto& known : all) message.append(known.means.name).append(", ");
      throw aila::Error(message.append("or all, found \"").append(asset).append("\""));
    }
    chosen.push_back(asset_of(*found, month_price));
  }
  return chosen;
}

}  // namespace forecast
