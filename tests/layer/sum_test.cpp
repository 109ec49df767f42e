#include <doctest/doctest.h>

#include <aila/network/summary.hpp>
#include <string>

#include "gradients.hpp"
#include "run.hpp"

namespace aila {
namespace {

using BlockOfTwo = Sum<Shortcut<5, Stride<2>>, Chain<Conv<5, Stride<2>>, Tanh, Conv<5>>>;
using Image3 = Image<4, 6, 3>;

struct Halved : Network<Image3, BlockOfTwo> {};
struct Widened : Network<Image<3, 5, 2>, Shortcut<3, Stride<2>>> {};
struct Three : Network<Vector<2>, Sum<Linear<3>, Chain<Linear<4>, Linear<3>>, Linear<3>>> {};
struct Repeated : Network<Vector<2>, Sum<Repeat<3, Linear<3>>>> {};
struct Joined : Network<Tokens<4>, Sum<Embedding<3>, Embedding<3>>, MeanOverPositions, Linear<2>> {};

static_assert(std::is_same_v<NetworkOutput<Halved>, Image<2, 3, 5>>);
static_assert(std::is_same_v<NetworkOutput<Widened>, Image<2, 3, 3>>);
static_assert(std::is_same_v<NetworkOutput<Repeated>, Vector<3>> && parameter_count<Repeated> == 3 * (3 * 2 + 3));
static_assert(parameter_count<Halved> == 5 * (3 * 9 + 1) + 5 * (5 * 9 + 1), "a shortcut has no parameters");
static_assert(flops<Three> == 2 * 3 * 5 + 4 * 5 + 3 * 9 + 2 * 3, "two additions an output");
static_assert(tables_of<Joined, Tokens<4>>() == 2);
static_assert(std::is_same_v<Shortcut<5>, Shortcut<5, Stride<1>>>);
static_assert(!layer_accepts<Shortcut<2>, Vector<2>>() && !layer_accepts<Shortcut<2>, Image<4, 4, 3>>());
static_assert(!layer_accepts<Sum<Linear<3>, Linear<4>>, Vector<2>>());
static_assert(layer_accepts<Sum<Shortcut<3, Stride<2>>, Conv<3, Stride<2>>>, Sequence<9, 2>>());
static_assert(!layer_accepts<Sum<Shortcut<3, Stride<2>>, Chain<ClassToken, Shortcut<3, Stride<2>>>>, Sequence<9, 3>>(),
              "5 steps both, and of 2 valid steps 1 in one and 2 in the other");
static_assert(length_after<Sum<Shortcut<3, Stride<2>>, Conv<3, Stride<2>>>, Sequence<9, 2>>(5) == 3);

}  // namespace

TEST_CASE_TEMPLATE("a shortcut takes every second pixel, and has zeros for further features", Scalar, float, double) {
  Run<Widened, Scalar> run(2);
  const auto x = numbers<Scalar>(2 * 30), dy = numbers<Scalar>(2 * 18, 1);
  const auto y = run.forward(x);
  const auto dx = run.backward(dy);
  std::vector<Scalar> expected(x.size());
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t j = 0; j < 3; ++j) {
        const std::size_t to = ((n * 2 + i) * 3 + j) * 3, from = ((n * 3 + 2 * i) * 5 + 2 * j) * 2;
        for (std::size_t f = 0; f < 2; ++f) {
          CHECK(y[to + f] == x[from + f]);
          expected[from + f] = dy[to + f];
        }
        CHECK(y[to + 2] == 0);
      }
  CHECK(dx == expected);
}

TEST_CASE_TEMPLATE("Sum and Shortcut have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<Shortcut<19, Stride<2, 3>>, Image<5, 7, 17>, Backend>() == "");
  CHECK(wrong_gradient<Shortcut<4, Stride<2>>, Sequence<7, 3>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<BlockOfTwo, Image3, Backend>() == "");
  CHECK(wrong_gradient<Sum<Chain<Lstm<3>, Tanh>, Linear<3>, Frozen<Linear<3>>>, Sequence<5, 2>, Backend>(
            {.lengths = true}) == "");
  CHECK(wrong_gradient<Sum<Identity, Sum<Linear<3>, Tanh>, Stack<integrate::Attention<>, Linear<3>, Linear<3>>>,
                       Sequence<4, 3>, Backend>() == "");
}

TEST_CASE_TEMPLATE("branches of Sum that need the whole batch work one after the other", Backend, ReferenceDouble,
                   CpuDouble) {
  using In = Image<4, 4, 3>;
  const GradientCheckOptions training{.samples = 4, .training = true};
  using Norm = BatchNorm<>;
  using Long = Chain<Conv<5, Stride<2>, NoBias>, Norm, Tanh, Conv<5, NoBias>, Norm>;
  using Projection = Chain<Conv<5, Kernel<1>, Stride<2>, NoBias>, Norm>;
  CHECK(wrong_gradient<Sum<Shortcut<5, Stride<2>>, Long>, In, Backend>(training) == "");
  CHECK(wrong_gradient<Chain<Norm, Sum<Long, Projection>, Tanh, Norm>, In, Backend>(training) == "");
  CHECK(wrong_gradient<Chain<Sum<Long, Projection, Shortcut<5, Stride<2>>>, Linear<3>>, In, Backend>(training) == "");
}

TEST_CASE("steps beyond a sample's length change nothing of a sum") {
  struct Net : Network<Sequence<8, 3>, Sum<Shortcut<4, Stride<2>>, Conv<4, Stride<2>>>, MeanOverPositions> {};
  Run<Net, double> padded(1), other(1);
  const std::int32_t length = 5;
  padded.pass.lengths = other.pass.lengths = &length;
  padded.set_all();
  other.set_all();
  auto x = numbers<double>(24);
  const auto y = padded.forward(x);
  const auto dx = padded.backward(numbers<double>(4, 1));
  std::fill(x.begin() + 15, x.end(), 100.0);
  CHECK(other.forward(x) == y);
  CHECK(other.backward(numbers<double>(4, 1)) == dx);
  for (std::size_t i = 15; i < 24; ++i) CHECK(dx[i] == 0);
}

TEST_CASE("summary and graph show the branches of a sum") {
  const std::string text = summary<Halved>();
  CHECK(text.find("sum.shortcut      shortcut, stride 2") != std::string::npos);
  CHECK(text.find("sum.chain.conv_1  conv, 3") != std::string::npos);
  const std::string dot = graph<Halved>();
  CHECK(dot.substr(dot.find("  n0 ->")) ==
        "  n0 -> n1;\n  n0 -> n2;\n  n2 -> n3;\n  n3 -> n4;\n  n1 -> n5;\n  n4 -> n5;\n}\n");
}

}  // namespace aila
