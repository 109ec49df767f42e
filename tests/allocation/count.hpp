// Counts what this program takes from the heap, on all threads.
#pragma once

#include <cstddef>

namespace allocation {

/// False where the heap belongs to a sanitizer, or to a library whose functions cannot be replaced.
bool is_counted();
/// Calls of operator new, malloc, calloc, realloc and their aligned kin so far.
std::size_t count();

/// How many of these calls f makes.
template <class F>
std::size_t count_of(F&& f) {
  const std::size_t before = count();
  f();
  return count() - before;
}

}  // namespace allocation
