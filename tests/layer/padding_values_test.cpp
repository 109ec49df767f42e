// Whatever lies behind a sample's length, also infinity and what is no number, changes no bit of anything.
#include "padding.hpp"

using namespace aila;
using padding::check, padding::check_values, padding::most;

namespace {

/// Layers of single steps first: in prediction they hand on what lies in the padding.
template <std::size_t T>
struct Steps : Network<Sequence<T, 6>, Linear<6>, LayerNorm, Residual<Linear<6>, Gelu>, Softmax, ReluLayerNorm,
                       LearnedPositions, Silu, Sum<Linear<5>, Chain<Linear<3>, Tanh, Linear<5>>>> {};
struct Attending : Network<Sequence<most, 6>, Linear<6>, ClassToken, SinusoidalPositions, TransformerBlock<2, 9>,
                           TransformerBlock<3, 5, PostNorm, Relu, Causal>, FirstStep> {};
struct Windows : Network<Sequence<most, 5>, Linear<6>, BatchNorm<>, Conv<7>, DepthwiseConv<>,
                         Sum<Conv<9, Stride<2>>, Shortcut<9, Stride<2>>>, MaxPool<2, Stride<1>>, AveragePool<2>,
                         BatchNorm<>, GlobalMaxPool> {};
struct Recurrent : Network<Sequence<most, 3>, Linear<4>, Concat<Bidirectional<Gru<3>>>, LayerNorm,
                           Bidirectional<Lstm<2>>, Linear<5>, AttentionPooling<3>, Linear<2>> {};
struct Scaled : Network<Sequence<most, 5>, Linear<6>, SqueezeExcitation<2>, StochasticDepth<20>, Frozen<Linear<4>>,
                        Dropout<30>, Sigmoid, Flatten, Linear<3>> {};
template <class Policy>
struct Stacked : Network<Sequence<most, 4>, Stack<Policy, Linear<4>, Linear<4>, Gru<4>, Conv<4, Stride<2>>, Linear<4>>,
                         MeanOverPositions> {};
template <class Policy>
struct StackedSteps : Network<Sequence<most, 4>, Stack<Policy, Linear<4>, Linear<4>, Linear<4>>, LastStep> {};

/// Layers of a user's that make no numbers of zeros, or zeros of no numbers.
struct Reciprocal {
  template <RealShape In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
    return V(1) / x;
  }
  template <class V>
  static constexpr V slope(V, V y) {
    return -y * y;
  }
};
/// y = s x / |x| at each step, s learned.
struct Direction {
  static constexpr const char* name = "direction";
  static constexpr bool position_wise = true;
  template <RealShape In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("scale", {In::features}, init::ones())};
  }
  template <class In, class V>
  static constexpr V inverse(const V* x) {
    V squares(0);
    for (std::size_t f = 0; f < In::features; ++f) squares += x[f] * x[f];
    return V(1) / math::sqrt(squares);
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    const V scale = inverse<In>(x);
    for (std::size_t f = 0; f < In::features; ++f) y[f] = V(w[0][f]) * x[f] * scale;
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    const V scale = inverse<In>(x);
    V along(0);
    for (std::size_t f = 0; f < In::features; ++f) along += dy[f] * V(w[0][f]) * x[f] * scale;
    for (std::size_t f = 0; f < In::features; ++f) {
      g.add(0, f, dy[f] * x[f] * scale);
      dx[f] += (dy[f] * V(w[0][f]) - along * x[f] * scale) * scale;
    }
  }
};
/// [steps, F] -> [F]: s times the sum over all steps, s learned. It sees the whole sample.
struct Total {
  static constexpr const char* name = "total";
  template <class In>
  using Out = Vector<In::features>;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("scale", {1}, init::ones())};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) {
      y[f] = V(0);
      for (std::size_t t = 0; t < In::positions; ++t) y[f] += x[t * In::features + f] * V(w[0][0]);
    }
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    for (std::size_t i = 0; i < In::elements; ++i) {
      dx[i] += dy[i % In::features] * V(w[0][0]);
      g.add(0, 0, dy[i % In::features] * x[i]);
    }
  }
};
/// a = h / own, h the map before.
struct Ratio : integrate::Policy {
  static constexpr auto reads = integrate::Reads::previous;
  template <class Own, class Before>
  static constexpr bool accepts = true;
  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = before[0][f] / own[f];
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>>, const V* da, V* d_own,
                                 V* const* d_before, G&) {
    for (std::size_t f = 0; f < Own::features; ++f) {
      d_before[0][f] += da[f] / own[f];
      d_own[f] = d_own[f] - da[f] * before[0][f] / (own[f] * own[f]);
    }
  }
};
template <std::size_t T>
struct OfUser : Network<Sequence<T, 3>, Direction, Gru<4>, Reciprocal, Linear<3>, Stack<Ratio, Linear<3>, Gru<3>>,
                        Direction, Linear<4>, Total> {};

}  // namespace

TEST_CASE("what lies behind a length changes no bit of what layers of single steps give") {
  check<Steps, ReferenceDouble, CpuFloat>();
  check_values<Steps<most>, ReferenceDouble, CpuFloat>();
}

TEST_CASE("nor of attention, windows, recurrent layers and readouts") {
  check_values<Attending, ReferenceDouble, CpuFloat>();
  check_values<Windows, ReferenceDouble, CpuFloat>();
  check_values<Recurrent, ReferenceDouble, CpuFloat>();
  check_values<Scaled, ReferenceDouble, CpuFloat>();
}

TEST_CASE("nor of stacks under any policy") {
  check_values<Stacked<integrate::Residual>, ReferenceDouble>();
  check_values<Stacked<integrate::DenseNet>, CpuFloat>();
  check_values<Stacked<integrate::Linear<Heads<2>, TaskEmbedding>>, CpuFloat>();
  check_values<Stacked<integrate::Attention<Heads<2>>>, CpuFloat>();
  check_values<StackedSteps<integrate::Attention<>>, ReferenceDouble, CpuFloat>();
  check_values<StackedSteps<integrate::None>, CpuFloat>();
}

TEST_CASE("nor of a user's layers and policies that make no numbers of zeros") {
  check<OfUser, ReferenceDouble, CpuFloat>();
  check_values<OfUser<most>, ReferenceDouble, CpuFloat>();
}
