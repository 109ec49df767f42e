#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/any_model.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "../says.hpp"

namespace aila {
namespace {

using In = Sequence<5, 3>;
using backend::CpuDouble;

template <class Readout>
struct Reader
    : Network<In, Dropout<40>, Stack<integrate::Attention<>, Repeat<2, Lstm<4>>>, Readout, Dropout<50>, Linear<2>> {};

template <class S>
std::vector<S> inputs(std::size_t samples) {
  std::vector<S> x(samples * In::elements);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<S>((i * 37) % 101) / 50 - 1;
  return x;
}

TEST_CASE_TEMPLATE("input gradients are what a small change of an input changes, and 0 behind a sample's length",
                   Readout, LastStep, MeanOverPositions, AttentionPooling<4>) {
  using Net = Reader<Readout>;
  const Model<Net, CpuDouble> model{Seed{3}};
  Predictor<Net, CpuDouble> predict(model);
  constexpr std::size_t samples = 19;  // two groups
  auto x = inputs<double>(samples);
  std::vector<std::int32_t> lengths(samples);
  for (std::size_t n = 0; n < samples; ++n) lengths[n] = static_cast<std::int32_t>(n % 5 + 1);
  const auto gradients = input_gradients(model, x, 1, lengths);
  REQUIRE(gradients.size() == x.size());
  const double h = 1e-5;
  for (std::size_t i = 0; i < x.size(); ++i) {
    CAPTURE(i);
    const std::size_t n = i / In::elements, step = i % In::elements / 3;
    if (step >= static_cast<std::size_t>(lengths[n])) {
      CHECK(gradients[i] == 0);
      continue;
    }
    const auto output = [&](double value) {
      auto sample = std::vector<double>(x.begin() + static_cast<std::ptrdiff_t>(n * In::elements),
                                        x.begin() + static_cast<std::ptrdiff_t>((n + 1) * In::elements));
      sample[i % In::elements] = value;
      return predict(sample, lengths[n])[1];
    };
    CHECK(gradients[i] == doctest::Approx((output(x[i] + h) - output(x[i] - h)) / (2 * h)).epsilon(1e-6));
  }
}

TEST_CASE("layer maps are found by the end of their path, for all samples") {
  const Model<Reader<AttentionPooling<4>>> model{Seed{3}};
  const auto x = inputs<float>(19);
  std::vector<std::int32_t> lengths(19, 5);
  lengths[18] = 2;
  const auto maps = layer_maps(model, x, "attention_pooling.weights", lengths);
  REQUIRE(maps.size() == 1);
  CHECK(maps[0].path == "attention_pooling.weights");
  REQUIRE(maps[0].values.size() == 19 * 5);
  for (std::size_t n = 0; n < 19; ++n) {
    const auto* weights = maps[0].values.data() + n * 5;
    CHECK(std::accumulate(weights, weights + 5, 0.F) == doctest::Approx(1));
  }
  CHECK(maps[0].values[18 * 5 + 2] == 0);
  CHECK(layer_maps(model, x, ".core").size() == 2);
  CHECK(layer_maps(model, x, "nowhere").empty());
  CHECK(layer_maps(model, x, "").back().values.size() == 19 * 2);
}

TEST_CASE("an AnyModel explains as its model does") {
  using Net = Reader<LastStep>;
  const auto any = NetworkUnit<Net>::make(Seed{3});
  const Model<Net> model{Seed{3}};
  const auto x = inputs<float>(3);
  const std::vector<std::int32_t> lengths{1, 5, 2};
  CHECK(any->input_gradients(x, 1, lengths) == input_gradients(model, x, 1, lengths));
  CHECK(any->layer_maps(x, "1.core", lengths)[0].values == layer_maps(model, x, "1.core", lengths)[0].values);
}

TEST_CASE("what cannot be explained is said") {
  const Model<Reader<LastStep>> model;
  const auto x = inputs<float>(2);
  const std::vector<float> odd(x.begin(), x.end() - 1);
  const std::vector<std::int32_t> one{1};
  CHECK(says([&] { input_gradients(model, x, 2); }, "input_gradients: expected an output below 2, found 2"));
  CHECK(says([&] { input_gradients(model, odd); },
             "input_gradients: expected inputs of 15 elements each, found 29 elements in all"));
  CHECK(
      says([&] { layer_maps(model, x, "", one); }, "layer_maps: expected a length for each of the 2 samples, found 1"));
}

}  // namespace
}  // namespace aila
