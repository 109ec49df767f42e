// Memory that is not to be had is an error like any other: one sentence.
#pragma once

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>

#include "error.hpp"

namespace aila::inline v0::detail {

[[noreturn]] inline void refuse_memory(const char* who, std::size_t count, const char* what) {
  throw Error(std::string(who) + ": expected no more than this machine has memory for, found " + std::to_string(count) +
              " " + what);
}

/// What f gives, which takes memory for `count` of something. Where there is not so much, Error says who asked for how
/// many of what: "predictor: expected no more than this machine has memory for, found 18446744073709551615 samples".
template <class F>
constexpr decltype(auto) taking(const char* who, std::size_t count, const char* what, F&& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    refuse_memory(who, count, what);
  } catch (const std::length_error&) {
    refuse_memory(who, count, what);
  }
}

}  // namespace aila::inline v0::detail
