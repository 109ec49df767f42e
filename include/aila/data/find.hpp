// Where a data set lies on this machine.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "../core/error.hpp"
#include "../io/text.hpp"

namespace aila::inline v0::data {

namespace detail {

/// A data set by the name that examples/get-data.sh knows, the folder it unpacks to, and a file that is in it.
struct KnownData {
  std::string_view name, folder, file;
};
inline constexpr std::array<KnownData, 5> known_data{{{"cifar-10", "cifar-10-batches-bin", "test_batch.bin"},
                                                      {"imdb", "aclImdb", "test/pos"},
                                                      {"glove", "glove", ""},
                                                      {"fashion-mnist", "fashion-mnist", "t10k-labels-idx1-ubyte"},
                                                      {"mnist", "mnist", "t10k-labels-idx1-ubyte"}}};

inline std::filesystem::path environment(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
  const char* value = std::getenv(name);
  return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

/// The folder that examples/get-data.sh fills where AILA_DATA names none; empty where the environment says too little.
inline std::filesystem::path cache_folder() {
  if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty()) return cache / "aila";
  const auto home = environment("HOME");
  return home.empty() ? home : home / ".cache" / "aila";
}

}  // namespace detail

/// The folder of the data set `name` (cifar-10, imdb, glove, fashion-mnist, mnist). Looked for in `option`, what the
/// user gave as --data, and nowhere else where that is given; else in the folder AILA_DATA, in the cache
/// ($XDG_CACHE_HOME or ~/.cache)/aila, and where Debian's packages put data sets. Each may be a folder of data sets, as
/// examples/get-data.sh makes it, or the data set's own. Throws Error, which says how to get it, where it is in none.
inline std::filesystem::path data_folder(std::string_view name, const std::filesystem::path& option = {}) {
  const detail::KnownData* known = nullptr;
  std::string names;
  for (const auto& data : detail::known_data) {
    if (data.name == name) known = &data;
    names += (names.empty() ? "" : ", ") + std::string(data.name);
  }
  if (known == nullptr) throw_error("data: there is no ", io::printable(name), " among ", names);
  const auto holds = [&](const std::filesystem::path& folder) {
    std::error_code code;
    const auto file = folder / known->file;
    return std::filesystem::exists(file, code) || std::filesystem::exists(file.string() + ".gz", code);
  };
  std::vector<std::filesystem::path> places{option};
  if (option.empty()) places = {detail::environment("AILA_DATA"), detail::cache_folder(), "/usr/share/datasets"};
  std::string looked;
  for (const auto& place : places) {
    if (place.empty()) continue;
    if (holds(place / known->folder)) return place / known->folder;
    if (!known->file.empty() && holds(place)) return place;
    looked += (looked.empty() ? "" : ", ") + io::printable(place.string(), 300);
  }
  throw_error("data: ", name, " is not in ", looked, "; get it by: sh examples/get-data.sh ", name,
              (option.empty() ? ", or name its folder by --data or AILA_DATA" : ""));
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
