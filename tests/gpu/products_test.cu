// Layers that are products of matrices: linear maps, convolutions, patches.
#include "compare.hpp"

using namespace aila;

namespace {
struct Small : Network<Vector<3>, Linear<5>, Linear<1>> {};
struct Rows : Network<Sequence<12, 64>, Linear<256>, Linear<64>> {};
struct Uneven : Network<Sequence<7, 33>, Linear<129>, Linear<70>> {};
struct Long : Network<Vector<3000>, Linear<10>> {};
struct Patches : Network<Image<16, 12, 3>, PatchEmbedding<4, 40>> {};
struct Plain : Network<Image<8, 8, 64>, Conv<64>, Conv<64, Stride<2>>> {};
struct Wide : Network<Image<9, 11, 64>, Conv<128, Kernel<5>>, Conv<64, Groups<2>>, Conv<64, Stride<3>>> {};
struct WideInGroups : Network<Image<7, 6, 128>, Conv<128, Groups<2>>, Conv<64, Kernel<2>, Stride<3>, Padding<0>>> {};
struct WideOfMany : Network<Image<46, 46, 64>, Conv<64, Kernel<1>, Stride<2>, Padding<0>>> {
};  // two tiles of rows a block
struct HalfWide : Network<Image<8, 7, 32>, Conv<32>, Conv<64, Stride<2>>, Conv<32>, Conv<64, Kernel<1>>> {};
struct WideSteps : Network<Sequence<20, 64>, Conv<64>, Conv<128, Kernel<5>, Stride<2>>, Conv<64, Dilation<2>>> {};
struct FewTerms3 : Network<Image<10, 9, 3>, Conv<64>, Conv<1>> {};
struct FewTerms1 : Network<Image<11, 13, 1>, Conv<128, Kernel<5>, Stride<2>>, Conv<1>> {};
struct FewTermsOfSteps : Network<Sequence<30, 4>, Conv<64, Kernel<7>>, Conv<1>> {};
struct InParts : Network<Image<24, 23, 3>, Conv<64>, Conv<64, Kernel<2>>, Conv<1>> {};  // blocks share its positions
struct First : Network<Image<10, 9, 3>, Conv<16>, Conv<32, Kernel<5>, Stride<2>>> {};
struct Odd : Network<Image<7, 9, 5>, Conv<7, Kernel<3>, Padding<0>>, Conv<9, Kernel<1>, NoBias>> {};
struct Dilated : Network<Image<9, 9, 6>, Conv<6, Dilation<2>>> {};
struct Grouped : Network<Image<6, 6, 8>, Conv<12, Groups<4>>> {};
struct Depthwise : Network<Image<9, 8, 70>, DepthwiseConv<>, DepthwiseConv<Kernel<5>, Stride<2>>> {};
struct Steps : Network<Sequence<20, 8>, Conv<16>, Conv<12, Kernel<5>, Stride<2>>, DepthwiseConv<>> {};
struct FewOutputs : Network<Sequence<12, 64>, Linear<7>, Linear<8>, Linear<3>, Linear<1>> {};
struct ShrinkingTwice
    : Network<Image<8, 12, 8>, Stack<integrate::Linear<>, Conv<8>, Conv<8, Stride<2>>, Conv<8, Stride<2>>, Conv<8>>> {};
struct Shrinking : Network<Image<8, 8, 8>, Stack<integrate::Residual, Conv<8>, Conv<8, Stride<2>>, Conv<8>>> {};

/// C = A B + bias, or what was there and that, of `samples` with five steps each: places that nobody asked for hold
/// what they held, and rows behind a sample's length too, or zeros. `aside`: floats from what is aligned.
struct FewTerms {
  std::size_t samples, n, k;
  bool adds = false, has_bias = false, has_lengths = false;
  std::size_t aside = 0, gap = 0;  ///< gap: behind rows

  void check() const {
    using namespace aila::cuda;
    constexpr std::size_t steps = 5;
    const std::size_t m = samples * steps, row = n + gap;
    std::mt19937_64 engine(n + k);
    std::normal_distribution<float> normal;
    const auto numbers = [&](std::size_t count) {
      std::vector<float> all(aside + count);
      for (float& x : all) x = normal(engine);
      return all;
    };
    std::vector<float> a = numbers(m * k), bias = numbers(n);
    const std::vector<float> b = numbers(k * row), before = numbers(m * row);
    std::vector<std::int32_t> lengths(samples);
    for (std::size_t s = 0; s < samples; ++s) lengths[s] = static_cast<std::int32_t>(1 + s * 3 % steps);
    const auto counts = [&](std::size_t i) {
      return !has_lengths || static_cast<std::int32_t>(i % steps) < lengths[i / steps];
    };
    for (std::size_t i = 0; i < m * k; ++i)
      if (!counts(i / k)) a[aside + i] = NAN;
    const Queue queue;
    const auto on_device = [&](const auto& of) {
      Array<typename std::decay_t<decltype(of)>::value_type> all(of.size());
      queue.to_device(of.data(), of.size(), all.data());
      return all;
    };
    const auto of_a = on_device(a), of_b = on_device(b), of_bias = on_device(bias);
    const auto of_lengths = on_device(lengths);
    auto of_c = on_device(before);
    const auto to_use = [&](const Array<float>& of) { return of.data() + aside; };
    auto to = aila::cuda::detail::places({of_c.data() + aside, row, has_bias ? to_use(of_bias) : nullptr, adds}, m, n);
    if (has_lengths) to.valid = aila::cuda::detail::valid_steps(of_lengths.data(), steps);
    queue.run([&] {
      aila::cuda::detail::multiply(pass_on(queue), k, {to_use(of_a), k, 1}, {to_use(of_b), row, 1}, to, nullptr);
    });
    std::vector<float> found(before.size());
    queue.to_host(of_c.data(), found.size(), found.data());
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < before.size(); ++at) {
      const std::size_t i = at < aside ? m : (at - aside) / row, j = at < aside ? n : (at - aside) % row;
      double expected = j < n && !adds ? 0 : before[at], size = 0;
      if (j < n && counts(i)) {
        if (has_bias) expected += bias[aside + j];
        for (std::size_t e = 0; e < k; ++e) {
          const double term = static_cast<double>(a[aside + i * k + e]) * b[aside + e * row + j];
          expected += term;
          size += std::abs(term);
        }
        size += std::abs(static_cast<double>(before[at])) + std::abs(expected);
      }
      if (!(std::abs(found[at] - expected) <= 2e-7 * size)) ++wrong;
    }
    INFO(samples << " samples, " << k << " terms, width " << n << ", adds " << adds << ", bias " << has_bias
                 << ", lengths " << has_lengths << ", aside " << aside << ", gap " << gap);
    CHECK(wrong == 0);
  }
};
}  // namespace

TEST_CASE("products of few terms are float32's, wherever they lie") {
  if (!gpu::is_there()) return;
  for (const std::size_t k : {1, 3, 8})
    for (const std::size_t n : {1, 7, 64, 132})
      for (const std::size_t aside : {0, 1})
        for (const std::size_t gap : {0, 3, 4})
          for (const bool adds : {false, true})
            for (const bool lengths : {false, true})
              FewTerms{.samples = lengths ? 7U : 1U,
                       .n = n,
                       .k = k,
                       .adds = adds,
                       .has_bias = adds == lengths,
                       .has_lengths = lengths,
                       .aside = aside,
                       .gap = gap}
                  .check();
  FewTerms{.samples = 4, .n = 33001, .k = 2, .adds = true}.check();  // more rows than threads
  FewTerms{.samples = 11, .n = 20000, .k = 2}.check();
}

TEST_CASE("linear maps") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Small>("linear, small", {1, 5, 67, 3000});
  gpu::compare_all<Rows>("linear of 64", {1, 5, 67, 300});
  gpu::compare_all<FewOutputs>("linear of few outputs", {1, 5, 67});
  gpu::compare_all<Uneven>("linear of odd widths", {1, 5, 67});
  gpu::compare_all<Long>("linear of 3000", {1, 67});
  gpu::compare_all<Patches>("patches", {1, 67});
}

TEST_CASE("convolutions") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Plain>("convolution of 64", {1, 5, 67});
  gpu::compare_all<Wide>("convolution of 64, 128 and two of 32", {1, 5, 67});
  gpu::compare_all<WideInGroups>("convolution of two groups of 64, and by steps longer than its windows", {1, 67});
  gpu::compare_all<WideOfMany>("convolution of 64 at many positions", {67});
  gpu::compare_all<HalfWide>("convolution of 32 and 64", {1, 5, 67});
  gpu::compare_all<WideSteps>("convolution of 64 over steps", {1, 5, 67});
  gpu::compare_all<FewTerms3>("convolution of 3 to 64", {1, 5, 67});
  gpu::compare_all<FewTerms1>("convolution of 1 to 128", {1, 5, 67});
  gpu::compare_all<FewTermsOfSteps>("convolution of 4 to 64 over steps", {1, 5, 67});
  gpu::compare_all<InParts>("convolutions of many positions", {1, 67});
  gpu::compare_all<First>("convolution of 3", {1, 67});
  gpu::compare_all<Odd>("convolution of odd widths", {1, 67});
  gpu::compare_all<Dilated>("dilated convolution", {1, 67});
  gpu::compare_all<Grouped>("convolution in groups", {1, 67});
  gpu::compare_all<Depthwise>("depthwise convolution", {1, 67});
  gpu::compare_all<Steps>("convolution of steps", {1, 5, 67});
  gpu::compare_all<ShrinkingTwice>("stack of convolutions on maps of three sizes", {1, 67});
  gpu::compare_all<Shrinking>("stack of convolutions", {1, 67});
}
