// Three networks that are soon compiled: of sequences, of images and of tokens.
#pragma once

#include <aila/aila.hpp>
#include <aila/network/explain.hpp>
#include <aila/network/inspect.hpp>
#include <cstddef>
#include <vector>

namespace aila {

struct OfSequences : Network<Sequence<6, 3>, Stack<integrate::Linear<>, Repeat<2, Gru<4>>>, LastStep, Linear<2>> {};
struct OfImages : Network<Image<4, 4, 1>, BatchNorm<>, Flatten, Linear<2>> {};
struct OfTokens : Network<Tokens<6>, Embedding<4>, Tanh, GlobalMaxPool, Linear<2>> {};

/// Inputs of so many samples that differ.
template <class Net, class Scalar = float>
auto inputs_of(std::size_t samples) {
  using In = NetworkInput<Net>;
  std::vector<ElementOf<In, Scalar>> x(samples * In::elements);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t n = (i * 37 + i / 11) % 101;
    if constexpr (In::is_tokens)
      x[i] = static_cast<std::int32_t>(n % 7);
    else
      x[i] = static_cast<Scalar>(n) / 50 - 1;
  }
  return x;
}

/// A model whose table, where it has one, has seven rows.
template <class Net, class Backend = backend::Cpu>
Model<Net, Backend> model_of() {
  if constexpr (Model<Net, Backend>::tables > 0)
    return Model<Net, Backend>(Seed{3}, {7});
  else
    return Model<Net, Backend>(Seed{3});
}

}  // namespace aila
