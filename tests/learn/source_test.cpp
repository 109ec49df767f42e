#include <doctest/doctest.h>

#include "../says.hpp"
#include "tiny.hpp"

namespace aila {
namespace {

using View = SamplesView<TinyIn>;

TEST_CASE("samples give each its input, targets, length and weight") {
  auto data = tiny_samples(3);
  data.lengths = {5, 2, 4};
  data.weights = {1, 0.5F, 2};
  const View view = data.view();
  CHECK(view.size() == 3);
  CHECK(view.targets_per_sample() == 2);
  std::vector<float> input(10), targets(2);
  SampleSlot<TinyIn, float> slot{.input = input.data(), .targets = targets.data(), .target_count = 2};
  CHECK(slot.length == 5);
  view.load(1, slot);
  CHECK(input == std::vector<float>(data.inputs.begin() + 10, data.inputs.begin() + 20));
  CHECK(targets == std::vector<float>(data.targets.begin() + 2, data.targets.begin() + 4));
  CHECK(slot.length == 2);
  CHECK(slot.weight == 0.5F);
}

TEST_CASE("samples are the same where they are of the same memory, and as many") {
  const std::vector<float> x(30), y(6);
  const View view(x, y);
  CHECK(view.is(View(x, y)));
  CHECK(!view.is(View(x, std::span(y).first(3))));
  CHECK(!view.is(View(std::span(x).first(10), std::span(y).first(2))));
  CHECK(!view.is(View(std::vector<float>(x), y)));
  CHECK(!view.is(View(x, y, {}, std::span(y).first(3))));
}

TEST_CASE("sizes that do not fit are refused in one sentence") {
  const std::vector<float> x(30), y(6);
  const auto refused = [](auto&& make, const char* sentence) { return says(make, sentence); };
  CHECK(refused([&] { View(std::span(x).first(25), y); },
                "samples: expected inputs of 10 elements each, found 25 elements in all"));
  CHECK(refused([&] { View(x, std::span(y).first(4)); },
                "samples: expected as many targets for each of the 3 samples, found 4 in all"));
  const std::vector<std::int32_t> two(2, 1), long_ones{1, 6, 1}, none{1, 0, 1};
  CHECK(refused([&] { View(x, y, two); }, "samples: expected a length for each of the 3 samples, found 2"));
  CHECK(refused([&] { View(x, y, long_ones); }, "samples: expected lengths from 1 to 5, sample 1 has 6"));
  CHECK(refused([&] { View(x, y, none); }, "samples: expected lengths from 1 to 5, sample 1 has 0"));
  CHECK(refused([&] { View(x, y, {}, std::span(y).first(2)); },
                "samples: expected a weight for each of the 3 samples, found 2"));
}

/// A source of one's own: samples are made when they are asked for.
struct Made {
  Samples<TinyIn> samples = tiny_samples(21);
  std::size_t size() const { return 21; }
  std::size_t targets_per_sample() const { return 2; }
  void load(std::size_t i, SampleSlot<TinyIn, float>& slot) const { samples.view().load(i, slot); }
};

/// Adds the epoch to each input, as augmentation may.
struct Augmented : Made {
  void load(std::size_t i, SampleSlot<TinyIn, float>& slot) const {
    Made::load(i, slot);
    for (std::size_t e = 0; e < 10; ++e) slot.input[e] += static_cast<float>(slot.epoch);
  }
};

TEST_CASE("a source of the user's own trains as samples in memory do") {
  static_assert(SampleSource<Made, TinyIn, float>);
  const Made made;
  CpuTiny from_source{Seed{1}}, from_memory{Seed{1}};
  fit(from_source, made, {.validation = made, .epochs = 2, .batch = 8, .threads = 2});
  fit(from_memory, made.samples, {.validation = made.samples, .epochs = 2, .batch = 8});
  CHECK(parameters_of(from_source) == parameters_of(from_memory));
  CHECK(predict(from_source, made) == predict(from_memory, made.samples));
}

TEST_CASE("a source is told the epoch, counted from 1, and 0 where nothing is trained") {
  const Augmented augmented;
  const Made made;
  CpuTiny model{Seed{1}};
  CHECK(evaluate(model, augmented) == evaluate(model, made));
  Samples<TinyIn> shifted = made.samples;
  for (float& x : shifted.inputs) x += 1;
  CpuTiny other{Seed{1}};
  fit(model, augmented, {.epochs = 1, .batch = 8});
  fit(other, shifted, {.epochs = 1, .batch = 8});
  CHECK(parameters_of(model) == parameters_of(other));
}

}  // namespace
}  // namespace aila
