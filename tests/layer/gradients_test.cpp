#include <doctest/doctest.h>

#include "gradients.hpp"

namespace aila {
namespace {

TEST_CASE_TEMPLATE("element-wise layers have right gradients", Backend, ReferenceDouble, CpuDouble) {
  using In = Shape<3, 5>;
  CHECK(wrong_gradient<Identity, In, Backend>() == "");
  CHECK(wrong_gradient<Relu, In, Backend>() == "");
  CHECK(wrong_gradient<Gelu, In, Backend>() == "");
  CHECK(wrong_gradient<Silu, In, Backend>() == "");
  CHECK(wrong_gradient<Tanh, In, Backend>() == "");
  CHECK(wrong_gradient<Sigmoid, In, Backend>() == "");
}

TEST_CASE_TEMPLATE("layers that work position by position have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<Softmax, Shape<3, 5>, Backend>() == "");
  CHECK(wrong_gradient<LayerNorm, Shape<3, 5>, Backend>() == "");
  CHECK(wrong_gradient<LayerNorm, Vector<16>, Backend>() == "");
  CHECK(wrong_gradient<LayerNorm, Image<2, 2, 19>, Backend>() == "");
  CHECK(wrong_gradient<ReluLayerNorm, Shape<3, 11>, Backend>() == "");
  CHECK(wrong_gradient<Linear<3>, Shape<5, 4>, Backend>() == "");
  CHECK(wrong_gradient<Linear<1>, Vector<17>, Backend>() == "");
  CHECK(wrong_gradient<Linear<18>, Image<2, 3, 1>, Backend>({.samples = 1}) == "");
}

TEST_CASE_TEMPLATE("readouts have right gradients, with lengths too", Backend, ReferenceDouble, CpuDouble) {
  using In = Sequence<5, 3>;
  CHECK(wrong_gradient<Flatten, In, Backend>() == "");
  CHECK(wrong_gradient<LastStep, In, Backend>() == "");
  CHECK(wrong_gradient<LastStep, In, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<MeanOverPositions, In, Backend>() == "");
  CHECK(wrong_gradient<MeanOverPositions, In, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<MeanOverPositions, Image<2, 3, 4>, Backend>() == "");
}

TEST_CASE_TEMPLATE("dropout has right gradients, at rest and while training", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<Dropout<40>, Shape<3, 5>, Backend>() == "");
  CHECK(wrong_gradient<Dropout<40>, Shape<3, 5>, Backend>({.training = true}) == "");
}

TEST_CASE_TEMPLATE("LSTM has right gradients through time", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<Lstm<3>, Sequence<5, 2>, Backend>() == "");
  CHECK(wrong_gradient<Lstm<3>, Sequence<5, 2>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<Lstm<8>, Sequence<3, 1>, Backend>({.samples = 5, .lengths = true}) == "");
  CHECK(wrong_gradient<Lstm<9>, Sequence<1, 4>, Backend>({.samples = 1}) == "");
}

TEST_CASE_TEMPLATE("composites of layers have right gradients", Backend, ReferenceDouble, CpuDouble) {
  using In = Sequence<3, 4>;
  CHECK(wrong_gradient<Chain<Linear<3>, Tanh, LayerNorm>, In, Backend>() == "");
  CHECK(wrong_gradient<Residual<Linear<4>, Silu>, In, Backend>() == "");
  CHECK(wrong_gradient<Chain<Residual<Linear<4>, Residual<Tanh>>, Dropout<30>, Flatten, Linear<2>>, In, Backend>(
            {.training = true}) == "");
}

}  // namespace
}  // namespace aila
