// Samples that a small network can learn: the target is a smooth function of the input.
#pragma once

#include <aila/aila.hpp>
#include <cmath>

namespace aila {

template <class In>
Samples<In> learnable_samples(std::size_t count) {
  Samples<In> samples;
  const Random random(Seed{3}, Purpose::user, 0, 0);
  for (std::size_t n = 0; n < count; ++n) {
    double sum = 0;
    for (std::size_t i = 0; i < In::elements; ++i) {
      const double x = random.normal(n, i);
      samples.inputs.push_back(static_cast<float>(x));
      sum += x;
    }
    samples.targets.push_back(static_cast<float>(std::tanh(sum / static_cast<double>(In::elements))));
  }
  return samples;
}

/// The training loss of the last epoch over that of the first.
template <class Net, class Backend, class LossType>
double improvement(const LossType& loss) {
  Model<Net, Backend> model;
  Samples<NetworkInput<Net>, typename Backend::Scalar> samples;
  const auto drawn = learnable_samples<NetworkInput<Net>>(64);
  samples.inputs.assign(drawn.inputs.begin(), drawn.inputs.end());
  samples.targets.assign(drawn.targets.begin(), drawn.targets.end());
  const History history = fit(model, samples, loss, Adam{.learning_rate = 1e-2}, {.epochs = 15, .batch = 16});
  return history.epochs.back().training_loss / history.epochs.front().training_loss;
}

}  // namespace aila
