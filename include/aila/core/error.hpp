// The one exception type of the library, and the one place that throws and catches.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>

#include "config.hpp"

namespace aila::inline v0 {

/// Thrown at the edges (files, options, data). The message is one sentence: what was expected, what was found, where.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Throws an E of these arguments. Where exceptions are off (-fno-exceptions) nobody could catch it: std::terminate.
template <class E, class... Arguments>
[[noreturn]] void throw_as([[maybe_unused]] const Arguments&... arguments) {
#if defined(__cpp_exceptions)
  throw E(arguments...);
#else
  std::terminate();
#endif
}

/// f(); an E that it throws is thrown on as an Error of the sentence that sentence(e) gives.
template <class E, class F, class Sentence>
constexpr decltype(auto) rephrasing(F&& f, [[maybe_unused]] Sentence&& sentence) {
#if defined(__cpp_exceptions)
  try {
    return f();
  } catch (const E& e) {
    throw_as<Error>(sentence(e));
  }
#else
  return f();
#endif
}

/// f(); where it throws, otherwise() in its place, which may ask for std::current_exception.
template <class F, class Otherwise>
void catching(F&& f, [[maybe_unused]] Otherwise&& otherwise) {
#if defined(__cpp_exceptions)
  try {
    f();
  } catch (...) {
    otherwise();
  }
#else
  f();
#endif
}

}  // namespace detail

/// Throws Error, as all of the library does; see detail::throw_as for where there are no exceptions.
[[noreturn]] inline void throw_error(const std::string& sentence) {
  detail::throw_as<Error>(sentence);
}

/// Extents as messages show them: "[256, 64]".
inline std::string extents_text(const std::size_t* extents, std::size_t rank) {
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text += (i > 0 ? ", " : "") + std::to_string(extents[i]);
  return text + "]";
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
