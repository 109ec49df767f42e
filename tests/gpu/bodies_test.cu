// Bodies: layers, policies and joints that are written once for any backend, a program's own among them.
#include "compare.hpp"

namespace studio {

using aila::Weights;

/// y_f = s_f silu(x_f) at each position, s learned.
struct ScaledSilu {
  static constexpr bool position_wise = true;
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{aila::parameter("scale", {In::features}, aila::init::ones())};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<aila::ScalarOf<V>> w, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) y[f] = V(w[0][f]) * aila::Silu::value(x[f]);
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<aila::ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    for (std::size_t f = 0; f < In::features; ++f) {
      const V y = aila::Silu::value(x[f]);
      g.add(0, f, dy[f] * y);
      dx[f] += dy[f] * V(w[0][f]) * aila::Silu::slope(x[f], y);
    }
  }
};

/// y_t = x_t - m sum of the sample, m learned: it sees all steps, and asks for memory.
struct LessTheSum {
  template <class In>
  using Out = In;
  template <class In>
  static constexpr std::size_t scratch = In::features;
  template <class In>
  static consteval auto parameters() {
    return std::array{aila::parameter("memory", {1}, aila::init::constant(0.5))};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<aila::ScalarOf<V>> w, V* y, V* sum) {
    for (std::size_t f = 0; f < In::features; ++f) sum[f] = V(0);
    for (std::size_t i = 0; i < In::elements; ++i) sum[i % In::features] += x[i];
    for (std::size_t i = 0; i < In::elements; ++i) y[i] = x[i] - V(w[0][0]) * sum[i % In::features];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<aila::ScalarOf<V>> w, const V* dy, V* dx, G& g, V* sum) {
    for (std::size_t f = 0; f < In::features; ++f) sum[f] = V(0);
    for (std::size_t i = 0; i < In::elements; ++i) sum[i % In::features] += dy[i];
    for (std::size_t i = 0; i < In::elements; ++i) {
      dx[i] += dy[i] - V(w[0][0]) * sum[i % In::features];
      g.add(0, 0, V(0) - x[i] * sum[i % In::features]);
    }
  }
};

/// a = sigmoid(gate) times the mean of the earlier layers.
struct GatedMean : aila::integrate::Policy {
  template <class Own, class Before>
  static consteval auto parameters() {
    return std::array{aila::parameter("gate", {Own::features}, aila::init::zeros())};
  }
  template <class Own, class Before, class V>
  static constexpr void forward(const V*, const V* const* before, auto w, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = aila::math::sigmoid(V(w[0][f])) * mean<Before>(before, f);
  }
  template <class Own, class Before, class V>
  static constexpr void backward(const V*, const V* const* before, auto w, const V* da, V*, V* const* d_before,
                                 auto& g) {
    for (std::size_t f = 0; f < Own::features; ++f) {
      const V gate = aila::math::sigmoid(V(w[0][f]));
      for (std::size_t i = 0; i < Before::count; ++i) d_before[i][f] += da[f] * gate / V(Before::count);
      g.add(0, f, da[f] * mean<Before>(before, f) * gate * (V(1) - gate));
    }
  }
  template <class Before, class V>
  static constexpr V mean(const V* const* before, std::size_t f) {
    V sum = before[0][f];
    for (std::size_t i = 1; i < Before::count; ++i) sum += before[i][f];
    return sum / V(Before::count);
  }
};

}  // namespace studio

using namespace aila;

namespace {
struct Elements : Network<Sequence<7, 5>, Tanh, Identity, Relu, Gelu, Silu, Sigmoid> {};
struct Softmaxed : Network<Sequence<7, 5>, Softmax> {};
struct WideSoftmax : Network<Image<3, 4, 300>, Softmax> {};
struct SideBySide : Network<Sequence<7, 5>, Concat<Tanh, Concat<Silu>>, Linear<9>, Concat<Linear<3>>> {};
struct MapsSideBySide : Network<Image<5, 4, 6>, Concat<Conv<4>>, Concat<Relu, Conv<5, Kernel<1>>>> {};
struct Added : Network<Sequence<7, 5>, Residual<Linear<6>, Gelu, Linear<5>>,
                       Sum<Linear<7>, Shortcut<7>, Chain<Tanh, Linear<7>>>> {};
struct Residuals : Network<Sequence<7, 5>, Stack<integrate::Residual, Repeat<3, Tanh>>> {};
struct Joined : Network<Sequence<7, 5>, Stack<integrate::DenseNet, Repeat<3, Tanh>>> {};
struct Own : Network<Sequence<7, 5>, studio::ScaledSilu, studio::LessTheSum> {};
struct Wide : Network<Sequence<3, 700>, studio::ScaledSilu> {};
struct Gated : Network<Sequence<7, 12>, Stack<studio::GatedMean, Repeat<4, studio::ScaledSilu>>> {};
struct GatedWide : Network<Sequence<3, 300>, Stack<studio::GatedMean, Repeat<3, studio::ScaledSilu>>> {};
struct Streams : Network<Sequence<7, 5>, Stack<integrate::HyperConnections<2>, Repeat<2, studio::ScaledSilu>>> {};
}  // namespace

TEST_CASE("activations and joints are those of the host") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Elements>("elements");
  gpu::compare_all<Softmaxed>("softmax");
  gpu::compare_all<WideSoftmax>("softmax of 300");
  gpu::compare_all<SideBySide>("side by side");
  gpu::compare_all<MapsSideBySide>("maps side by side");
  gpu::compare_all<Added>("sums");
  gpu::compare_all<Residuals>("residual");
  gpu::compare_all<Joined>("DenseNet");
}

TEST_CASE("a program's own layers and policies run on the device") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Own>("own layers", {1, 5, 67, 1000});
  gpu::compare_all<Wide>("own layer of 700", {1, 200});
  gpu::compare_all<Gated>("own policy", {1, 5, 67, 1000});
  gpu::compare_all<GatedWide>("own policy of 300", {1, 200});
  gpu::compare_all<Streams>("hyper-connections", {1, 67});
}
