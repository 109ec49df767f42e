// Buffers that lie over one another change no number: what a network computes in planned memory is, bit for bit, what
// it computes where each buffer has memory of its own; and no number that nobody wrote is looked at.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace aila;

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct Results {
  std::vector<float> y, dx, g;
};

struct Case {
  std::size_t samples = 1;
  bool ragged = false, training = false;
};

/// A network's outputs and, where it trains, gradients, in memory that holds NaN before forward, and where nothing is
/// kept again before backward.
template <class Net, Capability C>
Results results(const Case& of, Retain retain) {
  using Memory = Workspace<Net, backend::Cpu, C>;
  using Kernel = typename Memory::Kernel;
  using In = typename Memory::In;
  Model<Net> model({3});
  std::vector<float> noise(std::max({of.samples * In::elements, of.samples * Memory::Out::elements, std::size_t{64}}));
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = std::sin(1.7F * static_cast<float>(i));
  AlignedArray<float> packed(Kernel::packed + alignment_elements), gradients(Memory::layout.size + alignment_elements);
  Kernel::pack(Weights<float>(model.parameters().data(), Memory::layout.offset.data()), packed.data());
  std::vector<std::int32_t> lengths;
  for (std::size_t n = 0; n < of.samples; ++n) lengths.push_back(static_cast<std::int32_t>(1 + 7 * n % In::extents[0]));
  Pass pass;
  pass.samples = of.samples;
  pass.training = of.training;
  pass.seed = {5};
  if (of.ragged && In::rank == 2) pass.lengths = lengths.data();

  Memory memory(of.samples, retain);
  std::ranges::fill(memory.memory(), nan);
  std::copy_n(noise.data(), of.samples * In::elements, memory.input());
  memory.forward(pass, model.parameters().data(), packed.data(), memory.input());
  Results all;
  all.y.assign(memory.output(), memory.output() + of.samples * Memory::Out::elements);
  if constexpr (keeps_for_backward(C)) {
    for (const std::span<float> part : memory.idle()) std::ranges::fill(part, nan);
    std::copy_n(noise.data(), of.samples * Memory::Out::elements, memory.output_gradient());
    memory.backward(pass, model.parameters().data(), packed.data(), gradients.data(), true);
    all.dx.assign(memory.input_gradient(), memory.input_gradient() + of.samples * In::elements);
    all.g.assign(gradients.data(), gradients.data() + Memory::layout.size);
  }
  return all;
}

bool equal(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}
bool finite(const std::vector<float>& a) {
  return std::ranges::all_of(a, [](float v) { return std::isfinite(v); });
}

template <class Net, Capability C>
void check(const Case& of) {
  const Results planned = results<Net, C>(of, Retain::needed), apart = results<Net, C>(of, Retain::all);
  CAPTURE(of.samples);
  CAPTURE(of.ragged);
  CAPTURE(of.training);
  CHECK(finite(planned.y));
  CHECK(equal(planned.y, apart.y));
  CHECK(finite(planned.g));
  CHECK(equal(planned.g, apart.g));
  CHECK(equal(planned.dx, apart.dx));
}

template <class In, class... L>
struct Net : Network<In, L...> {};

template <class In, class... L>
void check_all() {
  for (const std::size_t samples : {std::size_t{1}, std::size_t{3}})
    for (const bool ragged : {false, true}) {
      check<Net<In, L...>, Capability::predict>({samples, ragged, false});
      for (const bool training : {false, true}) check<Net<In, L...>, Capability::train>({samples, ragged, training});
    }
}

template <class Policy>
void check_policy() {
  check_all<Sequence<6, 2>, Stack<Policy, Repeat<4, Lstm<8>>>, LastStep, Linear<2>>();
  check_all<Sequence<6, 8>, Stack<Policy, Gru<8>, Linear<8>, Gru<8>, Epilogue<Relu>>, Tanh>();
  check_all<Image<8, 8, 3>, Stack<Policy, Conv<8>, Conv<8, Stride<2>>, Conv<8>, Conv<8, Stride<2>>>, MeanOverPositions,
            Linear<3>>();
  check_all<Sequence<6, 8>, Stack<Policy, Residual<Lstm<8>>, Stack<Policy, Repeat<3, Linear<8>>>, Linear<8>>,
            AttentionPooling<4>>();
}

}  // namespace

TEST_CASE("stacks compute the same in planned memory") {
  check_policy<integrate::None>();
  check_policy<integrate::Residual>();
  check_policy<integrate::DenseNet>();
  check_policy<integrate::Linear<Heads<2>>>();
  check_policy<integrate::Attention<>>();
  check_policy<integrate::Attention<TiedValues>>();
}

TEST_CASE("composites in one another compute the same in planned memory") {
  using Folded = Chain<Conv<8>, BatchNorm<>, Relu, Conv<8>, BatchNorm<>>;
  check_all<Image<8, 8, 3>, Conv<8>, Residual<Folded>, Folded, Concat<BatchNorm<>, Relu, Conv<4>>, SqueezeExcitation<4>,
            MaxPool<2>, Sum<Shortcut<12>, Chain<Relu, Conv<12>>, Relu>, MeanOverPositions, Dropout<10>, Linear<3>>();
  check_all<Sequence<6, 8>, TransformerBlock<2, 8>, Frozen<Chain<Linear<8>, Tanh>>, LastStep, Linear<2>>();
  check_all<Sequence<6, 2>, Bidirectional<Lstm<4>>, Frozen<Residual<Gru<8>, LayerNorm>>,
            Frozen<Stack<integrate::Linear<>, Repeat<2, Lstm<8>>>>, Residual<Bidirectional<Lstm<4>>>>();
}
