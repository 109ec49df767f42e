// Valid steps of samples: what a length may be, for whoever takes one.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "error.hpp"
#include "shape.hpp"

namespace aila::inline v0 {

/// Stands in place of a length: all steps of the sample are valid. No number does.
struct AllSteps {};
inline constexpr AllSteps all_steps{};

namespace detail {

/// A length is a whole number from 1 to the steps T of an input [T, ...] or [T] of tokens; inputs that are no sequence
/// have none. This is the one place that says so; whoever takes a length asks here before the network sees it.
template <class In>
class LengthRule {
 public:
  /// Throws Error, which names the sample, where a length breaks the rule.
  static void check(const char* who, std::int64_t length, std::size_t sample) {
    if (!has_steps) refuse_all(who);
    if (length < 1 || static_cast<std::uint64_t>(length) > In::extents[0]) refuse(who, length, sample);
  }
  /// The same of a length for each of so many samples, or of none at all, which says that all steps are valid.
  static void check(const char* who, std::span<const std::int32_t> lengths, std::size_t samples) {
    if (lengths.empty()) return;
    check_count(who, lengths.size(), samples);
    for (std::size_t i = 0; i < samples; ++i) check(who, lengths[i], i);
  }
  static void check_count(const char* who, std::size_t lengths, std::size_t samples) {
    if (lengths != samples)
      throw_error(who, ": expected a length for each of the ", samples, " samples, found ", lengths);
  }
  /// Whether there may be some at all.
  static void check_some(const char* who, bool some) {
    if (some && !has_steps) refuse_all(who);
  }
  /// The same of a slot that a source has filled: one of an input without steps is left as it was.
  static void check_slot(const char* who, std::int32_t length, std::size_t sample) {
    if (has_steps || length != static_cast<std::int32_t>(In::extents[0])) check(who, length, sample);
  }

 private:
  static constexpr bool has_steps = In::is_tokens || In::rank == 2;

  [[noreturn]] static void refuse(const char* who, std::int64_t length, std::size_t sample) {
    throw_error(who, ": expected lengths from 1 to ", In::extents[0], ", sample ", sample, " has ", length);
  }
  [[noreturn]] static void refuse_all(const char* who) {
    throw_error(who, ": expected no lengths, since an input of shape ", extents_text(In::extents.data(), In::rank),
                " has no steps, found some");
  }
};

}  // namespace detail

}  // namespace aila::inline v0

#include "macros_back.hpp"
