// Memory that is not to be had is an error like any other: one sentence.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>

#include "error.hpp"

namespace aila::inline v0::detail {

/// What make() gives; throws Error with sentence() where it asks for more memory than there is.
template <class Make, class Sentence>
constexpr auto or_no_memory(Make&& make, Sentence&& sentence) {
  const auto instead = [&](const auto&) { return sentence(); };
  return rephrasing<std::bad_alloc>([&] { return rephrasing<std::length_error>(make, instead); }, instead);
}

/// A function, not copies of its code: every network has several takers of memory.
[[gnu::noinline]] inline std::string no_memory_for(const char* who, std::size_t count, const char* what) {
  return std::string(who) + ": expected no more than this machine has memory for, found " + std::to_string(count) +
         " " + what;
}

/// The same of memory for `count` of something: "predictor: expected no more than this machine has memory for, found
/// 18446744073709551615 samples".
template <class Make>
constexpr auto taking(const char* who, std::size_t count, const char* what, Make&& make) {
  return or_no_memory(make, [&] { return no_memory_for(who, count, what); });
}

}  // namespace aila::inline v0::detail

#include "macros_back.hpp"
