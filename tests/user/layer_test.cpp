// Layers of a user's with one body for both backends: element by element, position by position, sample by sample.
#include <doctest/doctest.h>

#include "gradients.hpp"
#include "samples.hpp"

namespace studio {

using aila::ScalarOf;
using aila::Weights;

/// y = x / (1 + |x|)
struct Softsign {
  template <aila::RealShape In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
    return x / (V(1) + aila::math::abs(x));
  }
  template <class V>
  static constexpr V slope(V x, V) {
    const V below = V(1) + aila::math::abs(x);
    return V(1) / (below * below);
  }
};

/// y_f = s_f silu(x_f) at each position, s learned.
struct ScaledSilu {
  static constexpr const char* name = "scaled_silu";
  static constexpr bool position_wise = true;
  template <aila::RealShape In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{aila::parameter("scale", {In::features}, aila::init::ones()).without_decay()};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) y[f] = V(w[0][f]) * aila::Silu::value(x[f]);
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    for (std::size_t f = 0; f < In::features; ++f) {
      const V y = aila::Silu::value(x[f]);
      g.add(0, f, dy[f] * y);
      dx[f] += dy[f] * V(w[0][f]) * aila::Silu::slope(x[f], y);
    }
  }
};

/// [steps, F] -> [steps - 1, F]: y_t = x_{t+1} - m x_t, m learned. It sees the whole sample.
struct Changes {
  static constexpr const char* name = "changes";
  template <class In>
  static constexpr bool accepts = aila::SequenceShape<In> && In::positions > 1;
  template <class In>
  static consteval int expect() {
    static_assert(accepts<In>, "Changes takes a sequence of two steps or more");
    return 0;
  }
  template <class In>
  using Out = aila::Sequence<In::positions - 1, In::features>;
  template <class In>
  static consteval auto parameters() {
    return std::array{aila::parameter("memory", {1}, aila::init::constant(0.5))};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    for (std::size_t i = 0; i < Out<In>::elements; ++i) y[i] = x[i + In::features] - V(w[0][0]) * x[i];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    for (std::size_t i = 0; i < Out<In>::elements; ++i) {
      dx[i + In::features] += dy[i];
      dx[i] = dx[i] - V(w[0][0]) * dy[i];
      g.add(0, 0, -dy[i] * x[i]);
    }
  }
};

struct Sound
    : aila::Network<aila::Sequence<6, 2>, Changes, aila::Stack<aila::integrate::Linear<>, aila::Linear<8>, ScaledSilu>,
                    Softsign, aila::MeanOverPositions, aila::Linear<1>> {};

}  // namespace studio

namespace aila {
namespace {

static_assert(std::is_same_v<NetworkOutput<studio::Sound>, Vector<1>>);
static_assert(!layer_accepts<studio::Changes, Sequence<1, 3>>() && !layer_accepts<studio::Softsign, Tokens<5>>());

TEST_CASE_TEMPLATE("a user's layers have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<studio::Softsign, Image<2, 3, 5>, Backend>() == "");
  CHECK(wrong_gradient<studio::ScaledSilu, Image<2, 3, 5>, Backend>() == "");
  CHECK(wrong_gradient<studio::Changes, Sequence<5, 3>, Backend>({.samples = 11}) == "");
  CHECK(wrong_gradient<studio::Sound, void, Backend>() == "");
}

TEST_CASE_TEMPLATE("a user's layers train", Backend, backend::Reference<float>, backend::Cpu, CpuDouble) {
  CHECK(improvement<studio::Sound, Backend>(MeanSquaredError{}) < 0.5);
}

TEST_CASE_TEMPLATE("a user's layer computes what its body says", Backend, backend::Reference<float>, backend::Cpu) {
  struct Net : Network<Sequence<3, 1>, studio::Changes> {};
  const Model<Net, Backend> model;
  Predictor predict{model};
  const auto y = predict(std::array{1.0F, 3.0F, 7.0F});
  CHECK(y[0] == 2.5F);
  CHECK(y[1] == 5.5F);
}

}  // namespace
}  // namespace aila
