// Texts with a class each, as a loader finds them.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "label.hpp"
#include "utf8.hpp"

namespace aila::inline v0::data {

/// Texts, which are UTF-8, their classes and the classes' names; and what was repaired or left out, a sentence each.
struct LabelledTexts {
  std::vector<std::string> texts{};
  std::vector<Label> labels{};
  std::vector<std::string> classes{};
  std::vector<std::string> warnings{};

  std::size_t size() const { return texts.size(); }
};

/// Training and test part.
struct TextParts {
  LabelledTexts train, test;
};

namespace detail {

/// Adds texts to a LabelledTexts and counts what needed repair.
class TextCollector {
 public:
  explicit TextCollector(LabelledTexts& into) : into_(into) {}

  void add(std::string text, Label label) {
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    repaired_ += repair_utf8(text) > 0 ? 1U : 0U;
    into_.texts.push_back(std::move(text));
    into_.labels.push_back(label);
  }
  /// Puts the counts into words, for all texts that were added by now.
  void finish(const std::string& name) const {
    if (repaired_ > 0)
      into_.warnings.push_back(name + ": " + std::to_string(repaired_) + " of " + std::to_string(into_.size()) +
                               " texts have bytes that are not UTF-8; they were replaced");
  }

 private:
  LabelledTexts& into_;
  std::size_t repaired_ = 0;
};

}  // namespace detail

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
