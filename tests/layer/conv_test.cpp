#include <doctest/doctest.h>

#include <string>
#include <type_traits>

#include "one_layer.hpp"

using namespace aila;

namespace {

// ---- what the descriptions say

template <class L, class In>
struct Only : Network<In, L> {};
template <class L, class In>
using OutOf = typename Placed<L, In>::Out;

static_assert(std::is_same_v<Conv<8, Stride<2>, Kernel<5>, NoBias>, Conv<8, NoBias, Kernel<5>, Stride<2>>>);
static_assert(std::is_same_v<Conv<8>, Conv<8, Kernel<3>, Groups<1>>>);
static_assert(std::is_same_v<DepthwiseConv<Stride<2>, Padding<0>>, DepthwiseConv<Padding<0>, Stride<2>>>);

static_assert(std::is_same_v<OutOf<Conv<8>, Image<5, 7, 3>>, Image<5, 7, 8>>);
static_assert(std::is_same_v<OutOf<Conv<8>, Sequence<9, 3>>, Sequence<9, 8>>);
static_assert(std::is_same_v<OutOf<Conv<8, Stride<2>>, Image<8, 9, 3>>, Image<4, 5, 8>>);
static_assert(
    std::is_same_v<OutOf<Conv<8, Kernel<3, 5>, Padding<0, 1>, Dilation<2, 1>>, Image<8, 9, 3>>, Image<4, 7, 8>>);
static_assert(std::is_same_v<OutOf<Conv<8, Kernel<5>, Dilation<3>>, Sequence<4, 3>>, Sequence<4, 8>>);
static_assert(std::is_same_v<OutOf<Conv<8, Kernel<2>>, Image<4, 4, 3>>, Image<3, 3, 8>>, "half of an even kernel");
static_assert(std::is_same_v<OutOf<DepthwiseConv<Stride<2, 1>>, Image<8, 8, 6>>, Image<4, 8, 6>>);

static_assert(parameter_count<Only<Conv<8, Kernel<3, 5>>, Image<8, 8, 4>>> == 8 * 4 * 15 + 8);
static_assert(parameter_count<Only<Conv<8, Kernel<3, 5>, Groups<2>, NoBias>, Image<8, 8, 4>>> == 8 * 2 * 15);
static_assert(parameter_count<Only<DepthwiseConv<Kernel<5>>, Sequence<8, 4>>> == 4 * 5 + 4);
static_assert(flops<Only<Conv<8, Stride<2>, Groups<2>>, Image<8, 6, 4>>> == 4 * 3 * 8 * (2 * 2 * 9 + 1));

constexpr auto specs = Placed<Conv<8, Groups<2>, Initial<init::HeNormal>>, Image<8, 8, 4>>::parameters;
static_assert(specs[0].rank == 4 && specs[0].extents == std::array<std::size_t, 4>{8, 2, 3, 3} && specs[0].decays);
static_assert(specs[0].initial == init::he_normal(2 * 9) && specs[1].initial == init::torch_uniform(2 * 9));
static_assert(specs[1].rank == 1 && specs[1].extents[0] == 8 && !specs[1].decays);
static_assert(Placed<Conv<8, Initial<init::GlorotNormal>>, Sequence<8, 4>>::parameters[0].initial ==
              init::glorot_normal(4 * 3, 8 * 3));
static_assert(Placed<Conv<8>, Sequence<8, 4>>::parameters[0].rank == 3);

static_assert(!layer_accepts<Conv<8>, Tokens<4>>() && !layer_accepts<Conv<8>, Vector<4>>());
static_assert(!layer_accepts<Conv<8>, Shape<2, 2, 2, 2>>() && layer_accepts<Conv<8>, Image<1, 1, 1>>());
static_assert(!layer_accepts<Conv<8, Kernel<5>, Padding<1>>, Sequence<2, 4>>());
static_assert(layer_accepts<Conv<8, Kernel<5>, Padding<1>>, Sequence<3, 4>>());
static_assert(!layer_accepts<Conv<8, Groups<3>>, Sequence<9, 6>>() &&
              !layer_accepts<Conv<9, Groups<3>>, Sequence<9, 4>>() &&
              layer_accepts<Conv<9, Groups<3>>, Sequence<9, 6>>());
static_assert(!layer_accepts<Conv<8, Stride<2, 1>>, Sequence<9, 4>>());

static_assert(Conv<8, Stride<2>>::length<Sequence<12, 4>>(7) == 4 &&
              Conv<8, Stride<2>>::length<Sequence<12, 4>>(12) == 6);
static_assert(Conv<8, Padding<0>>::length<Sequence<12, 4>>(7) == 5 &&
              Conv<8, Padding<0>>::length<Sequence<12, 4>>(2) == 0);
static_assert(Conv<8, Padding<2>>::length<Sequence<12, 4>>(0) == 0, "what is empty stays empty");
static_assert(Conv<8>::length<Sequence<12, 4>>(99) == 12, "a length beyond the steps counts as all");

// ---- the formula

/// y by the docstring's formula, of one sample.
std::vector<double> by_formula(const ConvPlan& c, const std::vector<double>& x, const std::vector<double>& w,
                               const std::vector<double>& b) {
  const auto at = [](std::size_t q, std::size_t k, const WindowAxis& a) {
    return static_cast<int>(q * a.stride + k * a.dilation) - static_cast<int>(a.padding);
  };
  std::vector<double> y;
  for (std::size_t row = 0; row < c.y.out(); ++row)
    for (std::size_t column = 0; column < c.x.out(); ++column)
      for (std::size_t o = 0; o < c.outputs; ++o) {
        double sum = b.empty() ? 0 : b[o];
        const std::size_t first = o / c.group_outputs() * c.group_inputs();
        for (std::size_t i = 0; i < c.group_inputs(); ++i)
          for (std::size_t u = 0; u < c.y.kernel; ++u)
            for (std::size_t v = 0; v < c.x.kernel; ++v) {
              const int h = at(row, u, c.y), t = at(column, v, c.x);
              if (h < 0 || t < 0 || h >= static_cast<int>(c.y.in) || t >= static_cast<int>(c.x.in)) continue;
              sum += w[((o * c.group_inputs() + i) * c.y.kernel + u) * c.x.kernel + v] *
                     x[(static_cast<std::size_t>(h) * c.x.in + static_cast<std::size_t>(t)) * c.inputs + first + i];
            }
        y.push_back(sum);
      }
  return y;
}
bool computes_formula(const LayerFunctions<double>& layer, const ConvPlan& c, bool has_bias) {
  OneLayer<double> one(layer);
  const auto x = wave<double>(one.inputs()), w = wave<double>(c.weights(), 0.4);
  const auto b = wave<double>(has_bias ? c.outputs : 0, 0.7);
  one.set(0, w);
  one.set(1, b);
  return difference(one.forward(x), by_formula(c, x, w, b)) < rounding<double>;
}

/// Reference against the formula, the Cpu against Reference: output, and all gradients.
template <class L, class In>
void check_kernels() {
  CHECK(computes_formula(LayerFunctions<double>::of<L, In, backend::Reference<double>>(), L::template plan<In>,
                         L::has_bias));
  CHECK(disagreement<L, In>() == "");
}

}  // namespace

TEST_CASE("convolutions of images compute their formula on both backends") {
  check_kernels<Conv<5>, Image<4, 7, 3>>();
  check_kernels<Conv<17>, Image<5, 5, 18>>();
  check_kernels<Conv<70, Kernel<1>>, Image<3, 3, 33>>();
  check_kernels<Conv<3, Kernel<1>, Stride<2>, NoBias>, Image<5, 6, 2>>();
  check_kernels<Conv<9, Stride<2>>, Image<8, 7, 4>>();
  check_kernels<Conv<6, Kernel<5, 3>, Stride<3, 2>, Padding<3, 0>>, Image<9, 8, 5>>();
  check_kernels<Conv<6, Kernel<4, 2>, Dilation<1, 3>, Stride<2, 3>>, Image<7, 11, 5>>();
  check_kernels<Conv<4, Kernel<3>, Dilation<2>, Stride<4>, Padding<4>>, Image<6, 9, 3>>();
  check_kernels<Conv<8, Groups<2>>, Image<5, 4, 6>>();
  check_kernels<Conv<12, Groups<4>, Stride<2>, NoBias>, Image<5, 6, 4>>();
  check_kernels<Conv<4, Kernel<2>, Stride<3>>, Image<7, 7, 3>>();   // positions that no output reads
  check_kernels<Conv<4, Kernel<5>, Padding<7>>, Image<2, 3, 3>>();  // windows that read nothing
  check_kernels<Conv<4, Kernel<4>, Padding<0>>, Image<4, 4, 3>>();  // one output
}

TEST_CASE("convolutions of sequences compute their formula on both backends") {
  check_kernels<Conv<5>, Sequence<9, 3>>();
  check_kernels<Conv<18, Kernel<5>, Dilation<2>>, Sequence<12, 7>>();
  check_kernels<Conv<7, Kernel<4>, Stride<3>, Padding<1>>, Sequence<14, 4>>();
  check_kernels<Conv<6, Groups<3>, NoBias>, Sequence<150, 9>>();
  check_kernels<Conv<2, Stride<9>>, Sequence<4, 1>>();
}

TEST_CASE("depthwise convolutions compute their formula on both backends") {
  check_kernels<DepthwiseConv<>, Image<4, 7, 3>>();
  check_kernels<DepthwiseConv<Kernel<5, 3>, Stride<2, 3>, Padding<4, 1>>, Image<9, 14, 18>>();
  check_kernels<DepthwiseConv<Kernel<2>, Dilation<3>, Stride<2>, NoBias>, Image<7, 8, 20>>();
  check_kernels<DepthwiseConv<Kernel<13>>, Sequence<29, 37>>();
  check_kernels<DepthwiseConv<Kernel<3>, Stride<4>>, Sequence<9, 1>>();
  check_kernels<Conv<6, Groups<6>>, Image<5, 5, 6>>();
  check_kernels<Conv<12, Groups<6>>, Image<5, 5, 6>>();
}

TEST_CASE("a convolution is a constant expression on the reference backend") {
  constexpr auto run = [] {
    using L = Conv<1, Padding<1>, Stride<2>>;
    using In = Sequence<4, 1>;
    using Kernel = KernelFor<Placed<L, In>, backend::Reference<double>>;
    const double parameters[] = {1, 2, 3, 0.5}, x[] = {1, 2, 3, 4};
    const std::uint32_t offsets[] = {0, 3};
    std::array<double, 2> y{};
    NothingSaved saved;
    Kernel::forward<Capability::predict>(Pass{}, {parameters, offsets}, nullptr, x, y.data(), saved, nullptr);
    return y;
  };
  static_assert(run() == std::array{0.5 + 2 * 1 + 3 * 2, 0.5 + 2 + 2 * 3 + 3 * 4});
}

TEST_CASE_TEMPLATE("scales, shifts and an activation fold into the CPU's convolution", S, float, double) {
  const auto check = []<class L, class In>(std::type_identity<L>, std::type_identity<In>) {
    using Backend = backend::CpuOn<simd::DefaultArch, S>;
    using Kernel = KernelFor<Placed<L, In>, Backend>;
    OneLayer<S> layer(LayerFunctions<S>::template of<L, In, Backend>(), 2);
    constexpr std::size_t features = OutOf<L, In>::features;
    const auto scale = wave<S>(features, 0.2), shift = wave<S>(features, 0.9), x = wave<S>(2 * In::elements);
    auto expected = layer.forward(x);
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i] = std::max(expected[i] * scale[i % features] + shift[i % features], S(0));
    AlignedArray<S> packed(Kernel::packed + 32), scratch(Kernel::scratch(2, Capability::predict) + 32);
    Kernel::pack(layer.weights(), {scale.data(), shift.data()}, packed.data());
    std::vector<S> y(expected.size() + 16);
    Pass pass;
    pass.samples = 2;
    Kernel::template forward_then<Relu>(pass, packed.data(), x.data(), y.data(), scratch.data());
    y.resize(expected.size());
    CHECK(difference(y, expected) < rounding<S>);
  };
  check(std::type_identity<Conv<21, Groups<3>>>{}, std::type_identity<Image<4, 5, 6>>{});
  check(std::type_identity<Conv<5, NoBias>>{}, std::type_identity<Sequence<7, 6>>{});
  check(std::type_identity<DepthwiseConv<>>{}, std::type_identity<Image<4, 5, 19>>{});
}

namespace {

/// Samples of 2, 0, 7 and all 9 steps (and more, and less than none): each as if it were alone and its steps were all.
template <class L, class Backend>
void check_lengths() {
  using S = typename Backend::Scalar;
  constexpr std::size_t F = 3;
  using In = Sequence<9, F>;
  using Out = OutOf<L, In>;
  const std::vector<std::int32_t> lengths{2, 0, 7, 9, 12, -1};
  OneLayer<S> padded(LayerFunctions<S>::template of<L, In, Backend>(), 6);
  padded.lengths = lengths;
  padded.before = S(0.5);
  auto x = wave<S>(6 * In::elements), dy = wave<S>(6 * Out::elements, 1);
  const auto whole_x = x, whole_dy = dy;
  for (std::size_t n = 0; n < 6; ++n) {
    const auto valid = static_cast<std::size_t>(std::clamp(lengths[n], 0, 9));
    for (std::size_t i = valid * F; i < In::elements; ++i) x[n * In::elements + i] = S(NAN);  // nobody may read these
    for (std::size_t i = L::template length<In>(valid) * Out::features; i < Out::elements; ++i)
      dy[n * Out::elements + i] = 0;
  }
  const auto y = padded.forward(x), dx = padded.backward(dy);

  std::vector<S> dw(padded.gradient(0).size(), S(0.5)), db(Out::features, S(0.5));
  const auto alone = [&]<std::size_t steps>(std::size_t n, std::integral_constant<std::size_t, steps>) {
    constexpr std::size_t outputs = L::template length<In>(steps) * Out::features;
    const S* own_y = y.data() + n * Out::elements;
    const S* own_dx = dx.data() + n * In::elements;
    if constexpr (outputs > 0) {
      using Short = Sequence<steps, F>;
      static_assert(outputs == OutOf<L, Short>::elements);
      OneLayer<S> layer(LayerFunctions<S>::template of<L, Short, Backend>());
      const S* from = whole_x.data() + n * In::elements;
      const S* d = whole_dy.data() + n * Out::elements;
      CHECK(layer.forward({from, from + steps * F}) == std::vector<S>(own_y, own_y + outputs));
      auto expected_dx = layer.backward({d, d + outputs});
      for (S& e : expected_dx) e += S(0.5);
      CHECK(difference(std::vector<S>(own_dx, own_dx + steps * F), expected_dx) < rounding<S>);
      for (std::size_t i = 0; i < dw.size(); ++i) dw[i] += layer.gradient(0)[i];
      for (std::size_t i = 0; i < db.size(); ++i) db[i] += layer.gradient(1)[i];
    }
    CHECK(std::all_of(own_y + outputs, own_y + Out::elements, [](S v) { return v == 0; }));
    CHECK(std::all_of(own_dx + (outputs > 0 ? steps * F : 0), own_dx + In::elements, [](S v) { return v == S(0.5); }));
  };
  alone(0, std::integral_constant<std::size_t, 2>{});
  alone(1, std::integral_constant<std::size_t, 0>{});
  alone(2, std::integral_constant<std::size_t, 7>{});
  alone(3, std::integral_constant<std::size_t, 9>{});
  alone(4, std::integral_constant<std::size_t, 9>{});
  alone(5, std::integral_constant<std::size_t, 0>{});
  CHECK(difference(padded.gradient(0), dw) < rounding<S>);
  CHECK(difference(padded.gradient(1), db) < rounding<S>);
}

}  // namespace

TEST_CASE_TEMPLATE("a sample with a length is convolved as if it ended there", Backend, backend::Reference<double>,
                   backend::Cpu) {
  check_lengths<Conv<5>, Backend>();
  check_lengths<Conv<5, Kernel<4>, Stride<2>>, Backend>();
  check_lengths<Conv<6, Padding<0>, Groups<3>>, Backend>();
  check_lengths<Conv<5, Kernel<1>>, Backend>();
  check_lengths<Conv<5, Kernel<2>, Dilation<3>, Padding<5>, Stride<3>>, Backend>();
  check_lengths<DepthwiseConv<Kernel<5>, Stride<2>>, Backend>();
  check_lengths<DepthwiseConv<Padding<0>>, Backend>();
}

TEST_CASE("lengths belong to sequences: an image is convolved whole") {
  using In = Image<3, 4, 2>;
  using Functions = LayerFunctions<float>;
  const auto x = wave<float>(24);
  for (const auto& layer :
       {Functions::of<Conv<2>, In, backend::Cpu>(), Functions::of<DepthwiseConv<>, In, backend::Cpu>(),
        Functions::of<Conv<2>, In, backend::Reference<float>>()}) {
    OneLayer<float> image(layer);
    const auto whole = image.forward(x);
    image.lengths = {1};
    CHECK(image.forward(x) == whole);
  }
}

TEST_CASE("options of a convolution are told in words") {
  CHECK(Conv<8>::options() == "3");
  CHECK(Conv<8, Kernel<3, 5>, Stride<2>, Dilation<1, 2>, Padding<0, 1>, Groups<2>, NoBias>::options() ==
        "3x5, stride 2, dilation 1x2, padding 0x1, 2 groups, no bias");
  CHECK(Conv<8, Padding<0>>::options() == "3, padding 0");
  CHECK(DepthwiseConv<Kernel<5>>::options() == "5");
}
