// What one translation unit computes with a network that others, compiled with other flags, train too.
#pragma once

#include <aila/aila.hpp>
#include <aila/any_model.hpp>
#include <vector>

namespace flags {

struct Net : aila::Network<aila::Sequence<5, 3>,
                           aila::Stack<aila::integrate::Attention<aila::Heads<2>>, aila::Repeat<3, aila::Lstm<10>>>,
                           aila::MeanOverPositions, aila::Dropout<10>, aila::Linear<2>> {};
struct Dense : aila::Network<aila::Sequence<5, 3>,
                             aila::Stack<aila::integrate::Linear<aila::Heads<2>>, aila::Linear<6>, aila::Linear<6>>,
                             aila::Flatten, aila::Gelu, aila::Linear<2>> {};
using In = aila::Sequence<5, 3>;

struct Outcome {
  std::size_t lanes;
  std::vector<std::vector<float>> results;  ///< losses, parameters and predictions
};

Outcome by_x86_64();
Outcome by_x86_64_v3();
Outcome by_x86_64_v4();

namespace {  // in each unit a function of its own: only what comes from aila may be shared

template <class Scalar>
aila::Samples<In, Scalar> samples() {
  aila::Samples<In, Scalar> all;
  for (int i = 0; i < 21 * 15; ++i) all.inputs.push_back(Scalar(i * 37 % 64) / 32 - 1);
  for (int i = 0; i < 21 * 2; ++i) all.targets.push_back(Scalar(i * 11 % 32) / 32);
  return all;
}

template <class N, class Backend>
void add_results(Outcome& outcome) {
  using Scalar = typename Backend::Scalar;
  const auto data = samples<Scalar>();
  aila::Model<N, Backend> model{aila::Seed{4}};
  const auto history = aila::fit(model, data, aila::Huber{}, aila::AdamW{}, {.epochs = 3, .batch = 8, .clip_norm = 1});
  std::vector<float> losses;
  for (const auto& epoch : history.epochs) losses.push_back(static_cast<float>(epoch.training_loss));
  losses.push_back(static_cast<float>(aila::evaluate(model, data)));
  outcome.results.push_back(losses);
  const auto parameters = model.parameters();
  outcome.results.emplace_back(parameters.begin(), parameters.end());
  aila::Predictor<N, Backend> predict{model, 21};
  const auto y = predict.batch(data.inputs);
  outcome.results.emplace_back(y.begin(), y.end());
}

template <class Backend>
Outcome outcome() {
  Outcome all{aila::Lanes<Backend>::count, {}};
  add_results<Net, Backend>(all);
  add_results<Dense, Backend>(all);
  return all;
}

}  // namespace

}  // namespace flags
