#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "gradients.hpp"
#include "strided.hpp"

namespace aila {
namespace {

using integrate::Attention;

TEST_CASE_TEMPLATE("LSTM stacks have right gradients under every policy, with lengths too", Backend, ReferenceDouble,
                   CpuDouble) {
  using In = Sequence<3, 2>;
  const GradientCheckOptions lengths{.lengths = true};
  CHECK(wrong_gradient<Stack<integrate::None, Lstm<4>, Lstm<3>>, In, Backend>(lengths) == "");
  CHECK(wrong_gradient<Stack<integrate::Residual, Lstm<4>, Lstm<4>>, In, Backend>(lengths) == "");
  CHECK(wrong_gradient<Stack<integrate::DenseNet, Repeat<3, Lstm<4>>>, In, Backend>(lengths) == "");
  CHECK(wrong_gradient<Stack<integrate::Linear<Heads<2>>, Lstm<4>, Lstm<6>, Lstm<4>>, In, Backend>(lengths) == "");
  CHECK(wrong_gradient<Stack<Attention<Heads<2>>, Repeat<3, Lstm<4>>>, In, Backend>(lengths) == "");
}

template <std::size_t Features>
using Half = Chain<Halving<Features>, Tanh>;
template <std::size_t Features>
using Same = Chain<Linear<Features>, Tanh>;

TEST_CASE_TEMPLATE("maps of different sizes are pooled with right gradients", Backend, ReferenceDouble, CpuDouble) {
  using Line = Sequence<8, 2>;
  using Bare = Epilogue<Identity>;
  CHECK(wrong_gradient<Halving<3>, Line, Backend>() == "");
  CHECK(wrong_gradient<Halving<3>, Image<2, 4, 2>, Backend>() == "");
  CHECK(wrong_gradient<Stack<integrate::None, Same<4>, Half<4>, Half<3>, Bare>, Line, Backend>() == "");
  CHECK(wrong_gradient<Stack<integrate::Residual, Same<4>, Half<4>, Half<4>, Bare>, Line, Backend>() == "");
  CHECK(wrong_gradient<Stack<integrate::DenseNet, Same<4>, Half<3>, Half<4>, Half<2>, Bare>, Line, Backend>() == "");
  CHECK(wrong_gradient<Stack<integrate::Linear<Heads<2>>, Same<4>, Half<6>, Half<4>, Same<4>, Bare>, Line, Backend>() ==
        "");
  CHECK(wrong_gradient<Stack<Attention<>, Same<4>, Half<4>, Half<4>, Same<5>, Bare>, Line, Backend>() == "");
}

TEST_CASE_TEMPLATE("images are pooled over both axes with right gradients", Backend, ReferenceDouble, CpuDouble) {
  using Picture = Image<4, 8, 2>;
  const GradientCheckOptions two{.samples = 2};
  CHECK(wrong_gradient<Stack<integrate::Linear<>, Same<3>, Half<4>, Half<3>>, Picture, Backend>(two) == "");
  CHECK(wrong_gradient<Stack<Attention<TiedValues>, Same<3>, Half<3>, Half<3>>, Picture, Backend>(two) == "");
  CHECK(wrong_gradient<Stack<integrate::DenseNet, Same<3>, Half<2>, Half<3>>, Picture, Backend>(two) == "");
}

TEST_CASE_TEMPLATE("stacks nest, in chains and in stacks, with right gradients", Backend, ReferenceDouble, CpuDouble) {
  using Inner = Stack<integrate::Linear<>, Same<4>, Same<4>>;
  CHECK(wrong_gradient<Stack<Attention<>, Same<4>, Inner, Chain<Inner, Dropout<20>>>, Sequence<3, 2>, Backend>(
            {.training = true}) == "");
}

struct Forecaster : Network<Sequence<4, 1>, Stack<Attention<>, Repeat<3, Lstm<4>>>, LastStep, Linear<1>> {};
struct Reader : Network<Sequence<4, 3>, Stack<integrate::Linear<Heads<2>, TaskEmbedding>, Repeat<2, Lstm<4>>>,
                        MeanOverPositions, Dropout<20>, Linear<2>> {};

TEST_CASE_TEMPLATE("whole networks have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<Forecaster, void, Backend>() == "");
  CHECK(wrong_gradient<Reader, void, Backend>({.lengths = true, .training = true}) == "");
}

}  // namespace
}  // namespace aila
