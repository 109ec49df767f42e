// A policy of a user's: written once, it trains on both backends.
#include <doctest/doctest.h>

#include <aila/network/inspect.hpp>

#include "gradients.hpp"
#include "samples.hpp"

namespace observatory {

using aila::ScalarOf;
using aila::Weights;

/// a_j = sigmoid(<u, y_j>) times the mean of the earlier layers, u learned: each position opens its own gate.
struct GatedMean : aila::integrate::Policy {
  static constexpr const char* name = "gated_mean";
  template <class Own, class Before>
  static constexpr bool accepts = Before::same_width && Before::features(0) == Own::features;
  template <class Own, class Before>
  static consteval auto parameters() {
    return std::array{aila::parameter("gate", {Own::features}, aila::init::zeros()).without_decay()};
  }
  template <class Own, class Before>
  static constexpr std::size_t heads = 1;
  template <class Own, class Before>
  static constexpr std::size_t items = Before::count;

  template <class Own, class V>
  static constexpr V gate(const V* own, Weights<ScalarOf<V>> w) {
    V sum = V(0);
    for (std::size_t f = 0; f < Own::features; ++f) sum += V(w[0][f]) * own[f];
    return aila::math::sigmoid(sum);
  }
  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
    const V share = gate<Own>(own, w) / V(Before::count);
    for (std::size_t f = 0; f < Own::features; ++f) {
      a[f] = V(0);
      for (std::size_t i = 0; i < Before::count; ++i) a[f] += share * before[i][f];
    }
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                 V* const* d_before, G& g) {
    const V n = V(Before::count), open = gate<Own>(own, w);
    V d_open = V(0);
    for (std::size_t f = 0; f < Own::features; ++f)
      for (std::size_t i = 0; i < Before::count; ++i) {
        d_before[i][f] += da[f] * open / n;
        d_open += da[f] * before[i][f] / n;
      }
    const V d_sum = d_open * open * (V(1) - open);
    for (std::size_t f = 0; f < Own::features; ++f) {
      g.add(0, f, d_sum * own[f]);
      d_own[f] += d_sum * V(w[0][f]);
    }
  }
  template <class Own, class Before, class V>
  static constexpr void mixture(const V*, const V* const*, Weights<ScalarOf<V>>, V* weights) {
    for (std::size_t i = 0; i < Before::count; ++i) weights[i] = V(1) / V(Before::count);
  }
};

struct Weather : aila::Network<aila::Sequence<6, 2>, aila::Stack<GatedMean, aila::Repeat<3, aila::Lstm<8>>>,
                               aila::LastStep, aila::Linear<1>> {};

}  // namespace observatory

namespace aila {
namespace {

static_assert(PlacedNetwork<observatory::Weather>::tensors == 3 * 3 + 2 * 1 + 3 * 2 + 2);

TEST_CASE_TEMPLATE("a user's policy has right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<observatory::GatedMean, void, Backend>() == "");
  CHECK(wrong_gradient<observatory::Weather, void, Backend>() == "");
}

TEST_CASE_TEMPLATE("a user's policy trains", Backend, backend::Reference<float>, backend::Cpu, CpuDouble) {
  CHECK(improvement<observatory::Weather, Backend>(MeanSquaredError{}) < 0.5);
}

TEST_CASE("a user's policy has a tensor, a name and weights like the library's") {
  const auto& table = parameter_table<observatory::Weather>();
  CHECK(std::any_of(table.begin(), table.end(), [](const auto& p) { return p.name == "stack.2.integrate.gate"; }));
  const Model<observatory::Weather> model;
  const auto weights = mixture_weights(model, std::vector<float>(12, 0.5F));
  REQUIRE(weights.size() == 2);
  CHECK(weights[1].path == "stack.2.integrate");
  CHECK(weights[1].items == std::vector<std::string>{"h_0", "h_1"});
  for (const double weight : weights[1].mean) CHECK(weight == doctest::Approx(0.5));
}

}  // namespace
}  // namespace aila
