// Texts that lie in memory as numbers of tokens, and how samples are made of them.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "../backend/host/padding.hpp"
#include "../core/error.hpp"
#include "../core/shape.hpp"
#include "sample_slot.hpp"
#include "view.hpp"

namespace aila::inline v0 {

namespace detail {
/// The tokens [begin, begin + count) that a network of so many steps reads of a text [begin, end): code of a device,
/// too.
struct ReadTokens {
  std::size_t begin = 0, count = 0;
  static constexpr ReadTokens of(std::size_t begin, std::size_t end, std::size_t steps, bool last) {
    const std::size_t all = end - begin, count = all < steps ? all : steps;
    return {last ? end - count : begin, count};
  }
};
}  // namespace detail

/// Labelled texts that lie elsewhere, and a sample for each of `rows`: the first In::extents[0] tokens of the text, or
/// the last ones, with their number as length and the label as target. Where In is Tokens<T> the input is the tokens'
/// numbers, 0 behind the last; where it is Sequence<T, D>, their vectors, zero behind the last. A SampleSource, as
/// whose samples a backend with memory of its own makes them there, bit for bit.
template <class In, class Scalar = float>
  requires detail::has_steps<In>
struct TextsView {
  static constexpr std::size_t steps = In::extents[0];

  std::span<const std::int32_t> tokens{};  ///< of all texts, one behind the other
  std::span<const std::size_t> begins{};   ///< [N + 1]: where each text begins, and at last where all end
  std::span<const std::int32_t> labels{};  ///< [N]
  std::span<const float> vectors{};        ///< [words, D]: of each token's number; where In is Tokens nobody looks
  std::span<const std::size_t> rows{};     ///< [samples], of the N: the text of each sample
  bool reads_last = false;                 ///< of a text of more tokens than the network has steps

  std::size_t size() const { return rows.size(); }
  static constexpr std::size_t targets_per_sample() { return 1; }
  TextsView view() const { return *this; }

  /// Throws Error where sizes do not fit, for a text without tokens, for a row that is none of the texts', and for a
  /// token without a vector.
  void check() const {
    detail::check_texts(tokens.size(), begins, labels.size());
    detail::check_rows("texts", rows, labels.size());
    if constexpr (!In::is_tokens) {
      if (vectors.size() % In::features != 0)
        throw_error("texts: expected vectors of ", In::features, " numbers, found ", vectors.size(), " numbers in all");
      const std::size_t words = vectors.size() / In::features;
      for (const std::int32_t token : tokens)
        if (static_cast<std::size_t>(token) >= words)
          throw_error("texts: expected tokens below ", words, ", the number of vectors, found ", token);
    }
  }

  /// Whether both make the same samples of the same memory.
  bool is(const TextsView& other) const {
    using detail::is_same_memory;
    return is_same_memory(tokens, other.tokens) && is_same_memory(begins, other.begins) &&
           is_same_memory(labels, other.labels) && is_same_memory(vectors, other.vectors) &&
           is_same_memory(rows, other.rows) && reads_last == other.reads_last;
  }

  /// The tokens that the network reads of a sample.
  std::span<const std::int32_t> read(std::size_t index) const {
    const std::size_t row = rows[index];
    const auto part = detail::ReadTokens::of(begins[row], begins[row + 1], steps, reads_last);
    return tokens.subspan(part.begin, part.count);
  }

  void load(std::size_t index, SampleSlot<In, Scalar>& slot) const {
    const auto those = read(index);
    auto* to = slot.input;
    if constexpr (In::is_tokens) {
      to = std::ranges::copy(those, to).out;
    } else {
      for (const std::int32_t token : those)
        for (const float value : vectors.subspan(static_cast<std::size_t>(token) * In::features, In::features))
          *to++ = static_cast<Scalar>(value);
    }
    std::fill(to, slot.input + In::elements, 0);
    slot.length = static_cast<std::int32_t>(those.size());
    if (slot.target_count > 0) slot.targets[0] = static_cast<Scalar>(labels[rows[index]]);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
