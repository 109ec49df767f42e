// Philox4x32-10: a random function of a counter and a key.
#pragma once

#include "macros_aside.hpp"

#include <array>
#include <cstdint>

#include "config.hpp"

namespace aila::inline v0 {

namespace detail {

// Plain members: std::array's are host functions, which device code may not call without a compiler option.
struct PhiloxWords {
  std::uint32_t word[4];
};

constexpr PhiloxWords philox4x32(PhiloxWords c, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c.word[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c.word[2];
    c = {{static_cast<std::uint32_t>(b >> 32) ^ c.word[1] ^ key0, static_cast<std::uint32_t>(b),
          static_cast<std::uint32_t>(a >> 32) ^ c.word[3] ^ key1, static_cast<std::uint32_t>(a)}};
    key0 += 0x9E3779B9;  // the golden ratio and sqrt(3) - 1, as fractions of 2^32
    key1 += 0xBB67AE85;
  }
  return c;
}

}  // namespace detail

/// Four independent uniform 32-bit words of a 128-bit counter and a 64-bit key; least significant words first.
/// A bijection of the counter for every key. About 10 ns. Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
/// easy as 1, 2, 3", SC 2011; ten rounds.
constexpr std::array<std::uint32_t, 4> philox4x32(const std::array<std::uint32_t, 4>& counter,
                                                  const std::array<std::uint32_t, 2>& key) {
  const auto [word] = detail::philox4x32({{counter[0], counter[1], counter[2], counter[3]}}, key[0], key[1]);
  return {word[0], word[1], word[2], word[3]};
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
