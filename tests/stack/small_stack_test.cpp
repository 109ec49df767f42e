// Threads with little stack - those of audio drivers, of some C libraries - run any network: what grows with it is
// memory of workspaces, not automatic arrays.
#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/learn/losses.hpp>
#include <aila/network/network.hpp>
#include <aila/network/workspace.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "painted_stack.hpp"

namespace aila {
namespace {

using CpuDouble = backend::CpuOn<simd::DefaultArch, double>;

/// Training and prediction with a workspace, on a thread with a painted stack.
template <class Net, class Backend>
class OnSmallStack {
 public:
  using S = typename Backend::Scalar;
  using Train = Workspace<Net, Backend, Capability::train>;
  using Predict = Workspace<Net, Backend, Capability::predict>;
  using Kernel = typename Train::Kernel;
  using In = typename Train::In;

  /// What took most, and how much; nothing where that is within the bound.
  static std::string excess() {
    OnSmallStack here;
    std::string most;
    std::size_t bytes = stack_bound;
    const auto measure = [&](const char* what, auto&& f) {
      const std::size_t used = painted_stack().used_by(f);
      if (used <= bytes) return;
      bytes = used;
      most = std::string(what) + " takes " + std::to_string(used) + " bytes of stack";
    };
    measure("packing",
            [&] { Kernel::pack({here.parameters.data(), Train::layout.offset.data()}, here.packed.data()); });
    measure("training", [&] { here.train(); });
    measure("prediction", [&] { here.predict(); });
    CHECK(std::all_of(here.gradients.data(), here.gradients.data() + Train::layout.size,
                      [](S g) { return g - g == S(0); }));
    return most;
  }

 private:
  static constexpr std::size_t samples = 2, rows = 3, stride = round_up(Train::Out::features, alignment_elements);

  OnSmallStack() {
    for (std::size_t i = 0; i < Train::layout.size; ++i)
      parameters.data()[i] = S(0.001) * static_cast<S>(static_cast<int>(i * 37 % 101) - 50);
  }
  void train() {
    Train workspace(samples);
    std::copy_n(x.data(), samples * In::elements, workspace.input());
    std::fill_n(workspace.output_gradient(), samples * Train::Out::elements, S(1));
    RowGradients taken{table_rows.data(), table_values.data(), 0};
    Pass pass = first_pass();
    pass.training = true;
    pass.row_gradients = &taken;
    workspace.forward(pass, parameters.data(), packed.data(), workspace.input());
    workspace.backward(pass, parameters.data(), packed.data(), gradients.data(), true);
  }
  void predict() {
    Predict workspace(samples);
    workspace.forward(first_pass(), parameters.data(), packed.data(), x.data());
  }
  Pass first_pass() const {
    Pass pass;
    pass.samples = samples;
    pass.tables = &table_ref;
    return pass;
  }

  AlignedArray<S> parameters{Train::layout.size + 2 * alignment_elements};
  AlignedArray<S> gradients{Train::layout.size + 2 * alignment_elements};
  AlignedArray<S> packed{Kernel::packed + 2 * alignment_elements};
  AlignedArray<ElementOf<In, S>> x{samples * In::elements + 2 * alignment_elements};
  AlignedArray<S> table{In::is_tokens ? rows * stride : 1};
  TableRef table_ref{table.data(), rows};
  std::vector<std::int32_t> table_rows = std::vector<std::int32_t>(samples * In::positions);
  AlignedArray<S> table_values{In::is_tokens ? samples * In::positions * stride : 1};
};

// Wide maps, so wide that a row of theirs would break the bound.
struct Wide
    : Network<Sequence<4, 4096>, Softmax, LayerNorm, Identity, Relu, Gelu, Silu, Tanh, Sigmoid, Dropout<20>,
              StochasticDepth<20>, LearnedPositions, SinusoidalPositions, ReluLayerNorm, BatchNorm<>, DepthwiseConv<>,
              MaxPool<2>, Shortcut<5000>, AveragePool<2>, Residual<Frozen<LayerNorm>>, ClassToken, SqueezeExcitation<4>,
              Sum<Tanh, Softmax>, Sum<FirstStep, LastStep, MeanOverPositions, GlobalMaxPool, AttentionPooling<3>>,
              Concat<Softmax>, Linear<3>> {};
struct WideInside : Network<Sequence<2, 3>, AttentionPooling<5000>, Linear<5000>, Softmax> {};
struct WideTokens : Network<Tokens<3>, Embedding<5000>> {};
struct Recurrent : Network<Sequence<3, 600>, Lstm<300>, Gru<300>, Bidirectional<Lstm<150>>, SelfAttention<2>,
                           TransformerBlock<2, 600>, LastStep> {};
struct Long : Network<Sequence<1200, 4>, Lstm<4>, Gru<4>, Bidirectional<Gru<2>>, SelfAttention<2>, SinusoidalPositions,
                      AttentionPooling<3>> {};
struct Images : Network<Image<4, 4, 256>, Conv<256>, BatchNorm<>, Relu, Conv<256, Stride<2>>, Conv<256, Kernel<1>>,
                        DepthwiseConv<>, PatchEmbedding<2, 600>> {};
struct LargeWindows : Network<Image<32, 32, 40>, Conv<4, Kernel<13>>, MaxPool<16>, Flatten> {};

template <class Policy, class... Cores>
struct Integrated : Network<Sequence<2, 600>, Stack<Policy, Cores...>> {};
template <class Policy>
using Stacked = Integrated<Policy, Repeat<4, Tanh>>;
template <class Policy>
struct Deep : Network<Sequence<8, 2>, Stack<Policy, Repeat<24, Linear<2>>>, Repeat<24, Linear<2>>> {};

template <class Net>
void check() {
  CHECK(OnSmallStack<Net, backend::Cpu>::excess() == "");
  CHECK(OnSmallStack<Net, backend::Reference<double>>::excess() == "");
}

TEST_CASE("wide layers keep off the stack") {
  check<Wide>();
  check<WideInside>();
  check<WideTokens>();
}
TEST_CASE("layers over wide, long and large sequences and images keep off the stack") {
  check<Recurrent>();
  check<Long>();
  check<Images>();
  check<LargeWindows>();
}
TEST_CASE_TEMPLATE("policies over wide maps keep off the stack", Policy, integrate::None, integrate::Residual,
                   integrate::DenseNet, integrate::Linear<>,
                   integrate::Linear<Heads<300>, TaskEmbedding, Score<Context>>, integrate::Attention<>,
                   integrate::Attention<Heads<5>, TiedValues, MeanOfHeads>) {
  check<Stacked<Policy>>();
}
TEST_CASE("deep networks keep off the stack") {
  check<Deep<integrate::Linear<>>>();
  check<Deep<integrate::Attention<>>>();
}

template <class Loss, class V>
std::size_t used_by_loss(const Loss& loss) {
  using Out = Vector<20000>;
  const AlignedArray<V> output(Out::elements), target(Loss::template targets<Out>);
  AlignedArray<V> gradient(Out::elements);
  return painted_stack().used_by(
      [&] { gradient.data()[0] += loss.template operator()<Out>(output.data(), target.data(), gradient.data()); });
}
TEST_CASE_TEMPLATE("losses over many outputs keep off the stack", Loss, CrossEntropy, MeanSquaredError,
                   MeanAbsoluteError, Huber, BinaryCrossEntropy, Quantile) {
  CHECK(used_by_loss<Loss, double>(Loss{}) <= stack_bound);
  CHECK(used_by_loss<Loss, Lanes<backend::Cpu>::V>(Loss{}) <= stack_bound);
}

}  // namespace
}  // namespace aila
