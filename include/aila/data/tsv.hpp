// Labelled texts from a table: a line each, a label and a text with a tab between them.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../io/input_file.hpp"
#include "../io/text.hpp"
#include "labelled_texts.hpp"
#include "word_map.hpp"

namespace aila::inline v0::data {

struct TsvOptions {
  std::vector<std::string> classes = {};  ///< the labels there may be; empty: those that are found, in order of bytes
  bool text_first = false;                ///< the text comes before the label
  bool header = false;                    ///< the first line names the columns
};

/// Lines end in LF or CR LF; empty lines at the end are none. For a test part give the classes of the training part.
/// Throws Error "name:line: sentence" for a line without exactly two fields, a label that is none of the classes, and
/// a table without texts; a text that is empty or not UTF-8 gives a warning.
inline LabelledTexts parse_tsv(std::string_view text, const std::string& name, const TsvOptions& options = {}) {
  LabelledTexts found;
  found.classes = options.classes;
  std::vector<std::string_view> labels, texts;
  const auto fail = [&](std::size_t line, const std::string& sentence) {
    throw_error(name + ":" + std::to_string(line) + ": " + sentence);
  };
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = text.substr(0, text.find_last_not_of("\r\n") + 1);
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    auto row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    const auto fields = std::ranges::count(row, '\t') + 1;
    if (fields != 2) fail(line, "expected 2 fields with a tab between them, found " + std::to_string(fields));
    if (line == 1 && options.header) continue;
    auto left = row.substr(0, row.find('\t')), right = row.substr(left.size() + 1);
    if (options.text_first) std::swap(left, right);
    if (left.empty()) fail(line, "expected a label, found a blank");
    if (!options.classes.empty() && std::ranges::find(options.classes, left) == options.classes.end()) {
      std::string all;
      for (const auto& known : options.classes) all += (all.empty() ? "" : ", ") + known;
      fail(line, "expected one of the labels " + io::printable(all, 200) + ", found \"" + io::printable(left) + '"');
    }
    labels.push_back(left);
    texts.push_back(right);
  }
  if (texts.empty()) fail(1, "expected labels and texts, found none");
  if (found.classes.empty()) {
    auto distinct = labels;
    std::ranges::sort(distinct);
    const auto rest = std::ranges::unique(distinct);
    found.classes.assign(distinct.begin(), rest.begin());
  }
  detail::WordMap<Label> numbers;
  for (const auto& known : found.classes) numbers.emplace(known, static_cast<Label>(numbers.size()));
  detail::TextCollector collector(found);
  for (std::size_t i = 0; i < texts.size(); ++i) collector.add(std::string(texts[i]), numbers.find(labels[i])->second);
  collector.finish(name);
  return found;
}

inline LabelledTexts read_tsv(const std::filesystem::path& path, const TsvOptions& options = {}) {
  return parse_tsv(io::read_text(path), io::display_name(path), options);
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
