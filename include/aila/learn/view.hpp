// What views of images and texts in memory share with each other, and with the sets that they are views of.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <span>

#include "../core/error.hpp"

namespace aila::inline v0::detail {

template <class T>
bool is_same_memory(std::span<T> a, std::span<T> b) {
  return a.data() == b.data() && a.size() == b.size();
}

/// Throws Error for a row that is none of so many: "images: ...".
inline void check_rows(const char* of_what, std::span<const std::size_t> rows, std::size_t size) {
  for (const std::size_t row : rows)
    if (row >= size) throw_error(of_what, ": expected rows below ", size, ", found ", row);
}

/// Throws Error unless there is a text of at least one token for each of so many labels.
inline void check_texts(std::size_t tokens, std::span<const std::size_t> begins, std::size_t labels) {
  if (begins.size() != labels + 1 || begins.front() != 0 || begins.back() != tokens)
    throw_error("texts: expected a text for each of the ", labels, " labels, found ",
                begins.empty() ? 0 : begins.size() - 1, " and ", tokens, " tokens in all");
  for (std::size_t i = 0; i < labels; ++i)
    if (begins[i] >= begins[i + 1])
      throw_error("texts: expected at least one token in each text, text ", i, " has none");
}

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
