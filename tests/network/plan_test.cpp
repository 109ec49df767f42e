// What is known of a network before the program runs; every number here was computed by hand.
#include <doctest/doctest.h>

#include <aila/backend/reference.hpp>
#include <aila/compose/walk.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/workspace.hpp>

using namespace aila;

namespace {

template <class Policy>
struct Forecaster : Network<Sequence<12, 1>, Stack<Policy, Repeat<4, Lstm<64>>>, LastStep, Linear<1>> {};
using Attention = Forecaster<integrate::Attention<>>;
using None = Forecaster<integrate::None>;
struct Perceptron : Network<Vector<2>, Linear<3>, Tanh, Linear<1>> {};
struct Deep : Network<Sequence<4, 2>, Stack<integrate::Attention<>, Repeat<64, Lstm<4>>>, LastStep, Linear<1>> {};

// ---- parameters ----------------------------------------------------------------------------------------------------
// LSTM 1 -> 64: 256 (1 + 64 + 1) = 16'896; 64 -> 64: 256 (64 + 64 + 1) = 33'024; norms 4 * 128; Linear 65.
static_assert(parameter_count<None> == 16'896 + 3 * 33'024 + 4 * 128 + 65);
static_assert(parameter_count<None> == 116'545);
static_assert(parameter_count<Forecaster<integrate::Residual>> == 116'545);
// Values of 1 + 2 + 3 earlier layers, and query and key of layers 2 and 3: ten matrices of 64 x 64.
static_assert(parameter_count<Attention> == 116'545 + 10 * 4'096);
static_assert(parameter_count<Attention> == 157'505);
static_assert(parameter_count<Forecaster<integrate::Attention<TiedValues>>> == 116'545 + 7 * 4'096);
static_assert(parameter_count<Forecaster<integrate::Attention<Heads<4>>>> == 157'505, "heads share the width");
static_assert(parameter_count<Forecaster<integrate::Attention<Heads<4>, KeyWidth<64>, MeanOfHeads>>> ==
              116'545 + 4 * 10 * 4'096);
// Six projections; scores of 2, 3 and 4 items, of 64 numbers whatever the heads; a task embedding is one item more.
static_assert(parameter_count<Forecaster<integrate::Linear<>>> == 116'545 + 6 * 4'096 + 9 * 64);
static_assert(parameter_count<Forecaster<integrate::Linear<Heads<4>>>> == 116'545 + 6 * 4'096 + 9 * 64);
static_assert(parameter_count<Forecaster<integrate::Linear<TaskEmbedding>>> == 116'545 + 6 * 4'096 + 12 * 64 + 3 * 64);
static_assert(parameter_count<Forecaster<integrate::Linear<Score<Context>>>> ==
              116'545 + 6 * 4'096 + (4 + 9 + 16) * 64);
// DenseNet's cores 2 and 3 read 128 and 192 features instead of 64.
static_assert(parameter_count<Forecaster<integrate::DenseNet>> == 116'545 + 256 * (64 + 128));

// ---- operations ----------------------------------------------------------------------------------------------------
// A unit of an LSTM and a step: 8 (inputs + units) for the products, 4 biases, 9 for gates and cell. A norm: 8 an
// element.
static_assert(flops<None> == 12 * 64 * (8 * 65 + 13) + 3 * 12 * 64 * (8 * 128 + 13) + 4 * 8 * 768 + 129);
static_assert(flops<None> == 2'823'297);
static_assert(flops<Forecaster<integrate::Residual>> == 2'823'297 + 3 * 768);
// A position of attention over n: values 2 n 64 64, mixture 2 n 64; from n = 2 on queries and keys 2 64 64 (1 + n),
// scores 2 n 64 and 4 n of the softmax.
constexpr std::size_t attention_flops(std::size_t n) {
  return 2 * n * 64 * 65 + (n > 1 ? 2 * 64 * 64 * (1 + n) + n * (2 * 64 + 4) : 0);
}
static_assert(flops<Attention> == 2'823'297 + 12 * (attention_flops(1) + attention_flops(2) + attention_flops(3)));
static_assert(flops<Perceptron> == 3 * (2 * 2 + 1) + 3 + (2 * 3 + 1));

// ---- memory --------------------------------------------------------------------------------------------------------
// Each buffer is rounded up to 16 elements and has 16 behind it. Predicting: input, output, a map, which Tanh
// is applied in, no scratch (16).
static_assert(workspace_bytes<Perceptron, backend::Reference<double>> == (3 * 32 + 16) * 8);
static_assert(workspace_bytes<Perceptron, backend::Reference<float>> == (3 * 32 + 16) * 4);
// Training: two maps, the gradients of input and output, and one that is both maps' beside them. Ten samples: 30
// elements are two lines.
static_assert(workspace_bytes<Perceptron, backend::Reference<double>, Capability::train> == (7 * 32 + 16) * 8);
static_assert(workspace_bytes<Perceptron, backend::Reference<double>, Capability::train, 10> ==
              (2 * 32 + 5 * 48 + 16) * 8);

// ---- shapes and depth ----------------------------------------------------------------------------------------------
static_assert(std::is_same_v<NetworkInput<None>, Sequence<12, 1>> && std::is_same_v<NetworkOutput<None>, Vector<1>>);
static_assert(parameter_count<Deep> ==
              (16 * (2 + 4 + 1) + 63 * 16 * (4 + 4 + 1)) + 64 * 8 + (63 * 64 / 2 + 2 * 62) * 16 + 5);
static_assert(PlacedNetwork<Deep>::tensors == 64 * 5 + 63 * 64 / 2 + 2 * 62 + 2);

// ---- Repeat --------------------------------------------------------------------------------------------------------
struct Repeated : Network<Vector<2>, Repeat<2, Linear<3>, Tanh>, Repeat<2, Repeat<2, Linear<4>>, Relu>> {};
struct Written
    : Network<Vector<2>, Linear<3>, Tanh, Linear<3>, Tanh, Linear<4>, Linear<4>, Relu, Linear<4>, Linear<4>, Relu> {};
static_assert(std::is_same_v<ExpandedLayers<Repeat<2, Repeat<2, Linear<4>>, Relu>>,
                             List<Linear<4>, Linear<4>, Relu, Linear<4>, Linear<4>, Relu>>);
static_assert(parameter_count<Repeated> == parameter_count<Written> && flops<Repeated> == flops<Written>);
using Core = Lstm<8>;
static_assert(std::is_same_v<Stack<integrate::None, Repeat<2, Core, Repeat<2, Core>>>::CoreLayers,
                             List<Core, Core, Core, Core, Core, Core>>);

// ---- options in any order are one type
// -------------------------------------------------------------------------------
static_assert(std::is_same_v<integrate::Attention<Heads<4>, TiedValues>, integrate::Attention<TiedValues, Heads<4>>>);
static_assert(std::is_same_v<integrate::Attention<KeyWidth<8>, MeanOfHeads, Heads<2>, TiedValues>,
                             integrate::Attention<TiedValues, Heads<2>, MeanOfHeads, KeyWidth<8>>>);
static_assert(std::is_same_v<integrate::Attention<>, integrate::Attention<OwnValues, Concatenate, Heads<1>>>);
static_assert(std::is_same_v<integrate::Linear<Score<Context>, Heads<2>, TaskEmbedding>,
                             integrate::Linear<TaskEmbedding, Score<Context>, Heads<2>>>);
static_assert(!std::is_same_v<integrate::Attention<Heads<4>>, integrate::Attention<Heads<2>>>);

// ---- equal layers are one type: they are compiled once
// ---------------------------------------------------------------
using Layers = Stack<integrate::None, Repeat<4, Lstm<64>>>::Plan<Sequence<12, 64>>::Layers;
static_assert(std::is_same_v<At<Layers, 1>, At<Layers, 3>>);

// ---- the canonical array -------------------------------------------------------------------------------------------
constexpr std::size_t padded(std::size_t n) {
  return round_up(n, 16);
}
struct Mixed : Network<Sequence<3, 2>, Frozen<Linear<3>>, Lstm<4>, LayerNorm, LastStep, Linear<1>> {};
constexpr const auto& mixed = parameter_layout<PlacedNetwork<Mixed>>;
static_assert(mixed.decaying_end == padded(16 * 3) + padded(16 * 4) + padded(4), "LSTM matrices and the last weight");
static_assert(mixed.trainable_end == mixed.decaying_end + padded(16) + 2 * padded(4) + padded(1),
              "biases and the norm");
static_assert(mixed.frozen_end == mixed.trainable_end + padded(6) + padded(3));
static_assert(mixed.size == mixed.frozen_end, "no buffers");

/// A layer that counts: a statistic that training collects.
struct Counting : ElementWise {
  static constexpr const char* name = "counting";
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("count", {1}, init::zeros()).of_kind(ParameterKind::buffer),
                      parameter("scale", {In::features}, init::ones())};
  }
};
struct Counted : Network<Vector<5>, Counting, Linear<1>> {};
constexpr const auto& counted = parameter_layout<PlacedNetwork<Counted>>;
static_assert(counted.frozen_end == 48 && counted.size == 64 && counted.offset[0] == 48, "buffers come last");
static_assert(parameter_count<Counted> == 5 + 6, "and are not counted as parameters");

template <class Net>
void check_array() {
  const auto& layout = parameter_layout<PlacedNetwork<Net>>;
  std::vector<int> covered(layout.size, 0);
  for (const ParameterInfo& p : parameter_table<Net>()) {
    CHECK(p.offset * sizeof(float) % 64 == 0);
    const std::size_t end = p.offset + p.size;
    REQUIRE(end <= layout.size);
    for (std::size_t e = p.offset; e < end; ++e) ++covered[e];
    const bool trainable = p.kind == ParameterKind::trainable;
    CHECK((end <= layout.decaying_end) == (trainable && p.decays));
    CHECK((p.offset >= layout.decaying_end && end <= layout.trainable_end) == (trainable && !p.decays));
    CHECK((p.offset >= layout.trainable_end && end <= layout.frozen_end) == (p.kind == ParameterKind::frozen));
    CHECK((p.offset >= layout.frozen_end) == (p.kind == ParameterKind::buffer));
  }
  std::size_t gap = 0, longest = 0;
  bool overlaps = false;
  for (int n : covered) {
    overlaps = overlaps || n > 1;
    gap = n == 0 ? gap + 1 : 0;
    longest = gap > longest ? gap : longest;
  }
  CHECK(!overlaps);
  CHECK(longest < 16);
}

}  // namespace

TEST_CASE("tensors lie apart, at 64 bytes, each kind in its range, with gaps of less than a line") {
  check_array<Attention>();
  check_array<Forecaster<integrate::Linear<Heads<2>, TaskEmbedding>>>();
  check_array<Mixed>();
  check_array<Counted>();
  check_array<Perceptron>();
}

TEST_CASE("a workspace takes what was counted, and predicting needs less than training") {
  using Predict = Workspace<Attention, backend::Reference<float>, Capability::predict>;
  using Train = Workspace<Attention, backend::Reference<float>, Capability::train>;
  CHECK(Predict::size(1) * 4 == workspace_bytes<Attention, backend::Reference<float>>);
  CHECK(Predict::size(8) < 8 * Predict::size(1));
  CHECK(Predict::size(8) < Train::size(8));
}
