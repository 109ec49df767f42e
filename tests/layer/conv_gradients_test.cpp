#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "gradients.hpp"

namespace aila {
namespace {

TEST_CASE_TEMPLATE("convolutions have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<Conv<3>, Image<3, 4, 2>, Backend>() == "");
  CHECK(wrong_gradient<Conv<9, Stride<2>>, Image<4, 5, 3>, Backend>({.samples = 2}) == "");
  CHECK(wrong_gradient<Conv<4, Kernel<4, 3>, Stride<3, 2>, Dilation<2, 1>, Groups<2>, Padding<3, 2>>, Image<7, 5, 2>,
                       Backend>({.samples = 2}) == "");
  CHECK(wrong_gradient<Conv<4, Kernel<1>, Stride<2>, NoBias>, Image<3, 3, 3>, Backend>() == "");
  CHECK(wrong_gradient<Conv<5, Padding<0>>, Sequence<4, 3>, Backend>() == "");
}

TEST_CASE_TEMPLATE("depthwise convolutions have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<DepthwiseConv<>, Image<4, 3, 3>, Backend>() == "");
  CHECK(wrong_gradient<DepthwiseConv<Kernel<2, 4>, Stride<2, 3>, Dilation<3, 1>, NoBias>, Image<5, 6, 9>, Backend>(
            {.samples = 2}) == "");
}

TEST_CASE_TEMPLATE("convolutions and pools of sequences with lengths have right gradients", Backend, ReferenceDouble,
                   CpuDouble) {
  CHECK(wrong_gradient<Conv<3>, Sequence<6, 2>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<Conv<4, Kernel<5>, Stride<2>, Dilation<2>>, Sequence<7, 3>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<Conv<4, Kernel<2>, Padding<3>, Stride<4>>, Sequence<5, 2>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<DepthwiseConv<Kernel<4>>, Sequence<6, 3>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<MaxPool<3, Stride<2>, Padding<1>>, Sequence<7, 3>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<AveragePool<2>, Sequence<6, 3>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<GlobalMaxPool, Sequence<6, 3>, Backend>({.lengths = true}) == "");
}

TEST_CASE_TEMPLATE("pools have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<MaxPool<2>, Image<4, 5, 3>, Backend>() == "");
  CHECK(wrong_gradient<MaxPool<2, Width<3>, Stride<1>, Padding<1>>, Image<3, 4, 2>, Backend>() == "");
  CHECK(wrong_gradient<AveragePool<3, Stride<2>, Padding<1>>, Image<5, 4, 9>, Backend>({.samples = 1}) == "");
  CHECK(wrong_gradient<GlobalMaxPool, Image<2, 3, 4>, Backend>() == "");
}

TEST_CASE_TEMPLATE("networks of convolutions have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<Chain<Conv<4, Stride<2>>, Lstm<3>, MaxPool<2>, LastStep>, Sequence<9, 2>, Backend>(
            {.lengths = true}) == "");
  CHECK(wrong_gradient<Chain<Conv<4>, Relu, MaxPool<2>, DepthwiseConv<>, Conv<3, Kernel<1>>, MeanOverPositions>,
                       Image<4, 4, 2>, Backend>() == "");
  CHECK(
      wrong_gradient<Stack<integrate::Linear<Heads<2>>, Conv<4>, Conv<4, Stride<2>>, Conv<6>>, Image<4, 4, 2>, Backend>(
          {.samples = 2}) == "");
  CHECK(wrong_gradient<Stack<integrate::DenseNet, Conv<3>, Conv<3, Stride<2>>, Conv<3>>, Sequence<8, 2>, Backend>(
            {.samples = 2}) == "");
}

}  // namespace
}  // namespace aila
