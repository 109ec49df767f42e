#include <doctest/doctest.h>
#include <aila/backend/cpu/simd/simd.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace simd_test {
using namespace aila;

namespace {

using Arch = simd::DefaultArch;

// One body for a scalar and a batch, called as a user's policy would call it.
template <class S>
S through_every_name(S x) {
  using namespace aila::math;
  return fma(exp(-x), tanh(x), sqrt(abs(x))) + sigmoid(x) * erf(x) + softplus(max(x, min(x, S(1)))) +
         log(abs(x) + S(1)) + select(x > S(0), x, S(0));
}

template <class S>
double reference_of_every_name(S value) {
  const double x = value;
  return std::exp(-x) * std::tanh(x) + std::sqrt(std::abs(x)) + std::erf(x) / (1 + std::exp(-x)) +
         std::log1p(std::exp(x)) + std::log(std::abs(x) + 1) + (x > 0 ? x : 0);
}

template <class S, class Function>
S apply(Function function, S x) {
  alignas(64) S lanes[simd::width<S, Arch>];
  simd::store(lanes, function(simd::broadcast<S, Arch>(x)));
  return lanes[0];
}

}  // namespace

TEST_CASE_TEMPLATE("partial loads and stores touch only the lanes they are given", S, float, double) {
  constexpr std::size_t W = simd::width<S, Arch>;
  const S untouched = std::numeric_limits<S>::quiet_NaN();
  for (std::size_t count = 0; count <= W; ++count) {
    std::vector<S> exact(count);  // its end is the end of an allocation: address sanitizers see one Scalar too many
    for (std::size_t i = 0; i < count; ++i) exact[i] = static_cast<S>(i + 1);
    const auto v = simd::load_first<S, Arch>(exact.data(), count);
    std::vector<S> all(W), part(W + 1, untouched);
    simd::store(all.data(), v);
    simd::store_first(part.data(), v, count);
    for (std::size_t i = 0; i < W; ++i) CHECK(all[i] == (i < count ? static_cast<S>(i + 1) : S(0)));
    for (std::size_t i = 0; i < count; ++i) CHECK(part[i] == static_cast<S>(i + 1));
    for (std::size_t i = count; i <= W; ++i) CHECK(std::isnan(part[i]));
  }
}

TEST_CASE_TEMPLATE("fmadd rounds once where the architecture has it", S, float, double) {
  const S e = std::numeric_limits<S>::epsilon();
  const S fused = apply<S>([e](auto x) { return simd::fmadd(x, x, decltype(x)(-1 - 2 * e)); }, 1 + e);
#if defined(__FMA__) || defined(__aarch64__)
  CHECK(fused == e * e);
#else
  CHECK(fused == S(0));
#endif
}

TEST_CASE_TEMPLATE("reductions see every lane", S, float, double) {
  constexpr std::size_t W = simd::width<S, Arch>;
  for (std::size_t peak = 0; peak < W; ++peak) {
    S lanes[W];
    S sum = 0;
    for (std::size_t i = 0; i < W; ++i) sum += lanes[i] = i == peak ? S(100) : -static_cast<S>(i);
    const auto v = simd::load<S, Arch>(lanes);
    CHECK(simd::reduce_add(v) == sum);
    CHECK(math::reduce_add(v) == sum);
    CHECK(simd::reduce_max(v) == S(100));
  }
}

TEST_CASE_TEMPLATE("sums of several registers at once have the bits of one after the other", S, float, double) {
  constexpr std::size_t W = simd::width<S, Arch>;
  simd::Batch<S, Arch> rows[W];
  S alone[W], together[W];
  for (std::size_t r = 0; r < W; ++r) {
    S lanes[W];
    for (std::size_t i = 0; i < W; ++i) lanes[i] = static_cast<S>(std::sin(static_cast<double>(5 * r + 3 * i + 1)));
    rows[r] = simd::load<S, Arch>(lanes);
    alone[r] = simd::reduce_add(rows[r]);
  }
  simd::store(together, simd::sums_of_rows(rows));
  for (std::size_t r = 0; r < W; ++r) CHECK(together[r] == alone[r]);
}

TEST_CASE_TEMPLATE("tiles put a position in each lane, and back, for any number of features and positions", S, float,
                   double) {
  constexpr std::size_t W = simd::width<S, Arch>;
  for (std::size_t features = 1; features <= 2 * W + 1; ++features)
    for (std::size_t valid = 1; valid <= W; ++valid) {
      const std::size_t stride = features + 3;
      std::vector<S> from((valid - 1) * stride + features);
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<S>(i);
      std::vector<simd::Batch<S, Arch>> tile(features);
      simd::load_tile(from.data(), stride, valid, features, tile.data());
      bool right = true;
      for (std::size_t f = 0; f < features; ++f) {
        S lanes[W];
        simd::store(lanes, tile[f]);
        for (std::size_t p = 0; p < W; ++p) right &= lanes[p] == from[std::min(p, valid - 1) * stride + f];
      }
      CHECK(right);
      std::vector<S> stored(from.size(), S(-7)), added(from.size(), S(-7));
      simd::store_tile(stored.data(), stride, valid, features, tile.data());
      simd::add_tile(added.data(), stride, valid, features, tile.data());
      bool back = true;
      for (std::size_t i = 0; i < from.size(); ++i) {
        const bool inside = i % stride < features;
        back &= stored[i] == (inside ? from[i] : S(-7)) && added[i] == (inside ? from[i] - 7 : S(-7));
      }
      CHECK(back);
    }
}

TEST_CASE_TEMPLATE("one body calls the mathematics of batches without qualification", S, float, double) {
  for (double x : {-9.5, -2.25, -0.125, 0.25, 1.5, 8.0}) {
    const double want = reference_of_every_name(static_cast<S>(x));
    const S got = apply<S>([](auto b) { return through_every_name(b); }, static_cast<S>(x));
    CHECK(got == doctest::Approx(want).epsilon(std::is_same_v<S, float> ? 1e-6 : 1e-14));
  }
}

TEST_CASE("tanh in float is accurate everywhere, odd, at most 1, and keeps a NaN") {
  double absolute = 0, relative = 0, largest = 0, oddness = 0;
  for (double x = 1e-30; x < 30; x *= 1.0003) {
    const auto value = static_cast<float>(x);
    const double got = apply<float>([](auto b) { return math::tanh(b); }, value), want = std::tanh(double{value});
    absolute = std::max(absolute, std::abs(got - want));
    relative = std::max(relative, std::abs(got / want - 1));
    largest = std::max(largest, got);
    oddness = std::max(oddness, std::abs(got + apply<float>([](auto b) { return math::tanh(b); }, -value)));
  }
  CHECK(absolute < 3e-7);
  CHECK(relative < 3.5e-7);
  CHECK(largest <= 1);
  CHECK(oddness == 0);
  CHECK(std::isnan(apply<float>([](auto b) { return math::tanh(b); }, std::numeric_limits<float>::quiet_NaN())));
  CHECK(apply<float>([](auto b) { return math::tanh(b); }, std::numeric_limits<float>::infinity()) ==
        doctest::Approx(1));
}

TEST_CASE_TEMPLATE("sigmoid keeps its relative accuracy for negative arguments; gates keep the absolute one", S, float,
                   double) {
  constexpr bool single = std::is_same_v<S, float>;
  double relative = 0, absolute = 0;
  for (double x = single ? -80 : -700; x < 40; x += 0.037) {
    const double want = 1 / (1 + std::exp(-double{static_cast<S>(x)}));
    relative =
        std::max(relative, std::abs(apply<S>([](auto b) { return math::sigmoid(b); }, static_cast<S>(x)) / want - 1));
    absolute =
        std::max(absolute, std::abs(apply<S>([](auto b) { return simd::sigmoid_gate(b); }, static_cast<S>(x)) - want));
  }
  CHECK(relative < (single ? 5e-7 : 2e-15));
  CHECK(absolute < (single ? 2e-7 : 1e-15));
  CHECK(apply<S>([](auto b) { return math::sigmoid(b); }, S(-1e4)) == 0);
  CHECK(apply<S>([](auto b) { return math::sigmoid(b); }, S(1e4)) == 1);
  CHECK(std::isnan(apply<S>([](auto b) { return simd::sigmoid_gate(b); }, std::numeric_limits<S>::quiet_NaN())));
}

TEST_CASE_TEMPLATE("softplus is accurate on both sides", S, float, double) {
  for (double x : {-60.0, -5.0, -1e-3, 0.0, 0.7, 20.0, 500.0}) {
    const double v = static_cast<S>(x), want = std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v)));
    const double got = apply<S>([](auto b) { return math::softplus(b); }, static_cast<S>(x));
    CHECK(std::abs(got - want) <= want * (std::is_same_v<S, float> ? 4e-7 : 1e-15));
  }
}

TEST_CASE_TEMPLATE("a NaN stays one through every function, and limits at infinity hold", S, float, double) {
  const S nan = std::numeric_limits<S>::quiet_NaN(), infinity = std::numeric_limits<S>::infinity();
  CHECK(std::isnan(apply<S>([](auto b) { return math::exp(b); }, nan)));
  CHECK(std::isnan(apply<S>([](auto b) { return math::log(b); }, nan)));
  CHECK(std::isnan(apply<S>([](auto b) { return math::log1p(b); }, nan)));
  CHECK(std::isnan(apply<S>([](auto b) { return math::erf(b); }, nan)));
  CHECK(std::isnan(apply<S>([](auto b) { return math::tanh(b); }, nan)));
  CHECK(std::isnan(apply<S>([](auto b) { return math::sigmoid(b); }, nan)));
  CHECK(std::isnan(apply<S>([](auto b) { return math::softplus(b); }, nan)));
  CHECK(std::isnan(apply<S>([](auto b) { return simd::sigmoid_gate(b); }, nan)));
  CHECK(std::isnan(apply<S>([](auto b) { return simd::tanh_gate(b); }, nan)));
  CHECK(apply<S>([](auto b) { return math::exp(b); }, -infinity) == 0);
  CHECK(apply<S>([](auto b) { return math::exp(b); }, infinity) == infinity);
  CHECK(apply<S>([](auto b) { return math::log(b); }, S(0)) == -infinity);
  CHECK(std::isnan(apply<S>([](auto b) { return math::log(b); }, S(-1))));
  CHECK(apply<S>([](auto b) { return math::erf(b); }, infinity) == 1);
}
}  // namespace simd_test
