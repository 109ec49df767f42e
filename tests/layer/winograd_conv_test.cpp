// Convolutions that are computed by minimal filtering: the same answers as the formula's.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

#include "gradients.hpp"
#include "one_layer.hpp"

using namespace aila;

namespace {

template <class L, class In, class S = float>
constexpr bool filtered = cpu::uses_winograd<S, simd::DefaultArch>(L::template plan<In>);

static_assert(filtered<Conv<64>, Image<16, 16, 64>> && filtered<Conv<64>, Image<16, 16, 64>, double>);
static_assert(filtered<Conv<64, Stride<2>>, Image<32, 32, 64>> && filtered<Conv<16>, Image<32, 32, 16>>);
static_assert(filtered<Conv<256>, Image<8, 8, 256>> && !filtered<Conv<512>, Image<8, 8, 512>>, "too many weights");
static_assert(!filtered<Conv<64>, Image<32, 32, 3>> && !filtered<Conv<65>, Image<16, 16, 64>>, "no whole vectors");
static_assert(!filtered<Conv<32>, Image<5, 5, 32>> && filtered<Conv<32>, Image<7, 7, 32>>, "mostly outside");
static_assert(!filtered<Conv<16, Stride<2>>, Image<32, 32, 16>>, "transforms take longer than they save");
static_assert(!filtered<Conv<64, Kernel<5>>, Image<16, 16, 64>> && !filtered<Conv<64, Kernel<1>>, Image<16, 16, 64>>);
static_assert(!filtered<Conv<64, Stride<1, 2>>, Image<16, 16, 64>> &&
              !filtered<Conv<64, Stride<3>>, Image<48, 48, 64>>);
static_assert(!filtered<Conv<64, Dilation<2>>, Image<16, 16, 64>> && !filtered<Conv<64, Groups<2>>, Image<16, 16, 64>>);
static_assert(!filtered<Conv<64>, Sequence<256, 64>>);

/// That it is filtered, and right: y, dx, dW and db in float and double, samples alone and beside others. The waves of
/// these tests cancel out: sums are a tenth of the largest of their terms, to which errors belong (those of the direct
/// sum are a third as large here).
template <class L, class In>
void check_filtered(const std::vector<std::size_t>& counts = {1, 2, 5}) {
  static_assert(filtered<L, In> && filtered<L, In, double>);
  CHECK(disagreement<L, In>(counts, 5) == "");
}

}  // namespace

TEST_CASE("filtered convolutions agree with the reference: whole tiles, and tiles over the edges") {
  check_filtered<Conv<16>, Image<8, 8, 16>>();
  check_filtered<Conv<64>, Image<16, 16, 64>>({2});
  check_filtered<Conv<32>, Image<7, 11, 48>>();
  check_filtered<Conv<48, Padding<0>>, Image<10, 18, 32>>();
  check_filtered<Conv<32, Padding<2>, NoBias>, Image<14, 10, 32>>();
  check_filtered<Conv<32, Padding<0, 1>>, Image<6, 4, 32>>();  // one tile
}

TEST_CASE("filtered convolutions of stride 2 agree with the reference") {
  check_filtered<Conv<64, Stride<2>>, Image<16, 16, 64>>({2});
  check_filtered<Conv<64, Stride<2>>, Image<15, 7, 32>>();
  check_filtered<Conv<48, Stride<2>, Padding<0>, NoBias>, Image<9, 17, 64>>();
}

TEST_CASE("wide filtered convolutions, whose weights and sums do not share a cache, agree with the reference") {
  check_filtered<Conv<80>, Image<8, 4, 144>>({2});
  check_filtered<Conv<128, Stride<2>>, Image<8, 8, 128>>({2});
}

TEST_CASE("filtered convolutions have right gradients") {
  using Cpu = backend::CpuDouble;
  static_assert(filtered<Conv<16>, Image<4, 4, 16>, double>);
  CHECK(wrong_gradient<Conv<16>, Image<4, 4, 16>, Cpu>() == "");
}

/// The same where there are too many elements to try each: central differences along directions in which inputs and
/// parameters change together. Outputs are of the second degree there, so the differences are exact.
TEST_CASE("filtered convolutions of stride 2 have right gradients along any direction") {
  using L = Conv<32, Stride<2>>;
  using In = Image<7, 7, 32>;
  static_assert(filtered<L, In, double>);
  const auto functions = LayerFunctions<double>::of<L, In, backend::CpuDouble>();
  OneLayer<double> layer(functions);
  const auto x = wave<double>(layer.inputs(), 0.4), dy = wave<double>(layer.outputs(), 0.7);
  layer.forward(x);
  const auto dx = layer.backward(dy);
  for (std::size_t direction = 1; direction <= 4; ++direction) {
    const double phase = 0.9 * static_cast<double>(direction);
    const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
      return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const auto along = wave<double>(layer.inputs(), phase);
    double expected = dot(dx, along), found = 0;
    for (std::size_t t = 0; t < layer.tensors(); ++t)
      expected += dot(layer.gradient(t), wave<double>(functions.tensor_size[t], 2 * phase));
    for (const double step : {1.0, -1.0}) {
      OneLayer<double> moved(functions);
      auto there = x;
      for (std::size_t i = 0; i < there.size(); ++i) there[i] += step * along[i];
      for (std::size_t t = 0; t < layer.tensors(); ++t) {
        auto parameters = wave<double>(functions.tensor_size[t], 2 * phase);
        for (std::size_t i = 0; i < parameters.size(); ++i)
          parameters[i] = layer.weights()[t][i] + step * parameters[i];
        moved.set(t, parameters);
      }
      found += 0.5 * step * dot(moved.forward(there), dy);
    }
    CAPTURE(direction);
    CHECK(std::abs(expected) > 1);
    CHECK(found == doctest::Approx(expected).epsilon(1e-9));
  }
}

TEST_CASE_TEMPLATE("scales, shifts and an activation fold into a filtered convolution", S, float, double) {
  using In = Image<8, 7, 16>;
  using L = Conv<32>;
  using Backend = backend::CpuOn<simd::DefaultArch, S>;
  using Kernel = KernelFor<Placed<L, In>, Backend>;
  static_assert(std::string_view(Kernel::name) == "cpu convolution, minimal filtering");
  OneLayer<S> layer(LayerFunctions<S>::template of<L, In, Backend>(), 2);
  const auto scale = wave<S>(32, 0.2), shift = wave<S>(32, 0.9), x = wave<S>(2 * In::elements);
  auto expected = layer.forward(x);
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = std::max(expected[i] * scale[i % 32] + shift[i % 32], S(0));
  AlignedArray<S> packed(Kernel::packed + 32), scratch(Kernel::scratch(2, Capability::predict) + 32);
  Kernel::pack(layer.weights(), {scale.data(), shift.data()}, packed.data());
  std::vector<S> y(expected.size() + 16);
  Pass pass;
  pass.samples = 2;
  Kernel::template forward_then<Relu>(pass, packed.data(), x.data(), y.data(), scratch.data());
  y.resize(expected.size());
  CHECK(difference(y, expected) < rounding<S>);
}
