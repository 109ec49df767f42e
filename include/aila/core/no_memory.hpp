// Memory that is not to be had is an error like any other: one sentence.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "error.hpp"

namespace aila::inline v0::detail {

/// Memory that is not the program's, and that is not to be had: whose, and what it was asked for. Who knows what for
/// says that too, by `taking`.
struct NoMemory : Error {
  NoMemory(const std::string& sentence, std::string of, std::string found)
      : Error(sentence), where(std::move(of)), asked(std::move(found)) {}
  std::string where;  ///< "device 1 (NVIDIA H200)"
  std::string asked;  ///< "4096 bytes at once, 1024 free"
};

/// What make() gives; throws Error with sentence() where it asks for more memory than there is.
template <class Make, class Sentence>
constexpr auto or_no_memory(Make&& make, Sentence&& sentence) {
  const auto instead = [&](const auto&) { return sentence(); };
  return rephrasing<std::bad_alloc>([&] { return rephrasing<std::length_error>(make, instead); }, instead);
}

/// A function, not copies of its code: every network has several takers of memory.
[[gnu::noinline]] inline std::string no_memory_for(const char* who, std::size_t count, const char* what,
                                                   const NoMemory* of = nullptr) {
  return std::string(who) + ": expected no more than " + (of == nullptr ? "this machine" : of->where) +
         " has memory for, found " + std::to_string(count) + " " + what + (of == nullptr ? "" : " (" + of->asked + ")");
}

/// The same of memory for `count` of something: "predictor: expected no more than this machine has memory for, found
/// 18446744073709551615 samples".
template <class Make>
constexpr auto taking(const char* who, std::size_t count, const char* what, Make&& make) {
  return rephrasing<NoMemory>([&] { return or_no_memory(make, [&] { return no_memory_for(who, count, what); }); },
                              [&](const NoMemory& of) { return no_memory_for(who, count, what, &of); });
}

/// f(); where it takes memory that a device does not have, otherwise() in its place.
template <class F, class Otherwise>
void where_there_is_room(F&& f, Otherwise&& otherwise) {
  catching_only<NoMemory>(f, otherwise);
}

}  // namespace aila::inline v0::detail

#include "macros_back.hpp"
