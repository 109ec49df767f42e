// Layers for sequences run by the compiler: the plain loops are constant expressions, forward and backward.
#include <doctest/doctest.h>

#include <aila/backend/reference.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/workspace.hpp>
#include <array>

using namespace aila;

namespace {

struct Texts
    : Network<Sequence<3, 2>, SinusoidalPositions, ClassToken, LearnedPositions, TransformerBlock<1, 2, Causal>,
              Bidirectional<Gru<1>>, AttentionPooling<2>, StochasticDepth<10>> {};
struct Pixels : Network<Image<2, 2, 1>, PatchEmbedding<1, 2>, SelfAttention<2>, FirstStep> {};

/// Outputs, and the gradient of the first inputs.
template <class Net>
constexpr std::array<double, 4> results() {
  using Space = Workspace<Net, backend::Reference<double>, Capability::train>;
  Space workspace(1);
  AlignedArray<double> parameters(Space::layout.size + 2 * alignment_elements);
  for (std::size_t i = 0; i < Space::layout.size; ++i) parameters.data()[i] = (static_cast<double>(7 * i % 11) - 5) / 8;
  for (std::size_t i = 0; i < Space::In::elements; ++i) workspace.input()[i] = (static_cast<double>(5 * i % 7) - 3) / 2;
  Pass pass;
  pass.training = true;
  workspace.forward(pass, parameters.data(), nullptr, workspace.input());
  for (std::size_t i = 0; i < 2; ++i) workspace.output_gradient()[i] = 1 + static_cast<double>(i);
  workspace.backward(pass, parameters.data(), nullptr, nullptr, true);
  return {workspace.output()[0], workspace.output()[1], workspace.input_gradient()[0], workspace.input_gradient()[1]};
}

template <class Net>
void check() {
  constexpr auto compiled = results<Net>();
  const auto run = results<Net>();
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(run[i] != 0);
    CHECK(run[i] == doctest::Approx(compiled[i]).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("the program computes what the compiler computed, in attention, recurrent layers and patches") {
  check<Texts>();
  check<Pixels>();
}
