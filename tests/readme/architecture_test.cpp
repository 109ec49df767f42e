// The blocks of C++ in the pages under include/aila, compiled and run as they stand there.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/learn/check_gradients.hpp>
#include <aila/network/inspect.hpp>
using namespace aila;

namespace pages {

struct Small : Network<Sequence<12, 1>, Stack<integrate::Attention<>, Repeat<3, Lstm<8>>>, LastStep, Linear<1>> {};

using WholePlaced = PlacedNetwork<Small>;  // a chain on its input
static_assert(std::is_same_v<WholePlaced::Out, Vector<1>>);
static_assert(parameter_layout<WholePlaced>.size >= parameter_count<Small>);  // tensors begin at multiples of 16

using WholeKernel = KernelFor<WholePlaced, backend::Cpu>;
static_assert(WholeKernel::nodes == 3);        // the stack, which has a plan of its own, the readout and the last layer
static_assert(WholeKernel::plan.needs_input);  // backward looks at the network's input again
static_assert(workspace_bytes<Small, backend::Cpu, Capability::predict> <
              workspace_bytes<Small, backend::Cpu, Capability::train>);

struct CountingQueue : backend::HostQueue {
  static inline std::size_t runs = 0;
  template <class F>
  void run(F&& work) const {
    ++runs;
    work();
  }
};
struct Counting : backend::OnHost<float> {
  using Queue = CountingQueue;
  using Kernels = backend::Cpu;
  static constexpr const char* name = "cpu, counted";
};
static_assert(ComputeBackend<Counting>);

const Model<Small, Counting> counted;
Predictor predict_counted{counted};

struct Halves {};  // stands for a type of two bytes
using HalfTypes = backend::Types<Halves, Halves, float>;
using Narrow = backend::CpuOn<simd::DefaultArch, float, HalfTypes>;

struct Twice {
  template <class In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
    return x + x;
  }
};
template <class In>
struct NarrowTwice : KernelDefaults<float> {};  // and forward, and backward
template <class In, class Arch>
NarrowTwice<In> select_kernel(rank::Layer, Placed<Twice, In>, backend::CpuOn<Arch, float, HalfTypes>);

static_assert(std::is_same_v<KernelFor<Placed<Twice, Vector<4>>, Narrow>, NarrowTwice<Vector<4>>>);
static_assert(!std::is_same_v<KernelFor<Placed<Twice, Vector<4>>, backend::Cpu>, NarrowTwice<Vector<4>>>);

static_assert(GroupSplit::of(32).groups == 8 && GroupSplit::of(1024).samples == 16);
static_assert(GroupSplit::of(32, 1'000'000).groups == 4);

/// x / (1 + |x|)
struct Softsign {
  static constexpr const char* name = "softsign";
  template <class In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
    return x / (V(1) + math::abs(x));
  }
  template <class V>
  static constexpr V slope(V x, V) {
    const V reach = V(1) + math::abs(x);
    return V(1) / (reach * reach);
  }
};

/// y = gain * x, feature by feature.
struct Gain {
  static constexpr const char* name = "gain";
  static constexpr bool position_wise = true;
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("gain", {In::features}, init::ones())};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) y[f] = V(w[0][f]) * x[f];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    for (std::size_t f = 0; f < In::features; ++f) {
      dx[f] += V(w[0][f]) * dy[f];
      g.add(0, f, x[f] * dy[f]);
    }
  }
};

/// Gain on backend::Cpu: rows of features, as the compiler's vectors.
template <class In, class S>
struct GainKernel : KernelDefaults<S> {
  static constexpr const char* name = "gain, rows";
  static constexpr BackwardNeeds backward_needs{.output = false};  // y may be overwritten
  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t row = 0; row < pass.samples * In::positions; ++row, x += In::features, y += In::features)
      for (std::size_t f = 0; f < In::features; ++f) y[f] = w[0][f] * x[f];
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t p = 0; p < In::positions; ++p) {
        if (In::rank == 2 && p >= pass.length(n, In::positions)) continue;  // a padded step
        const std::size_t at = (n * In::positions + p) * In::features;
        for (std::size_t f = 0; f < In::features; ++f) {
          if (dx != nullptr) dx[at + f] += w[0][f] * dy[at + f];
          if (g) g[0][f] += x[at + f] * dy[at + f];
        }
      }
  }
};
template <class In, class Arch, class S>
GainKernel<In, S> select_kernel(rank::Layer, Placed<Gain, In>, backend::CpuOn<Arch, S>);

static_assert(std::is_same_v<KernelFor<Placed<Gain, Vector<4>>, backend::Cpu>, GainKernel<Vector<4>, float>>);

/// a_j = w_1 h_1 + ... + w_{j-1} h_{j-1}, with learned weights that begin as the newest layer alone.
struct WeightedSum : integrate::Policy {
  static constexpr const char* name = "weighted_sum";
  template <class Own, class Before>
  static consteval auto parameters() {
    return std::array{parameter("weight", {Before::count}, init::last_unit()).without_decay()};
  }
  template <class Own, class Before, class V>
  static constexpr void forward(const V*, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) {
      a[f] = V(w[0][0]) * before[0][f];
      for (std::size_t i = 1; i < Before::count; ++i) a[f] += V(w[0][i]) * before[i][f];
    }
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V*, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V*,
                                 V* const* d_before, G& g) {
    for (std::size_t i = 0; i < Before::count; ++i) {
      V slope(0);
      for (std::size_t f = 0; f < Own::features; ++f) {
        d_before[i][f] += V(w[0][i]) * da[f];
        slope += before[i][f] * da[f];
      }
      g.add(0, i, slope);
    }
  }
};

struct AttentionResiduals
    : integrate::Mixture<integrate::AttachedAt<integrate::Place::before>, integrate::RmsKeys, integrate::LearnedQuery> {
  static constexpr const char* name = "attention_residuals";
};

struct Branches : Network<Sequence<8, 3>, Residual<Linear<3>, Tanh>, Stack<integrate::DenseNet, Linear<4>, Gru<4>>,
                          MeanOverPositions, Linear<2>> {};

static_assert(std::is_same_v<PlacedNetwork<Branches>::Out, Vector<2>>);

// What has no kernel in a backend's types is refused.
static_assert(detail::Refused<KernelFor<Placed<Linear<4>, Vector<3>>, Narrow>>);
static_assert(!detail::Refused<KernelFor<Placed<Linear<4>, Vector<3>>, backend::Cpu>>);

}  // namespace pages

TEST_CASE("a backend of one's own is asked for memory and work") {
  using namespace pages;
  const std::array<float, 12> x{0.5F, -1, 0.25F};
  const Model<Small> model;
  Predictor predict{model};
  const std::size_t before = CountingQueue::runs;
  CHECK(predict_counted(x)[0] == predict(x)[0]);
  CHECK(CountingQueue::runs == before + 1);
}

TEST_CASE("a first layer, kernel and policy; a model and its workspace") {
  using namespace pages;
  CHECK(check_gradients<Softsign, Vector<5>>().ok);
  CHECK(check_gradients<Gain, Sequence<4, 3>, backend::CpuDouble>().ok);
  CHECK(parameter_count<Network<Sequence<12, 1>, Lstm<8>, Gain, Softsign, LastStep, Linear<1>>> ==
        8 * 4 * (1 + 8 + 1) + 8 + 9);
  CHECK(check_gradients<WeightedSum>().ok);
  CHECK(check_gradients<WeightedSum, void, backend::CpuDouble>().ok);  // with registers for V
  using Connected = Network<Sequence<12, 1>, Stack<WeightedSum, Repeat<3, Lstm<8>>>, LastStep, Linear<1>>;
  const Model<Connected> connected;
  CHECK(connected.parameter("stack.2.integrate.weight")[1] == 1);  // of h_2, the newest; stack.2 is the third layer
  CHECK(check_gradients<AttentionResiduals>().ok);
  using Connected16 =
      Network<Sequence<12, 1>, Linear<8>, Stack<AttentionResiduals, Repeat<16, Lstm<8>>>, LastStep, Linear<1>>;
  const Model<Connected16> attentive;
  CHECK(mixture_weights(attentive, std::vector<float>(12)).back().items.size() ==
        17);  // h_0 and the outputs of 16 layers
  CHECK(parameter_table<Branches>()[0].name == "residual.linear.weight");
  const Model<Branches> branches{Seed{1}};
  Workspace<Branches, backend::Cpu, Capability::predict> space(2);
  const std::vector<float> two_samples(2 * 8 * 3);
  CHECK(branches.predict(two_samples, space).size() == 4);  // allocates nothing
}
