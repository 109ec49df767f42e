// Addressed random numbers: pinned bits, moments, independence and shuffles.
#include <doctest/doctest.h>

#include <aila/core/philox.hpp>
#include <aila/core/random.hpp>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using namespace aila;

namespace {

constexpr Random weights{Seed{7}, Purpose::initialise, 0, hash_path("stack.2.core.weight_hh")};

constexpr std::uint64_t bits_of(double x) {
  return std::bit_cast<std::uint64_t>(x);
}

constexpr bool is_permutation_of_indices(std::span<const std::size_t> order) {
  for (std::size_t wanted = 0; wanted < order.size(); ++wanted) {
    std::size_t found = 0;
    for (std::size_t x : order) found += x == wanted ? 1 : 0;
    if (found != 1) return false;
  }
  return true;
}

constexpr std::array<std::size_t, 10> ten(std::uint64_t seed, std::uint64_t epoch) {
  std::array<std::size_t, 10> order{};
  permutation(Seed{seed}, epoch, order);
  return order;
}

/// An FNV-1a hash of many draws: one number that pins them all.
template <class Draw> std::uint64_t fingerprint(Draw draw, std::uint64_t count) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::uint64_t i = 0; i < count; ++i) hash = (hash ^ draw(i)) * 0x100000001b3;
  return hash;
}

}  // namespace

static_assert(hash_path("") == 0xcbf29ce484222325);
static_assert(hash_path("a") == 0xaf63dc4c8601ec8c);  // published FNV-1a vectors
static_assert(hash_path("foobar") == 0x85944171f73967e8);
static_assert(static_cast<std::uint32_t>(Purpose::initialise) == 0 && static_cast<std::uint32_t>(Purpose::user) == 5);

static_assert(weights.block(0, 0) == std::array<std::uint32_t, 4>{0x4f4480c3, 0xceeb5ecb, 0xe3efe139, 0x52928e});
static_assert(Random{Seed{~0ull}, Purpose::user, ~0ull, ~0ull}.block(~0ull, ~0ull) ==
              std::array<std::uint32_t, 4>{0xbc259ef7, 0x406d8d97, 0x75fb9b1f, 0xcd5c4e9e});
static_assert(weights.bits(3, 5) == 0x32d54fa0);
static_assert(bits_of(weights.uniform(3, 5)) == 0x3fdb1d3336af4e48);
static_assert(bits_of(weights.normal(3, 0)) == 0x3ff4c10c729fd556);
static_assert(bits_of(weights.normal(3, 1)) == 0xbff443b38f81f560);
static_assert(bits_of(weights.normal(3, 2)) == 0x3ff96db094b5714f);
static_assert(bits_of(weights.normal(3, 3)) == 0x3feaea439b7cb8cd);
static_assert(ten(7, 0) == std::array<std::size_t, 10>{5, 4, 3, 9, 1, 2, 6, 8, 0, 7});
static_assert(is_permutation_of_indices(ten(8, 1)));

TEST_CASE("many draws have their pinned bits at run time") {
  CHECK(fingerprint([](std::uint64_t i) { return weights.bits(i / 100, i % 100); }, 10'000) == 0x1477950a79cdee22);
  CHECK(fingerprint([](std::uint64_t i) { return bits_of(weights.uniform(i / 100, i % 100)); }, 10'000) ==
        0xfad82aef19cf383d);
  CHECK(fingerprint([](std::uint64_t i) { return bits_of(weights.normal(i / 100, i % 100)); }, 100'000) ==
        0xda59e04938c6d2e2);
  std::vector<std::size_t> order(10'000);
  permutation(Seed{3}, 5, order);
  CHECK(fingerprint([&](std::uint64_t i) { return std::uint64_t{order[i]}; }, order.size()) == 0x416201d1464d68bb);
}

TEST_CASE("a normal draw added to something is not fused with it") {
  double sum = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const volatile double separate = weights.normal(0, i);
    sum += (weights.normal(0, i) + 3.0) - (separate + 3.0);
    CHECK(bits_of(weights.normal(0, i) + 3.0) == bits_of(separate + 3.0));
  }
  CHECK(sum == 0);
}

TEST_CASE("bits and uniform are cut from the blocks as documented") {
  for (std::uint64_t element = 0; element < 40; ++element) {
    const auto word = weights.block(9, element / 4);
    CHECK(weights.bits(9, element) == word[element % 4]);
    const auto pair = weights.block(9, element / 2);
    const std::uint64_t whole = (std::uint64_t{pair[element % 2 * 2 + 1]} << 32) | pair[element % 2 * 2];
    CHECK(weights.uniform(9, element) == std::ldexp(static_cast<double>(whole >> 11), -53));
  }
}

TEST_CASE("normal draws are Box and Muller's, computed accurately") {
  for (std::uint64_t element = 0; element < 20'000; ++element) {
    const auto word = weights.block(1, element / 2);
    const std::uint64_t first = (std::uint64_t{word[1]} << 32) | word[0];
    const std::uint64_t second = (std::uint64_t{word[3]} << 32) | word[2];
    const double radius = std::sqrt(-2 * std::log(std::ldexp(static_cast<double>((first >> 11) + 1), -53)));
    const long double angle = std::ldexp(static_cast<long double>(second), -64) * 6.283185307179586476925287L;
    const auto turn = static_cast<double>(element % 2 == 0 ? std::cos(angle) : std::sin(angle));
    REQUIRE(std::fabs(weights.normal(1, element) - radius * turn) <= 4e-15);
  }
}

TEST_CASE("normal draws have the moments of the standard normal distribution") {
  constexpr std::uint64_t n = 400'000;
  std::array<double, 4> moment{};
  double product = 0;
  int beyond_two = 0;
  for (std::uint64_t i = 0; i < n; i += 2) {
    const double even = weights.normal(0, i);
    const double odd = weights.normal(0, i + 1);
    product += even * odd;
    for (double x : {even, odd}) {
      for (int k = 0; k < 4; ++k) moment[static_cast<std::size_t>(k)] += std::pow(x, k + 1) / n;
      beyond_two += std::fabs(x) > 2 ? 1 : 0;
    }
  }
  const double unit = 1 / std::sqrt(static_cast<double>(n));  // bounds of four standard errors
  CHECK(std::fabs(moment[0]) < 4 * unit);
  CHECK(std::fabs(moment[1] - 1) < 4 * std::sqrt(2.0) * unit);
  CHECK(std::fabs(moment[2]) < 4 * std::sqrt(15.0) * unit);
  CHECK(std::fabs(moment[3] - 3) < 4 * std::sqrt(96.0) * unit);
  CHECK(std::fabs(product / (n / 2)) < 4 * std::sqrt(2.0) * unit);
  CHECK(std::fabs(static_cast<double>(beyond_two) / n - 0.0455003) < 4 * 0.208 * unit);
}

TEST_CASE("uniform draws fill [0, 1) evenly") {
  constexpr std::uint64_t n = 200'000;
  std::array<int, 50> bin{};
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = weights.uniform(2, i);
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    ++bin[static_cast<std::size_t>(u * 50)];
  }
  double chi_squared = 0;
  for (int count : bin) chi_squared += (count - 4000.0) * (count - 4000.0) / 4000.0;
  CHECK(chi_squared > 22);  // 49 degrees of freedom: 0.05 % on either side
  CHECK(chi_squared < 86);
}

TEST_CASE("seed, purpose, step, path, sample and element each change a draw") {
  const auto draw = [](std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t path) {
    return Random{Seed{seed}, purpose, step, path}.block(3, 4);
  };
  const auto base = draw(1, Purpose::dropout, 2, 3);
  CHECK(base == draw(1, Purpose::dropout, 2, 3));
  constexpr std::uint64_t top = std::uint64_t{1} << 63;
  CHECK(base != draw(1 | top, Purpose::dropout, 2, 3));
  CHECK(base != draw(2, Purpose::dropout, 2, 3));
  CHECK(base != draw(1, Purpose::augment, 2, 3));
  CHECK(base != draw(1, Purpose::dropout, 2 | top, 3));
  CHECK(base != draw(1, Purpose::dropout, 3, 3));
  CHECK(base != draw(1, Purpose::dropout, 2, 3 | top));
  CHECK(base != draw(1, Purpose::dropout, 3, 2));  // step and path are not exchangeable
  const Random random{Seed{1}, Purpose::dropout, 2, 3};
  CHECK(base != random.block(4, 3));
  CHECK(base != random.block(3 | top, 4));
  CHECK(base != random.block(3, 4 | top));
}

TEST_CASE("a permutation holds every index once, for any length") {
  for (unsigned n : {0u, 1u, 2u, 3u, 17u, 1000u}) {
    std::vector<std::size_t> order(n, 12345);
    permutation(Seed{1}, 0, order);
    CHECK(is_permutation_of_indices(order));
  }
}

TEST_CASE("permutations differ between epochs and seeds") {
  CHECK(ten(1, 0) != ten(1, 1));
  CHECK(ten(1, 0) != ten(2, 0));
}

TEST_CASE("all orders of four are equally likely") {
  std::array<int, 256> count{};
  constexpr int epochs = 24'000;
  for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
    std::array<std::size_t, 4> order{};
    permutation(Seed{11}, epoch, order);
    ++count[order[0] + 4 * order[1] + 16 * order[2] + 64 * order[3]];
  }
  double chi_squared = 0;
  int seen = 0;
  for (int n : count) {
    if (n == 0) continue;
    ++seen;
    chi_squared += (n - epochs / 24.0) * (n - epochs / 24.0) / (epochs / 24.0);
  }
  CHECK(seen == 24);
  CHECK(chi_squared < 50);  // 23 degrees of freedom: 0.1 %
}
