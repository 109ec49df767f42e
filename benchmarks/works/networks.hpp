// What is timed, as types: tasks and policies. benchmarks/peers/tasks.py has the same tasks in numbers.
#pragma once

#include <aila/aila.hpp>

namespace works {

/// The policies; `bare` is a stack without connections and without LayerNorm, what other libraries call a stacked LSTM
/// or a plain convolutional network.
namespace policy {
struct bare {};
using none = aila::integrate::None;
using residual = aila::integrate::Residual;
using densenet = aila::integrate::DenseNet;
using linear = aila::integrate::Linear<aila::Heads<4>>;
using attention = aila::integrate::Attention<aila::TiedValues>;
using rezero = aila::integrate::ReZero;
using highway = aila::integrate::Highway;
using laurel = aila::integrate::Laurel<aila::integrate::LowRank<8>>;
using hyper_connections = aila::integrate::HyperConnections<2>;
using dense_former = aila::integrate::DenseFormer<>;
using dynamic_linear_combination = aila::integrate::DynamicLinearCombination;
using attention_residuals = aila::integrate::AttentionResiduals<>;
using multi_head_attention_residuals = aila::integrate::AttentionResiduals<aila::Heads<4>>;
using delta_attention_residuals = aila::integrate::DeltaAttentionResiduals<>;
using deep_cross_attention = aila::integrate::DeepCrossAttention<>;
using mudd = aila::integrate::Mudd<>;
using elmo_mix = aila::integrate::ElmoMix;
/// A policy of a program's own, written once as a body: sigmoid(gate) times the mean of the earlier layers.
struct gated_mean : aila::integrate::Policy {
  static constexpr const char* name = "gated_mean";
  template <class Own, class Before>
  static constexpr bool accepts = Before::same_width && Before::features(0) == Own::features;
  template <class Own, class Before>
  static consteval auto parameters() {
    return std::array{aila::parameter("gate", {Own::features}, aila::init::zeros()).without_decay()};
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
}  // namespace policy

/// Plain is what follows the cores of a bare stack.
template <class Policy, class Plain, class... Cores>
struct StackUnder {
  using type = aila::Stack<Policy, Cores...>;
};
template <class Plain, class... Cores>
struct StackUnder<policy::bare, Plain, Cores...> {
  using type = aila::Stack<aila::integrate::None, aila::Epilogue<Plain>, Cores...>;
};

template <class Policy, std::size_t Steps, std::size_t Features, std::size_t Depth = 4>
struct LstmNet : aila::Network<aila::Sequence<Steps, Features>,
                               typename StackUnder<Policy, aila::Identity, aila::Repeat<Depth, aila::Lstm<64>>>::type,
                               aila::LastStep, aila::Linear<1>> {};

/// Stacks whose input has the cores' width already, as mixtures of whole maps need it.
template <class Policy, std::size_t Steps>
struct EvenLstmNet
    : aila::Network<aila::Sequence<Steps, 1>, aila::Linear<64>, aila::Stack<Policy, aila::Repeat<4, aila::Lstm<64>>>,
                    aila::LastStep, aila::Linear<1>> {};
template <class Policy>
struct EvenConvNet
    : aila::Network<aila::Image<32, 32, 3>, aila::Conv<64>, aila::Stack<Policy, aila::Repeat<4, aila::Conv<64>>>,
                    aila::MeanOverPositions, aila::Linear<10>> {};

using Halving = aila::Conv<64, aila::Stride<2>>;
template <class Policy>
struct ConvNet
    : aila::Network<aila::Image<32, 32, 3>,
                    typename StackUnder<Policy, aila::Relu, aila::Conv<64>, Halving, Halving, aila::Conv<64>>::type,
                    aila::MeanOverPositions, aila::Linear<10>> {};

/// Each task has its network by policy, the samples of a batch, its loss, and the target of sample i, given a number
/// from -1 to 1.
namespace task {
struct forecast {
  template <class Policy>
  using Net = LstmNet<Policy, 12, 1>;
  static constexpr std::size_t batch = 32;
  using Loss = aila::MeanSquaredError;
  static float target(std::size_t, float number) { return number; }
};
struct forecast32 : forecast {
  template <class Policy>
  using Net = LstmNet<Policy, 12, 1, 32>;
};
struct sentiment {
  template <class Policy>
  using Net = LstmNet<Policy, 200, 100>;
  static constexpr std::size_t batch = 64;
  using Loss = aila::BinaryCrossEntropy;
  static float target(std::size_t i, float) { return static_cast<float>(i % 2); }
};
struct image {
  template <class Policy>
  using Net = ConvNet<Policy>;
  static constexpr std::size_t batch = 128;
  using Loss = aila::CrossEntropy;
  static float target(std::size_t i, float) { return static_cast<float>(i % 10); }
};
struct even_lstm : forecast {
  template <class Policy>
  using Net = EvenLstmNet<Policy, 12>;
};
struct even_conv : image {
  template <class Policy>
  using Net = EvenConvNet<Policy>;
};
}  // namespace task

}  // namespace works
