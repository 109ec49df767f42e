// The generator against the known answers published with Random123.
#include <doctest/doctest.h>

#include <aila/core/philox.hpp>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

using aila::philox4x32;
using Words = std::array<std::uint32_t, 4>;

static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
              Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

TEST_CASE("Philox gives the known answers at run time") {
  const volatile std::uint32_t pi = 0x243f6a88;  // not known to the compiler
  CHECK(philox4x32({pi, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("one bit of Philox's counter or key changes about half of its output") {
  const Words counter{1, 2, 3, 4};
  const std::array<std::uint32_t, 2> key{5, 6};
  const Words base = philox4x32(counter, key);
  for (std::size_t bit = 0; bit < 192; ++bit) {
    Words changed_counter = counter;
    std::array<std::uint32_t, 2> changed_key = key;
    const std::uint32_t mask = std::uint32_t{1} << (bit % 32);
    if (bit < 128) {
      changed_counter[bit / 32] ^= mask;
    } else {
      changed_key[(bit - 128) / 32] ^= mask;
    }
    const Words other = philox4x32(changed_counter, changed_key);
    int flips = 0;
    for (std::size_t i = 0; i < 4; ++i) flips += std::popcount(base[i] ^ other[i]);
    CHECK(flips > 32);
    CHECK(flips < 96);
  }
}
