// Connections at each place of a stack have right gradients, with cores of many kinds.
#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "../gradients.hpp"

namespace aila {
namespace {

using integrate::DenseFormer, integrate::ElmoMix, integrate::HyperConnections, integrate::Together,
    integrate::ValueResidual;

template <class P, class Backend>
std::string wrong_policy() {
  return what_is_wrong(check_gradients<P, void, Backend>());
}

TEST_CASE_TEMPLATE("before the cores, carried along the depth and at the readout", Backend, ReferenceDouble,
                   CpuDouble) {
  CHECK(wrong_policy<DenseFormer<>, Backend>() == "");
  CHECK(wrong_policy<DenseFormer<2>, Backend>() == "");
  CHECK(wrong_policy<DenseFormer<1, 2>, Backend>() == "");
  CHECK(wrong_policy<HyperConnections<3>, Backend>() == "");
  CHECK(wrong_policy<ElmoMix, Backend>() == "");
}

/// A core reads two maps side by side: what the layer before it gave, and the sum of all items.
struct TwoWays : integrate::Policy {
  static constexpr const char* name = "two_ways";
  static constexpr integrate::Place place = integrate::Place::before;
  static consteval bool attaches(std::size_t layer, std::size_t depth) { return layer < depth; }
  template <class Own, class Before>
  static constexpr std::size_t width = 2 * Own::features;
  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) {
      a[f] = a[Own::features + f] = own[f];
      for (std::size_t i = 0; i < Before::count; ++i) a[Own::features + f] += before[i][f];
    }
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V* d_own,
                                 V* const* d_before, G&) {
    for (std::size_t f = 0; f < Own::features; ++f) {
      d_own[f] += da[f] + da[Own::features + f];
      for (std::size_t i = 0; i < Before::count; ++i) d_before[i][f] += da[Own::features + f];
    }
  }
};
TEST_CASE_TEMPLATE("cores that read several maps, the first one too", Backend, ReferenceDouble, CpuDouble) {
  using Core = Sum<Chain<Slice<0, 4>, Tanh, Linear<4>>, Slice<4, 4>>;
  CHECK(wrong_gradient<Stack<TwoWays, Repeat<3, Core>, Epilogue<Identity>>, Sequence<5, 4>, Backend>() == "");
}

TEST_CASE_TEMPLATE("several together", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_policy<Together<integrate::Linear<>, DenseFormer<>, ElmoMix>, Backend>() == "");
  CHECK(wrong_policy<Together<HyperConnections<2>, integrate::Residual>, Backend>() == "");
}

TEST_CASE_TEMPLATE("inside the cores", Backend, ReferenceDouble, CpuDouble) {
  using In = Sequence<5, 8>;
  CHECK(wrong_gradient<Stack<ValueResidual, Repeat<3, SelfAttention<2>>>, In, Backend>() == "");
  CHECK(wrong_gradient<Stack<ValueResidual, Repeat<2, TransformerBlock<2, 6>>, Epilogue<Identity>>, In, Backend>() ==
        "");
  CHECK(wrong_gradient<
            Stack<ValueResidual, TransformerBlock<4, 5, PostNorm, Causal>, Linear<8>, TransformerBlock<4, 5, Causal>>,
            In, Backend>() == "");
  CHECK(wrong_gradient<Stack<Together<ValueResidual, DenseFormer<>>, Repeat<2, SelfAttention<2>>>, In, Backend>() ==
        "");
}

TEST_CASE_TEMPLATE("maps that become smaller are averaged over windows", Backend, ReferenceDouble, CpuDouble) {
  using In = Image<4, 4, 3>;
  CHECK(wrong_gradient<Stack<DenseFormer<>, Conv<3>, Conv<3, Stride<2>>, Conv<3>>, In, Backend>() == "");
  CHECK(wrong_gradient<Stack<ElmoMix, Conv<3, Stride<2>>, Conv<3>, Conv<3, Stride<2>>>, In, Backend>() == "");
}

TEST_CASE_TEMPLATE("the halves of attention", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<Attend<2>, Sequence<5, 12>, Backend>() == "");
  CHECK(wrong_gradient<Attend<2, Causal>, Sequence<9, 12>, Backend>() == "");
  CHECK(wrong_gradient<Slice<2, 3>, Sequence<5, 12>, Backend>() == "");
  CHECK(wrong_gradient<Chain<Linear<6>, Slice<0, 2>>, Vector<5>, Backend>() == "");
}

}  // namespace
}  // namespace aila
