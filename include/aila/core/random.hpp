// Random numbers as a function of what they are for: the same draw whatever the threads, groups, tiles, ranks and
// backend.
#pragma once

#include "macros_aside.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "as_size.hpp"
#include "config.hpp"
#include "math.hpp"
#include "philox.hpp"

namespace aila::inline v0 {

/// The one number that all randomness of a model or a training run comes from.
struct Seed {
  std::uint64_t value = 0;
};

/// What numbers are drawn for. Draws for different purposes are independent. The values are part of every pinned
/// result.
enum class Purpose : std::uint32_t { initialise = 0, dropout = 1, shuffle = 2, augment = 3, loss = 4, user = 5 };

/// FNV-1a, 64 bits, of a layer's or tensor's path such as "stack.2.core.weight_hh".
constexpr std::uint64_t hash_path(std::string_view path) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// Draws addressed by (sample, element): the sample's index in the whole batch or data set, and the element inside the
/// sample. Stateless: 8 bytes, copied freely, used from any thread or device. All bits are pinned, for every compiler
/// and processor with IEEE 754 arithmetic, whatever it contracts (options that change values, such as -ffast-math, are
/// another matter). `bits`, `uniform` and `normal` cut the same blocks: use one kind of draw per Random.
class Random {
 public:
  /// `step` is the training step or epoch, `path` a hash_path; 0 where there is none.
  constexpr Random(Seed seed, Purpose purpose, std::uint64_t step, std::uint64_t path) {
    const auto stream = detail::philox4x32({{low(path), high(path), static_cast<std::uint32_t>(purpose), 0}},
                                           low(seed.value), high(seed.value));
    const auto key =
        detail::philox4x32({{low(step), high(step), stream.word[2], stream.word[3]}}, stream.word[0], stream.word[1]);
    key0_ = key.word[0];
    key1_ = key.word[1];
  }

  /// Block `number` of a sample: four words. The counter is (number, sample), 64 bits each.
  constexpr std::array<std::uint32_t, 4> block(std::uint64_t sample, std::uint64_t number) const {
    const auto w = words(sample, number);
    return {w.word[0], w.word[1], w.word[2], w.word[3]};
  }

  /// 32 uniform bits: word element % 4 of block element / 4. The cheap draw; for dropout compare it with a threshold.
  constexpr std::uint32_t bits(std::uint64_t sample, std::uint64_t element) const {
    return words(sample, element / 4).word[element % 4];
  }

  /// Uniform in [0, 1): a multiple of 2^-53, from half element % 2 of block element / 2.
  constexpr double uniform(std::uint64_t sample, std::uint64_t element) const {
    const auto w = words(sample, element / 2);
    return static_cast<double>(half(w, element % 2) >> 11) * 0x1p-53;
  }

  /// Standard normal: by Box and Muller, cosine for even elements and sine for odd ones of block element / 2; |normal|
  /// < 8.6. Only + - * /, fma and sqrt, which IEEE 754 rounds exactly; each a * b + c is one fma, so there is nothing
  /// to contract.
  constexpr double normal(std::uint64_t sample, std::uint64_t element) const {
    const auto w = words(sample, element / 2);
    const double radius = math::sqrt(minus_two_log((half(w, 0) >> 11) + 1));
    // fma with zero instead of a product: what a caller adds to it cannot be fused with it
    return math::fma(radius, turn(half(w, 1) + (element % 2 != 0 ? std::uint64_t{3} << 62 : 0)), 0.0);
  }

 private:
  static constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
  static constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

  constexpr detail::PhiloxWords words(std::uint64_t sample, std::uint64_t number) const {
    return detail::philox4x32({{low(number), high(number), low(sample), high(sample)}}, key0_, key1_);
  }

  static constexpr std::uint64_t half(const detail::PhiloxWords& w, std::uint64_t which) {
    return (std::uint64_t{w.word[2 * which + 1]} << 32) | w.word[2 * which];
  }

  /// -2 log(n / 2^53) for 1 <= n <= 2^53.
  static constexpr double minus_two_log(std::uint64_t n) {
    int doublings = 0;
    while (n < 0x16a09e667f3bcd) {  // 2^52.5, so that m lies between 1/sqrt(2) and sqrt(2)
      n *= 2;
      ++doublings;
    }
    const double m = static_cast<double>(n) * 0x1p-53;
    const double s = (m - 1) / (m + 1);  // log m = 2 atanh s
    const double z = s * s;
    constexpr double inverse[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                                  1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
    double series = 1.0 / 25;
    for (int k = 10; k >= 0; --k) series = math::fma(series, z, inverse[k]);
    const double atanh = math::fma(s * z, series, s);
    return math::fma(2.0 * doublings, 0x1.62e42fefa39efp-1, -4 * atanh);
  }

  /// cos(2 pi n / 2^64): the nearest quarter turn, and a rest within an eighth of a turn.
  static constexpr double turn(std::uint64_t n) {
    const std::uint64_t quarter = (n + (std::uint64_t{1} << 61)) >> 62;
    const auto rest = static_cast<std::int64_t>(n << 2) >> 11;  // signed, 53 bits: exact as double
    const double angle = static_cast<double>(rest) * (0x1p-53 * 0x1.921fb54442d18p+0);
    const double z = angle * angle;
    const bool odd = quarter % 2 != 0;
    constexpr double ratio[2][9] = {
        {-1.0 / 2, -1.0 / 12, -1.0 / 30, -1.0 / 56, -1.0 / 90, -1.0 / 132, -1.0 / 182, -1.0 / 240, -1.0 / 306},
        {-1.0 / 6, -1.0 / 20, -1.0 / 42, -1.0 / 72, -1.0 / 110, -1.0 / 156, -1.0 / 210, -1.0 / 272, -1.0 / 342}};
    double series = 1;  // cosine: 1 - z/2 (1 - z/12 (...)); sine: angle (1 - z/6 (1 - z/20 (...)))
    for (int k = 8; k >= 1; --k) series = math::fma(z * series, ratio[odd ? 1 : 0][k], 1.0);
    const double unit = odd ? angle : 1;
    const double value = math::fma(z * series, ratio[odd ? 1 : 0][0] * unit, unit);
    return quarter == 1 || quarter == 2 ? -value : value;
  }

  std::uint32_t key0_ = 0;
  std::uint32_t key1_ = 0;
};

/// Fills `order` with 0 .. n-1 shuffled, every order equally likely: what epoch `epoch` reads. The same on every
/// platform.
constexpr void permutation(Seed seed, std::uint64_t epoch, std::span<std::size_t> order) {
  const Random random{seed, Purpose::shuffle, epoch, 0};
  for (std::size_t i = 0; i < order.size(); ++i) {  // Fisher and Yates, from the front
    const std::uint64_t bound = i + 1;
    std::uint64_t draw = 0;
    for (std::uint64_t attempt = 0;; ++attempt) {
      const auto word = random.block(i, attempt);
      draw = (std::uint64_t{word[1]} << 32) | word[0];
      // the first 2^64 mod bound values would make small remainders likelier: drawn anew
      if (draw >= bound || draw >= (0 - bound) % bound) break;
    }
    const std::size_t j = detail::as_size(draw % bound);
    order[i] = i;  // joins the first i numbers, already in random order, by trading places
    const std::size_t other = order[j];
    order[j] = i;
    order[i] = other;
  }
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
