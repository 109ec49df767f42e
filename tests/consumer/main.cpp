// A program of somebody who uses aila: it trains a few steps on straight lines and predicts how one goes on.
#include <aila/aila.hpp>
#include <aila/eigen.hpp>
#include <aila/io.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trend.hpp"

float predicted_by_other_unit(const aila::Model<Trend>& model, const std::vector<float>& window);

namespace {

aila::Samples<aila::Sequence<6, 1>> lines() {
  aila::Samples<aila::Sequence<6, 1>> all;
  for (int sample = 0; sample < 64; ++sample) {
    const float slope = static_cast<float>(sample % 16) / 16.0F - 0.5F;
    for (int month = 0; month < 6; ++month) all.inputs.push_back(slope * static_cast<float>(month) / 6);
    all.targets.push_back(slope);
  }
  return all;
}

bool says(const char* what, bool holds) {
  if (!holds) std::printf("wrong: %s\n", what);
  return holds;
}

int run() {
  const auto train = lines();
  const std::vector<float> window(train.inputs.end() - 6, train.inputs.end());

  aila::Model<Trend> model{aila::Seed{7}};
  const aila::History history = aila::fit(model, train, {.epochs = 20});
  const double first = history.epochs.front().training_loss;
  const double last = history.epochs.back().training_loss;
  bool good = says("the loss goes down", last < first);

  aila::Predictor<Trend> predict{model};
  const float here = predict(window)[0];
  good &= says("another unit predicts the same", here == predicted_by_other_unit(model, window));

  // the same network, trained and called through the unit that aila_add_network compiled
  const auto any = aila::NetworkUnit<Trend>::make(aila::Seed{7});
  any->fit(train, aila::Adam{}, {.epochs = 20});
  good &= says("its own unit trains the same", any->predict(train).back() == here);

  const auto file = std::filesystem::temp_directory_path() /
                    ("aila-consumer-" + std::to_string(std::hash<const void*>{}(&model)) + ".safetensors");
  aila::io::save(model, file);
  aila::Model<Trend> loaded{aila::Seed{1}};
  aila::io::load(loaded, file);
  std::filesystem::remove(file);
  good &= says("a file keeps the weights", aila::Predictor<Trend>{loaded}(window)[0] == here);

  const auto bias = aila::parameter_matrix(model, "linear.bias");
  good &= says("Eigen sees the parameters", bias.size() == 1 && std::isfinite(bias(0, 0)));
  std::printf("loss %.4f -> %.4f, predicted %.4f\n", first, last, here);
  return good ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
