// expect 1: aila: earlier maps must divide into whole windows of this layer's map
// expect 2: aila: earlier maps must divide into whole windows of this layer's map
// expect 3: aila: earlier maps must divide into whole windows of this layer's map
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

// Keeps every N-th step.
template <std::size_t N>
struct Every {
  template <SequenceShape In>
  using Out = Sequence<(In::positions + N - 1) / N, In::features>;
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>>, V* y) {
    for (std::size_t i = 0; i < Out<In>::elements; ++i)
      y[i] = x[i / In::features * N * In::features + i % In::features];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V*, Weights<ScalarOf<V>>, const V* dy, V* dx, G&) {
    for (std::size_t i = 0; i < Out<In>::elements; ++i)
      dx[i / In::features * N * In::features + i % In::features] += dy[i];
  }
};

#if defined(MUST_FAIL_1)
using Policy = integrate::Linear<>;
using Strided = Every<3>;
#elif defined(MUST_FAIL_2)
using Policy = integrate::DenseNet;
using Strided = Every<3>;
#elif defined(MUST_FAIL_3)  // a readout inside a stack leaves no positions to pool to
using Policy = integrate::Attention<>;
using Strided = LastStep;
#else
using Policy = integrate::Linear<>;
using Strided = Every<2>;
#endif
struct Net : Network<Sequence<10, 2>, Stack<Policy, Tanh, Strided, Linear<2>>, Flatten, Linear<1>> {};

#include "every_use.hpp"
