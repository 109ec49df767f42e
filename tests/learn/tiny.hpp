// A small problem for the tests of training: sequences, and two numbers to tell of each.
#pragma once

#include <aila/aila.hpp>
#include <cmath>
#include <string>
#include <vector>

namespace aila {

struct Tiny
    : Network<Sequence<5, 2>, Stack<integrate::Attention<>, Repeat<2, Lstm<6>>>, LastStep, Dropout<20>, Linear<2>> {};
using TinyIn = NetworkInput<Tiny>;
using CpuTiny = Model<Tiny>;
using TinyOptions = FitOptions<TinyIn, float>;

/// Sample i of any count is the same: its targets are the mean of each feature, cut and scaled.
template <class Scalar = float>
Samples<TinyIn, Scalar> tiny_samples(std::size_t count) {
  Samples<TinyIn, Scalar> samples;
  for (std::size_t i = 0; i < count; ++i) {
    double mean[2] = {};
    for (std::size_t t = 0; t < 5; ++t)
      for (std::size_t f = 0; f < 2; ++f) {
        const double x = static_cast<double>((i * 31 + t * 17 + f * 7) % 41) / 20 - 1;
        mean[f] += x / 5;
        samples.inputs.push_back(static_cast<Scalar>(x));
      }
    for (const double m : mean) samples.targets.push_back(static_cast<Scalar>(m > 0 ? m : m / 2));
  }
  return samples;
}

template <class M>
auto parameters_of(const M& model) {
  return std::vector<typename M::Scalar>(model.parameters().begin(), model.parameters().end());
}

/// What a training gives, as bits: losses, norms and weights.
struct Trained {
  std::vector<double> numbers;
  std::vector<float> parameters;
  History history;
  bool operator==(const Trained& o) const { return numbers == o.numbers && parameters == o.parameters; }
};
inline Trained trained(const Samples<TinyIn>& samples, const TinyOptions& options, Seed seed = Seed{1}) {
  CpuTiny model{seed};
  Trained result{{}, {}, fit(model, samples, options)};
  for (const EpochRecord& e : result.history.epochs) {
    result.numbers.push_back(e.training_loss);
    result.numbers.push_back(e.gradient_norm);
    result.numbers.push_back(e.learning_rate);
    if (!std::isnan(e.validation_loss)) result.numbers.push_back(e.validation_loss);
  }
  result.parameters = parameters_of(model);
  return result;
}

}  // namespace aila
