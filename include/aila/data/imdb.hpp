// The Large Movie Review Dataset, "IMDB": https://ai.stanford.edu/~amaas/data/sentiment
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../io/input_file.hpp"
#include "../io/lines.hpp"
#include "../io/text.hpp"
#include "labelled_texts.hpp"

namespace aila::inline v0::data {

/// The rating in the name of a review, "ID_RATING.txt"; nothing for other names.
inline std::optional<int> review_rating(std::string_view name) {
  if (!name.ends_with(".txt")) return std::nullopt;
  name.remove_suffix(4);
  const auto bar = name.find('_');
  if (bar == 0 || bar == std::string_view::npos) return std::nullopt;
  const auto digits = [](std::string_view text) {
    return text.find_first_not_of("0123456789") == std::string_view::npos && !text.empty() && text.size() < 9;
  };
  const auto rating = name.substr(bar + 1);
  if (!digits(name.substr(0, bar)) || !digits(rating)) return std::nullopt;
  int value = 0;
  std::from_chars(rating.data(), rating.data() + rating.size(), value);
  return value;
}

namespace detail {

/// Names in a folder, ascending by their bytes.
inline std::vector<std::string> sorted_names(const std::filesystem::path& folder, const std::string& name) {
  std::vector<std::string> names;
  std::error_code code;
  for (std::filesystem::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    names.push_back(entry->path().filename().string());
  if (code) throw_error(name, ": the folder cannot be read in ", io::display_folder(folder), " (", code.message(), ")");
  std::ranges::sort(names);
  return names;
}

/// Appends the reviews of one folder; `name` is what messages call it.
inline void read_reviews(const std::filesystem::path& folder, const std::string& name, Label label,
                         TextCollector& collector, LabelledTexts& found) {
  const std::size_t before = found.size();
  std::size_t others = 0;
  for (const std::string& file : sorted_names(folder, name)) {
    const auto rating = review_rating(file);
    if (!rating) {
      ++others;
      continue;
    }
    const std::string path = name + "/" + io::printable(file);
    if (label == 1 ? *rating < 7 || *rating > 10 : *rating < 1 || *rating > 4)
      throw_error(path, ": expected a rating from ", (label == 1 ? "7 to 10" : "1 to 4"), " in the name, found ",
                  *rating);
    const std::string bytes = io::read_text(folder / file);
    std::string text(io::without_mark(bytes, path));
    io::require_text(text, path);
    if (text.empty()) throw_error(path, ": expected a review, the file is empty");
    collector.add(std::move(text), label);
  }
  if (found.size() == before)
    throw_error(name, ": expected reviews named ID_RATING.txt in ", io::display_folder(folder / ""), ", found none");
  if (others > 0)
    found.warnings.push_back(name +
                             ": files left out because they are not named ID_RATING.txt: " + std::to_string(others));
  if (constexpr std::size_t original = 12500; found.size() - before != original)
    found.warnings.push_back(name + ": " + std::to_string(found.size() - before) + " reviews, the original has " +
                             std::to_string(original));
}

/// One part: negative reviews, then positive ones.
inline LabelledTexts read_review_part(const std::filesystem::path& folder, const std::string& part) {
  LabelledTexts found;
  found.classes = {"neg", "pos"};
  TextCollector collector(found);
  for (const Label label : {0, 1}) {
    const std::string& sentiment = found.classes[static_cast<std::size_t>(label)];
    std::string name = part;
    name += "/" + sentiment;
    read_reviews(folder / part / sentiment, name, label, collector, found);
  }
  collector.finish(part);
  return found;
}

}  // namespace detail

/// Training and test part from the folder aclImdb, which has train and test with neg and pos in each: files
/// ID_RATING.txt in order of name, the negative reviews first; classes neg and pos. Throws Error for a folder that is
/// missing or has no review, an empty review and a rating that contradicts its folder; other files, texts that are not
/// UTF-8, and another number than 12,500 in a folder give warnings.
inline TextParts read_imdb(const std::filesystem::path& folder) {
  return {.train = detail::read_review_part(folder, "train"), .test = detail::read_review_part(folder, "test")};
}

/// The test part alone; the training part need not be there. Throws and warns as read_imdb.
inline LabelledTexts read_imdb_test(const std::filesystem::path& folder) {
  return detail::read_review_part(folder, "test");
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
