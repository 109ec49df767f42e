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
#include "../io/lines.hpp"
#include "../io/text.hpp"
#include "labelled_texts.hpp"
#include "visible_text.hpp"
#include "word_map.hpp"

namespace aila::inline v0::data {

struct TsvOptions {
  std::vector<std::string> classes = {};  ///< the labels there may be; empty: those that are found, in order of bytes
  bool text_first = false;                ///< the text comes before the label
  bool header = false;                    ///< the first line names the columns
};

/// Lines are those of `io::Lines`; labels that look alike are one (`visible_text`). For a test part give the classes of
/// the training part. Throws Error "name:line: sentence" for a line without exactly two fields, a label that is none of
/// the classes, and a table without texts, and "name: sentence" for two classes that look alike; a text that is empty
/// or not UTF-8 gives a warning.
inline LabelledTexts parse_tsv(std::string_view text, const std::string& name, const TsvOptions& options = {}) {
  LabelledTexts found;
  found.classes = options.classes;
  detail::WordMap<Label> numbers;
  for (const auto& known : options.classes)
    if (!numbers.emplace(visible_text(known), static_cast<Label>(numbers.size())).second)
      throw_error(name, ": expected classes that differ, found \"", io::printable(known), "\" twice");
  std::vector<std::string> labels;
  std::vector<std::string_view> texts;
  io::Lines lines(text, name);
  for (std::string_view row; lines.next(row);) {
    const auto fields = std::ranges::count(row, '\t') + 1;
    if (fields != 2) lines.fail("expected 2 fields with a tab between them, found " + std::to_string(fields));
    if (lines.number() == 1 && options.header) continue;
    auto left = row.substr(0, row.find('\t')), right = row.substr(left.size() + 1);
    if (options.text_first) std::swap(left, right);
    labels.push_back(visible_text(left));
    texts.push_back(right);
    if (labels.back().empty()) lines.fail("expected a label, found a blank");
    if (!options.classes.empty() && !numbers.contains(labels.back())) {
      std::string all;
      for (const auto& known : options.classes) all += (all.empty() ? "" : ", ") + known;
      lines.fail("expected one of the labels " + io::printable(all, 200) + ", found \"" + io::printable(left) + '"');
    }
  }
  if (texts.empty()) throw_error(name, ":1: expected labels and texts, found none");
  if (found.classes.empty()) {
    found.classes = labels;
    std::ranges::sort(found.classes);
    const auto rest = std::ranges::unique(found.classes);
    found.classes.erase(rest.begin(), rest.end());
    for (const auto& known : found.classes) numbers.emplace(known, static_cast<Label>(numbers.size()));
  }
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
