// What every loader promises for any bytes: it reads them, or refuses them by one aila::Error of one sentence.
#pragma once

#include <aila/core/error.hpp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace aila_fuzz {

/// Ends the process, which fuzzers and tests notice, where a promise is broken.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// Calls a loader. Any exception but aila::Error gets through, and ends the process.
template <class Load>
void keeps_promise(Load&& load) {
  try {
    load();
  } catch (const aila::Error& error) {
    const std::string_view message = error.what();
    require(!message.empty() && message.size() < 1000, "a message has a length");
    for (const char c : message) require(static_cast<unsigned char>(c) >= 0x20, "a message is one line");
  }
}

}  // namespace aila_fuzz
