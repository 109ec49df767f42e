// What a program does with the network `Net`, which the file that includes this has defined before.
#include <aila/aila.hpp>
#include <vector>

double every_use(const aila::Samples<aila::NetworkInput<Net>>& samples) {
  static_assert(aila::parameter_count<Net> < 1'000'000 && aila::flops<Net> < 1'000'000);
  aila::Model<Net> model;
  aila::fit(model, samples, {.validation = samples, .epochs = 1});
  aila::Predictor predict{model};
  predict.batch(samples.inputs);
  aila::predict(model, samples);
  return aila::evaluate(model, samples) + static_cast<double>(predict(samples.inputs)[0]);
}
