// The functions of batches give the same bits with every compiler and every release of xsimd: all that trained weights
// depend on. Where products are fused and where they are not, there is one list of bits each.
#include <doctest/doctest.h>

#include <aila/backend/cpu/simd/simd.hpp>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>

namespace {

using namespace aila;
using Arch = simd::DefaultArch;

struct Bits {
  std::uint64_t exp, log, log1p, erf, tanh, tanh_gate, sigmoid_gate;
  bool operator==(const Bits&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Bits& b) {
  out << std::hex;
  for (const auto hash : {b.exp, b.log, b.log1p, b.erf, b.tanh, b.tanh_gate, b.sigmoid_gate})
    out << "0x" << hash << ", ";
  return out;
}

/// FNV-1a over f of numbers of every magnitude and sign, infinities and NaN among them; all NaN are one.
template <class S, class F>
std::uint64_t bits_of(F f) {
  using Word = std::conditional_t<sizeof(S) == 4, std::uint32_t, std::uint64_t>;
  constexpr std::size_t W = simd::width<S, Arch>, count = 1U << 16U;
  // An odd step through all bit patterns, of which the first are the ends of every range.
  constexpr auto step = static_cast<Word>(sizeof(S) == 4 ? 65539U : 0x1000300050007U);
  std::uint64_t hash = 0xcbf29ce484222325U;
  alignas(64) S x[W], y[W];
  for (std::size_t i = 0; i < count; i += W) {
    for (std::size_t lane = 0; lane < W; ++lane) {
      const std::size_t n = i + lane;
      x[lane] = std::bit_cast<S>(static_cast<Word>(static_cast<Word>(n) * step));
      if (std::fpclassify(x[lane]) == FP_SUBNORMAL) x[lane] = static_cast<S>(n);
      if (n % 2 == 1) x[lane] = (static_cast<S>(n) - S(count / 2)) / S(sizeof(S) == 4 ? 367 : 45);
    }
    simd::store(y, simd::Batch<S, Arch>(f(simd::load<S, Arch>(x))));
    for (const S value : y) hash = (hash ^ (std::isnan(value) ? 1U : std::bit_cast<Word>(value))) * 0x100000001b3U;
  }
  return hash;
}

template <class S>
Bits all_bits() {
  return {
      bits_of<S>([](auto v) { return math::exp(v); }),         bits_of<S>([](auto v) { return math::log(v); }),
      bits_of<S>([](auto v) { return math::log1p(v); }),       bits_of<S>([](auto v) { return math::erf(v); }),
      bits_of<S>([](auto v) { return math::tanh(v); }),        bits_of<S>([](auto v) { return simd::tanh_gate(v); }),
      bits_of<S>([](auto v) { return simd::sigmoid_gate(v); })};
}

}  // namespace

TEST_CASE("every function of float has the bits that it always had") {
  const Bits bits = all_bits<float>();
#if !defined(__x86_64__)  // xsimd divides by approximation on NEON
  CHECK(bits.exp == 0x57ef6ef28f6334e8);
#elif defined(__FMA__)
  CHECK(bits == Bits{0x57ef6ef28f6334e8, simd::is_avx512<Arch> ? 0xb365d7044bf224de : 0x5046562251c3ef30,
                     0xb4eda987754513d, 0x9f4b8387912927fc, 0x275ba9bde0af791d, 0x275ba9bde0af791d,
                     0x8748db7d8ec1e13d});
#else
  CHECK(bits == Bits{0xc668fafe60375b8c, 0x7a963d3eb51d09d4, 0x9be907c15dbdd45d, 0x5d3bd00141071fb9, 0x3e5935e386040692,
                     0x3e5935e386040692, 0xf892cf27d6cda5dd});
#endif
}

TEST_CASE("every function of double has the bits that it always had") {
  const Bits bits = all_bits<double>();
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  CHECK(bits == Bits{0x90fb6d47a8b62ac5, simd::is_avx512<Arch> ? 0xb33fc5083c2366ef : 0xfc44592c873b94a7,
                     0x73fd21b50f274777, 0xd3f12692a2e27a11, 0xd5f67d3e99ce2e72, 0xd5f67d3e99ce2e72,
                     0xda072329b3720bb});
#else
  CHECK(bits == Bits{0x4f3a5caae2c74893, 0xe97990a791031e99, 0xf47f6362b13022f7, 0x94437143dbffca31, 0x980eab85535481ad,
                     0x980eab85535481ad, 0x9d96579ea8e6d497});
#endif
}

TEST_CASE_TEMPLATE("a logarithm is right below the smallest normal number, too", S, float, double) {
  const S tiny = std::numeric_limits<S>::min() / S(256);
  S lanes[simd::width<S, Arch>];
  simd::store(lanes, simd::log(simd::broadcast<S, Arch>(tiny)));
  CHECK(lanes[0] == doctest::Approx(std::log(tiny)).epsilon(sizeof(S) == 4 ? 1e-7 : 1e-15));
}
