// A program of the host's compiler alone that trains and predicts on a GPU: what it calls is in the unit that nvcc
// compiled.
#include <aila/aila.hpp>
#include <aila/cuda.hpp>
#include <cstdio>

#include "../../examples/forecast/networks.hpp"

using Forecaster = forecast::Net<forecast::Attention, 12>;
extern template struct aila::NetworkUnit<Forecaster, aila::MeanSquaredError, aila::backend::Cuda>;

namespace {

using namespace aila;

/// The same by the network's type, and by the interface of all networks.
void train_and_predict() {
  Samples<Sequence<12, 1>> samples;
  for (std::size_t i = 0; i < 64 * 12; ++i) samples.inputs.push_back(static_cast<float>(i % 17) / 17);
  for (std::size_t i = 0; i < 64; ++i) samples.targets.push_back(static_cast<float>(i % 5) / 5);
  Model<Forecaster, backend::Cuda> model(Seed{7});
  fit(model, samples, {.epochs = 2});
  Predictor predict(model);
  const float one = predict(std::span<const float, 12>(samples.inputs.data(), 12))[0];

  const auto any = NetworkUnit<Forecaster, MeanSquaredError, backend::Cuda>::make(Seed{7});
  any->fit(samples, Adam{}, {.epochs = 2});
  if (any->predict(samples)[0] != one) throw Error("one network, trained twice, predicts two numbers");
}

}  // namespace

int main() {
  try {
    train_and_predict();
    std::puts("trained and predicted");
  } catch (const aila::Error& error) {
    std::puts(error.what());
  }
}
