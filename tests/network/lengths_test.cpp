// One rule of lengths, from 1 to the steps there are, wherever one is taken.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "../says.hpp"
#include "small.hpp"

namespace aila {
namespace {

using In = NetworkInput<OfSequences>;
using Lengths = std::vector<std::int32_t>;

std::string refused(const char* who, std::int64_t length, std::size_t sample) {
  return std::string(who) + ": expected lengths from 1 to 6, sample " + std::to_string(sample) + " has " +
         std::to_string(length);
}

constexpr std::int32_t wrong[] = {
    0, -1, 7, 300, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};

TEST_CASE_TEMPLATE("predictions of sequences and of tokens", Net, OfSequences, OfTokens) {
  const auto model = model_of<Net>();
  const auto x = inputs_of<Net>(3);
  const auto first = std::span(x).first(NetworkInput<Net>::elements);
  Predictor predict{model, 3};
  Workspace<Net, backend::Cpu, Capability::predict> workspace(3);
  CHECK(predict.batch(x, Lengths{1, 6, 3}).size() == 6);
  for (const std::int32_t length : wrong) {
    CHECK(says([&] { predict(first, length); }, refused("predict", length, 0)));
    CHECK(says([&] { predict.batch(x, Lengths{2, length, 3}); }, refused("predict", length, 1)));
    CHECK(says([&] { predict.batch(first, Lengths{length}); }, refused("predict", length, 0)));
    const Lengths two{6, length};
    CHECK(says([&] { model.predict(x.data(), 2, workspace, two.data()); }, refused("predict", length, 1)));
  }
  // no number wraps to a length that is one
  CHECK(says([&] { predict(first, (std::int64_t{1} << 32) + 1); }, refused("predict", 4294967297, 0)));
  CHECK(
      says([&] { predict.batch(x, Lengths{2, 2}); }, "predict: expected a length for each of the 3 samples, found 2"));
}

TEST_CASE("all steps have a name, and no number stands for them") {
  const auto model = model_of<OfSequences>();
  const auto x = inputs_of<OfSequences>(1);
  const std::span<const float, 18> fixed(x.data(), 18);
  Predictor predict{model};
  static_assert(noexcept(predict(fixed)) && noexcept(predict(fixed, all_steps)));
  const std::vector<float> whole(predict(x).begin(), predict(x).end());
  for (const auto y : {predict(x, all_steps), predict(fixed, all_steps), predict(x, 6), predict(fixed, 6)})
    CHECK(std::vector<float>(y.begin(), y.end()) == whole);
}

TEST_CASE("a wavefront") {
  struct Net : Network<Sequence<6, 1>, Lstm<4>, Lstm<4>, LastStep, Linear<1>> {};
  const Model<Net> model;
  WavefrontPredictor predict{model};
  const auto x = inputs_of<Net>(1);
  for (const std::int32_t length : wrong) CHECK(says([&] { predict(x, length); }, refused("predict", length, 0)));
  CHECK(predict(x, all_steps)[0] == predict(x, 6)[0]);
}

TEST_CASE("samples in memory and tools") {
  const auto model = model_of<OfSequences>();
  const auto x = inputs_of<OfSequences>(3);
  const std::span<const float> inputs(x);
  for (const std::int32_t length : wrong) {
    const Lengths lengths{6, 1, length};
    CHECK(says([&] { const SamplesView<In> view(x, {}, lengths); }, refused("samples", length, 2)));
    CHECK(says([&] { mixture_weights(model, inputs, lengths); }, refused("mixture_weights", length, 2)));
    CHECK(says([&] { layer_maps(model, x, "", lengths); }, refused("layer_maps", length, 2)));
    CHECK(says([&] { input_gradients(model, x, 0, lengths); }, refused("input_gradients", length, 2)));
  }
  CHECK(says([&] { mixture_weights(model, inputs, Lengths{1}); },
             "mixture_weights: expected a length for each of the 3 samples, found 1"));
}

/// A source whose second sample has a length of its own.
template <class Net>
struct Source {
  std::int32_t length;
  static std::size_t size() { return 3; }
  static std::size_t targets_per_sample() { return 2; }
  void load(std::size_t index, SampleSlot<NetworkInput<Net>, float>& slot) const {
    std::ranges::copy(inputs_of<Net>(1), slot.input);
    std::fill_n(slot.targets, slot.target_count, 0.5F);
    if (index == 1) slot.length = length;
  }
};

TEST_CASE("sources of a program's own, in training, evaluation and prediction, by any number of threads") {
  auto model = model_of<OfSequences>();
  const std::vector<float> before(model.parameters().begin(), model.parameters().end());
  ThreadPool pool(2);
  for (const std::int32_t length : wrong) {
    const Source<OfSequences> source{length};
    CHECK(says([&] { fit(model, source, {.epochs = 1}); }, refused("source", length, 1)));
    CHECK(says([&] { fit(model, source, {.epochs = 1, .executor = pool}); }, refused("source", length, 1)));
    CHECK(says([&] { evaluate(model, source); }, refused("source", length, 1)));
    CHECK(says([&] { predict(model, source); }, refused("source", length, 1)));
  }
  CHECK(std::vector<float>(model.parameters().begin(), model.parameters().end()) == before);
  CHECK(predict(model, Source<OfSequences>{4}).size() == 6);
}

TEST_CASE("an input without steps has no length") {
  const auto model = model_of<OfImages>();
  const auto x = inputs_of<OfImages>(2);
  const std::string none = "expected no lengths, since an input of shape [4, 4, 1] has no steps, found some";
  Predictor predict{model, 2};
  CHECK(says([&] { predict(std::span(x).first(16), 3); }, "predict: " + none));
  CHECK(says([&] { predict.batch(x, Lengths{4, 4}); }, "predict: " + none));
  CHECK(says([&] { const SamplesView<Image<4, 4, 1>> view(x, {}, Lengths{4, 4}); }, "samples: " + none));
  CHECK(says([&] { aila::predict(model, Source<OfImages>{3}); }, "source: " + none));
  CHECK(aila::predict(model, Source<OfImages>{4}).size() == 6);
}

}  // namespace
}  // namespace aila
