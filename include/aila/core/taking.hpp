// Memory that is not to be had is an error like any other: one sentence.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>

#include "error.hpp"

namespace aila::inline v0::detail {

inline std::string memory_sentence(const char* who, std::size_t count, const char* what) {
  return std::string(who) + ": expected no more than this machine has memory for, found " + std::to_string(count) +
         " " + what;
}

/// What f gives, which takes memory for `count` of something. Where there is not so much, Error says who asked for how
/// many of what: "predictor: expected no more than this machine has memory for, found 18446744073709551615 samples".
template <class F>
constexpr decltype(auto) taking(const char* who, std::size_t count, const char* what, F&& f) {
  const auto sentence = [&](const auto&) { return memory_sentence(who, count, what); };
  return rephrasing<std::bad_alloc>([&]() -> decltype(auto) { return rephrasing<std::length_error>(f, sentence); },
                                    sentence);
}

}  // namespace aila::inline v0::detail

#include "macros_back.hpp"
