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
struct First : Network<Image<10, 9, 3>, Conv<16>, Conv<32, Kernel<5>, Stride<2>>> {};
struct Odd : Network<Image<7, 9, 5>, Conv<7, Kernel<3>, Padding<0>>, Conv<9, Kernel<1>, NoBias>> {};
struct Dilated : Network<Image<9, 9, 6>, Conv<6, Dilation<2>>> {};
struct Grouped : Network<Image<6, 6, 8>, Conv<12, Groups<4>>> {};
struct Depthwise : Network<Image<9, 8, 70>, DepthwiseConv<>, DepthwiseConv<Kernel<5>, Stride<2>>> {};
struct Steps : Network<Sequence<20, 8>, Conv<16>, Conv<12, Kernel<5>, Stride<2>>, DepthwiseConv<>> {};
struct Shrinking : Network<Image<8, 8, 8>, Stack<integrate::Residual, Conv<8>, Conv<8, Stride<2>>, Conv<8>>> {};
}  // namespace

TEST_CASE("linear maps") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Small>("linear, small", {1, 5, 67, 3000});
  gpu::compare_all<Rows>("linear of 64", {1, 5, 67, 300});
  gpu::compare_all<Uneven>("linear of odd widths", {1, 5, 67});
  gpu::compare_all<Long>("linear of 3000", {1, 67});
  gpu::compare_all<Patches>("patches", {1, 67});
}

TEST_CASE("convolutions") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Plain>("convolution of 64", {1, 5, 67});
  gpu::compare_all<First>("convolution of 3", {1, 67});
  gpu::compare_all<Odd>("convolution of odd widths", {1, 67});
  gpu::compare_all<Dilated>("dilated convolution", {1, 67});
  gpu::compare_all<Grouped>("convolution in groups", {1, 67});
  gpu::compare_all<Depthwise>("depthwise convolution", {1, 67});
  gpu::compare_all<Steps>("convolution of steps", {1, 5, 67});
  gpu::compare_all<Shrinking>("stack of convolutions", {1, 67});
}
