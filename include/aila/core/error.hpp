// The one exception type of the library, and the one place that throws and catches.
#pragma once

#include "macros_aside.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

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

/// Throws on what was caught.
[[noreturn]] inline void rethrow() {
#if defined(__cpp_exceptions)
  throw;
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

/// f(); where it throws an E, otherwise() in its place.
template <class E, class F, class Otherwise>
void catching_only(F&& f, [[maybe_unused]] Otherwise&& otherwise) {
#if defined(__cpp_exceptions)
  try {
    f();
  } catch (const E&) {
    otherwise();
  }
#else
  f();
#endif
}

/// A phrase of a sentence: text, or a number as std::to_string writes it.
class Phrase {
 public:
  Phrase(std::string_view text) : text_(text.data()), size_(text.size()) {}
  Phrase(const char* text) : Phrase(std::string_view(text)) {}
  Phrase(const std::string& text) : Phrase(std::string_view(text)) {}
  Phrase(char) = delete;  // a number or a text?
  template <std::signed_integral T>
  Phrase(T number) : sort_(Sort::integer), integer_(number) {}
  template <std::unsigned_integral T>
  Phrase(T number) : sort_(Sort::natural), natural_(number) {}
  template <std::floating_point T>
  Phrase(T number) : sort_(Sort::real), real_(static_cast<double>(number)) {}

  void add_to(std::string& sentence) const {
    if (sort_ == Sort::text) sentence.append(text_, size_);
    if (sort_ == Sort::integer) sentence += std::to_string(integer_);
    if (sort_ == Sort::natural) sentence += std::to_string(natural_);
    if (sort_ == Sort::real) sentence += std::to_string(real_);
  }

 private:
  enum class Sort : std::uint8_t { text, integer, natural, real };
  Sort sort_ = Sort::text;
  union {
    const char* text_;
    std::int64_t integer_;
    std::uint64_t natural_;
    double real_;
  };
  std::size_t size_ = 0;
};

/// One function: code that puts a sentence together in line is many times that of the check before it.
[[gnu::cold, gnu::noinline]] inline std::string sentence_of(std::initializer_list<Phrase> phrases) {
  std::string sentence;
  for (const Phrase& phrase : phrases) phrase.add_to(sentence);
  return sentence;
}
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_sentence(std::initializer_list<Phrase> phrases) {
  throw_as<Error>(sentence_of(phrases));
}

}  // namespace detail

/// Throws Error, as all of the library does, of a sentence of these phrases, texts and numbers; see detail::throw_as
/// for where there are no exceptions.
template <class... Phrases>
[[noreturn]] void throw_error(const Phrases&... phrases) {
  detail::throw_sentence({detail::Phrase(phrases)...});
}

/// Extents as messages show them: "[256, 64]".
[[gnu::cold, gnu::noinline]] inline std::string extents_text(const std::size_t* extents, std::size_t rank) {
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text.append(i > 0 ? ", " : "").append(std::to_string(extents[i]));
  return text + "]";
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
