// Zero, one, all and absurd counts of samples, batches, epochs and threads in training.
#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include "../network/small.hpp"
#include "../says.hpp"

namespace aila {
namespace {

template <class Net>
auto samples_of(std::size_t count) {
  Samples<NetworkInput<Net>> samples;
  samples.inputs = inputs_of<Net>(count);
  samples.targets.resize(2 * count);
  for (std::size_t i = 0; i < samples.targets.size(); ++i) samples.targets[i] = static_cast<float>(i % 5) / 4;
  return samples;
}
template <class M>
std::vector<float> parameters_of(const M& model) {
  return {model.parameters().begin(), model.parameters().end()};
}

TEST_CASE_TEMPLATE("a batch of all samples, whatever number says so, gives one result", Net, OfSequences, OfImages,
                   OfTokens) {
  const auto samples = samples_of<Net>(9);
  std::vector<float> expected;
  for (const std::size_t batch : {9UL, 10UL, 1000UL, SIZE_MAX}) {
    auto model = model_of<Net>();
    const History history = fit(model, samples, {.epochs = 2, .batch = batch});
    CHECK(history.epochs.size() == 2);
    if (expected.empty()) expected = parameters_of(model);
    CHECK(parameters_of(model) == expected);
  }
  CHECK(expected != parameters_of(model_of<Net>()));
}

TEST_CASE("one sample, one epoch, none, and threads of any number") {
  using Net = OfTokens;
  const auto nine = samples_of<Net>(9);
  auto model = model_of<Net>();
  const auto before = parameters_of(model);
  CHECK(fit(model, nine, {.epochs = 0}).epochs.empty());
  CHECK(parameters_of(model) == before);
  CHECK(fit(model, samples_of<Net>(1), {.epochs = 1}).epochs.size() == 1);
  CHECK(fit(model, nine, {.epochs = 1, .batch = 1, .threads = 0}).epochs.size() == 1);
  CHECK(fit(model, nine, {.epochs = 1, .threads = 3}).epochs.size() == 1);
  CHECK(says([&] { fit(model, nine, {.epochs = 1, .threads = SIZE_MAX}); }, "ThreadPool: expected 1 to 4096 workers"));
  CHECK(says([&] { fit(model, samples_of<Net>(0)); }, "fit: expected at least one training sample, found none"));
  CHECK(says([&] { fit(model, nine, {.batch = 0}); }, "fit: a batch needs at least one sample"));
  CHECK(says([&] { evaluate(model, samples_of<Net>(0)); }, "evaluate: expected at least one sample, found none"));
  CHECK(predict(model, samples_of<Net>(0)).empty());
}

TEST_CASE("more epochs than can be counted end when they are cancelled") {
  auto model = model_of<OfTokens>();
  const History history = fit(model, samples_of<OfTokens>(9),
                              {.epochs = SIZE_MAX,
                               .patience = SIZE_MAX,
                               .schedule = schedule::cosine(),
                               .on_epoch = [](const EpochRecord& record) { return record.epoch < 3; }});
  CHECK(history.epochs.size() == 3);
  CHECK(history.epochs[2].learning_rate == doctest::Approx(1e-3));
}

TEST_CASE("a trainer's own options, and the samples of a step") {
  const auto samples = samples_of<OfTokens>(9);
  const auto trainer = [&](TrainerOptions options) {
    auto model = model_of<OfTokens>();
    Inline executor;
    Trainer made(model, MeanSquaredError{}, Adam{}, options, executor);
    std::vector<std::size_t> all(9);
    std::iota(all.begin(), all.end(), 0UL);
    return made.step(samples, all).loss;
  };
  CHECK(trainer({.batch = 9}) == trainer({.batch = 100}));
  CHECK(says([&] { trainer({.batch = 0}); }, "trainer: a batch needs at least one sample"));
  for (const std::size_t batch : {SIZE_MAX, SIZE_MAX - 7, SIZE_MAX / 2, std::size_t{1} << 50})
    CHECK(says([&] { trainer({.batch = batch}); }, ": expected no more than this machine has memory for, found "));
  CHECK(says([&] { trainer({.batch = 8}); }, "step: expected 1 to 8 samples, found 9"));
  CHECK(says([&] { trainer({.clip_norm = -1}); }, "trainer: expected a clip_norm of at least 0"));

  auto model = model_of<OfTokens>();
  Inline executor;
  Trainer made(model, MeanSquaredError{}, Adam{}, {.batch = 3}, executor);
  for (const std::size_t beyond : {9UL, SIZE_MAX})
    CHECK(says([&] { made.step(samples, std::vector<std::size_t>{0, beyond}); },
               "source: expected samples below 9, which are all, found " + std::to_string(beyond)));
}

/// A source that says it has more samples than anybody can.
struct Endless {
  static std::size_t size() { return SIZE_MAX; }
  static std::size_t targets_per_sample() { return 2; }
  void load(std::size_t, SampleSlot<NetworkInput<OfTokens>, float>& slot) const {
    std::fill_n(slot.input, 6, 1);
    std::fill_n(slot.targets, slot.target_count, 0.0F);
  }
};

TEST_CASE("a source without end is refused where all of it is needed") {
  auto model = model_of<OfTokens>();
  CHECK(says([&] { fit(model, Endless{}); },
             "fit: expected no more than this machine has memory for, found 18446744073709551615 samples"));
  CHECK(says([&] { predict(model, Endless{}); }, "predict: expected no more than this machine has memory for"));
  CHECK(says([&] { evaluate(model, Endless{}); }, "evaluate: expected no more than this machine has memory for"));
}

TEST_CASE("samples in memory whose counts do not fit") {
  using In = NetworkInput<OfTokens>;
  const std::vector<std::int32_t> six(6);
  const std::vector<float> two(2), three(3);
  CHECK(SamplesView<In>({}, {}).size() == 0);
  CHECK(SamplesView<In>(six, two).targets_per_sample() == 2);
  CHECK(
      says([&] { SamplesView<In>({}, two); }, "samples: expected as many targets for each of the 0 samples, found 2"));
  CHECK(says([&] { SamplesView<In>(six, two, {}, three); }, "samples: expected a weight for each of the 1 samples"));
}

static_assert(GroupSplit::of(0).groups == 0 && GroupSplit::of(1).groups == 1 && GroupSplit::of(260).groups == 52);
static_assert(GroupSplit::of(SIZE_MAX).groups == 64 && GroupSplit::most_groups(SIZE_MAX) == 64);
static_assert(GroupSplit::most_samples(SIZE_MAX) == SIZE_MAX / 64 + 1 && GroupSplit::most_samples(0) == 0);

}  // namespace
}  // namespace aila
