#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "../says.hpp"
#include "tiny.hpp"

namespace aila {
namespace {

TEST_CASE("training gives the same bits with 1, 2 and 3 threads and in every run") {
  const auto validation = tiny_samples(11);
  for (const std::size_t samples : {1UL, 7UL, 37UL, 133UL})
    for (const std::size_t batch : {1UL, 16UL, 130UL}) {
      if (samples == 133 && batch == 1) continue;
      CAPTURE(samples);
      CAPTURE(batch);
      const auto data = tiny_samples(samples);
      TinyOptions options{.validation = validation, .epochs = 2, .batch = batch, .clip_norm = 0.5, .seed = Seed{5}};
      const Trained one = trained(data, options);
      CHECK(one.history.epochs.size() == 2);
      CHECK(trained(data, options) == one);
      for (const std::size_t threads : {2UL, 3UL}) {
        options.threads = threads;
        CHECK(trained(data, options) == one);
      }
    }
}

TEST_CASE("seeds of the weights, of shuffling and of dropout matter") {
  const auto data = tiny_samples(24);
  const Trained first = trained(data, {.epochs = 1, .batch = 8, .seed = Seed{1}});
  CHECK(!(trained(data, {.epochs = 1, .batch = 8, .seed = Seed{2}}) == first));
  CHECK(!(trained(data, {.epochs = 1, .batch = 8, .seed = Seed{1}}, Seed{9}) == first));
  CHECK(!(trained(data, {.epochs = 1, .batch = 8, .seed = Seed{1}, .shuffle = false}) == first));
  // one batch without shuffling: only dropout is left to differ
  CHECK(!(trained(data, {.epochs = 1, .batch = 24, .seed = Seed{1}, .shuffle = false}) ==
          trained(data, {.epochs = 1, .batch = 24, .seed = Seed{2}, .shuffle = false})));
}

/// Counts what runs on it; one worker of many, so that worker numbers are used that groups do not have.
struct Lent {
  std::size_t runs = 0;
  template <class F>
  void run(std::size_t count, F&& f) {
    ++runs;
    for (std::size_t i = count; i-- > 0;) f(i, 20 + i % 3);
  }
  static std::size_t size() { return 23; }
};

TEST_CASE("a pool lent by the host is used, and changes no bit whatever the order of its work") {
  const auto data = tiny_samples(40);
  TinyOptions options{.validation = data, .epochs = 2, .batch = 16};
  const Trained plain = trained(data, options);
  Lent lent;
  options.executor = ExecutorRef(lent);
  CHECK(trained(data, options) == plain);
  CHECK(lent.runs > 0);
}

TEST_CASE("training learns, and evaluate agrees with the validation loss") {
  const auto data = tiny_samples(64);
  CpuTiny model{Seed{1}};
  const double before = evaluate(model, data);
  const History history =
      fit(model, data, MeanSquaredError{}, Adam{.learning_rate = 0.01}, {.validation = data, .epochs = 30});
  CHECK(history.epochs.size() == 30);
  CHECK(history.epochs.back().epoch == 30);
  CHECK(evaluate(model, data) < 0.2 * before);
  CHECK(history.best_validation_loss == evaluate(model, data));  // restored
  CHECK(history.epochs[history.best_epoch - 1].validation_loss == history.best_validation_loss);
  CHECK(!history.stopped_early);
  CHECK(!history.cancelled);
}

/// Validation targets that move away as the training comes near: the loss there gets worse from some epoch on.
Samples<TinyIn> contrary(const Samples<TinyIn>& samples) {
  auto other = samples;
  for (float& t : other.targets) t = -t;
  return other;
}

TEST_CASE("patience ends the training, and the weights of the best epoch come back") {
  const auto data = tiny_samples(40);
  const auto valid = contrary(data);
  const TinyOptions options{.validation = valid, .epochs = 50, .batch = 8, .patience = 3};
  CpuTiny model{Seed{2}};
  const History history = fit(model, data, MeanSquaredError{}, Sgd{.learning_rate = 0.1}, options);
  CHECK(history.stopped_early);
  CHECK(history.epochs.size() == history.best_epoch + 3);
  double best = std::numeric_limits<double>::infinity();
  for (const auto& e : history.epochs) best = std::min(best, e.validation_loss);
  CHECK(history.best_validation_loss == best);
  CHECK(evaluate(model, valid) == best);

  CpuTiny last{Seed{2}};
  auto keeping = options;
  keeping.restore_best = false;
  const History kept = fit(last, data, MeanSquaredError{}, Sgd{.learning_rate = 0.1}, keeping);
  CHECK(evaluate(last, valid) == kept.epochs.back().validation_loss);
  CHECK(evaluate(last, valid) > best);
}

TEST_CASE("an improvement smaller than asked for does not count") {
  const auto data = tiny_samples(20);
  CpuTiny model{Seed{2}};
  const History history = fit(model, data, {.epochs = 20, .patience = 2, .min_improvement = 1e6});
  CHECK(history.stopped_early);
  CHECK(history.best_epoch == 1);
  CHECK(history.epochs.size() == 3);
}

TEST_CASE("schedules are applied by the step, counted over the whole training") {
  const auto data = tiny_samples(20);
  const auto rates = [&](const Schedule& schedule) {
    std::vector<double> all;
    CpuTiny model{Seed{2}};
    const auto history = fit(model, data, MeanSquaredError{}, Sgd{.learning_rate = 0.01},
                             {.epochs = 4, .batch = 8, .schedule = schedule});
    for (const auto& e : history.epochs) all.push_back(e.learning_rate);
    return all;
  };
  CHECK(rates(schedule::constant()) == std::vector<double>{0.01, 0.01, 0.01, 0.01});
  CHECK(rates(schedule::step(2, 0.5)) == std::vector<double>{0.01, 0.01, 0.005, 0.005});
  const Schedule cosine = schedule::cosine().with_warm_up(2);
  const auto expected = [&](std::uint64_t epoch) { return 0.01 * cosine.factor(3 * epoch - 1, 12, 3); };
  CHECK(rates(cosine) == std::vector<double>{expected(1), expected(2), expected(3), expected(4)});
}

TEST_CASE("gradients are cut to the norm asked for") {
  const auto data = tiny_samples(16);
  const auto moved = [&](double clip, double& norm) {
    CpuTiny model{Seed{2}};
    const auto before = parameters_of(model);
    norm = fit(model, data, MeanSquaredError{}, Sgd{.learning_rate = 1}, {.epochs = 1, .clip_norm = clip})
               .epochs[0]
               .gradient_norm;
    double squares = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      squares += std::pow(double(model.parameters()[i]) - double(before[i]), 2);
    return std::sqrt(squares);
  };
  double free_norm = 0, clipped_norm = 0;
  const double free = moved(0, free_norm);
  CHECK(free == doctest::Approx(free_norm).epsilon(1e-3));
  CHECK(moved(free_norm / 4, clipped_norm) == doctest::Approx(free_norm / 4).epsilon(1e-3));
  CHECK(clipped_norm == free_norm);  // the norm before it is cut
  CHECK(moved(100 * free_norm, clipped_norm) == free);
}

TEST_CASE("parts may be frozen or slowed, and the last prefix that fits counts") {
  const auto data = tiny_samples(20);
  CpuTiny model{Seed{2}};
  const CpuTiny before = model;
  fit(model, data, {.epochs = 2, .part_rates = {{"stack", 0}, {"stack.1.core", 1}, {"linear", 0.5}}});
  for (const ParameterInfo& p : parameter_table<Tiny>()) {
    CAPTURE(p.name);
    const auto now = model.parameter(p.name), then = before.parameter(p.name);
    const bool same = std::equal(now.begin(), now.end(), then.begin());
    CHECK(same == (p.name.starts_with("stack") && !p.name.starts_with("stack.1.core")));
  }
  CHECK(says([&] { fit(model, data, {.part_rates = {{"stak", 0}}}); },
             "part_rates: no parameter's name begins with \"stak\""));
}

TEST_CASE("a sample of weight zero teaches nothing, and weights scale the loss") {
  auto data = tiny_samples(12);
  auto spoiled = data;
  spoiled.weights.assign(12, 1.0F);
  spoiled.weights[7] = 0;
  data.weights = spoiled.weights;
  for (std::size_t i = 0; i < 2; ++i) spoiled.targets[14 + i] = 1e6F;
  const TinyOptions options{.epochs = 2, .batch = 12};
  CHECK(trained(spoiled, options) == trained(data, options));

  CpuTiny model{Seed{2}};
  const double loss = evaluate(model, data);
  for (float& w : data.weights) w *= 2;
  CHECK(evaluate(model, data) == doctest::Approx(2 * loss));
}

TEST_CASE("steps beyond a sample's length are not read") {
  auto data = tiny_samples(12);
  data.lengths.assign(12, 3);
  data.lengths[4] = 5;
  auto padded = data;
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t e = static_cast<std::size_t>(data.lengths[i]) * 2; e < 10; ++e) padded.inputs[i * 10 + e] = 99;
  const TinyOptions options{.epochs = 2, .batch = 12};
  CHECK(trained(padded, options) == trained(data, options));
  CHECK(!(trained(tiny_samples(12), options) == trained(data, options)));
}

TEST_CASE("progress is told after every step") {
  const auto data = tiny_samples(20);
  std::vector<Progress> told;
  CpuTiny model{Seed{2}};
  const History history =
      fit(model, data, {.epochs = 2, .batch = 8, .on_progress = [&](const Progress& p) { told.push_back(p); }});
  REQUIRE(told.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(told[i].epoch == i / 3 + 1);
    CHECK(told[i].step == i % 3 + 1);
    CHECK(told[i].epochs == 2);
    CHECK(told[i].steps == 3);
    CHECK(told[i].samples_per_second > 0);
    CHECK(told[i].seconds_left >= 0);
  }
  CHECK(told[5].seconds_left == doctest::Approx(0));
  CHECK(told[5].ends_training());
  CHECK(told[2].loss == doctest::Approx(history.epochs[0].training_loss));
  CHECK(told[5].loss == doctest::Approx(history.epochs[1].training_loss));
}

TEST_CASE("a callback ends the training after its epoch") {
  const auto data = tiny_samples(20);
  CpuTiny model{Seed{2}};
  std::vector<std::size_t> epochs;
  const History history = fit(model, data, {.epochs = 9, .on_epoch = [&](const EpochRecord& e) {
                                              epochs.push_back(e.epoch);
                                              return e.epoch < 3;
                                            }});
  CHECK(epochs == std::vector<std::size_t>{1, 2, 3});
  CHECK(history.cancelled);
  CHECK(history.epochs.size() == 3);
}

TEST_CASE("another thread cancels the training, and the best weights so far come back") {
  const auto data = tiny_samples(64);
  CpuTiny model{Seed{2}};
  std::atomic<bool> cancel{false}, begun{false};
  std::thread other([&] {
    while (!begun) std::this_thread::yield();
    cancel = true;
  });
  const History history = fit(model, data,
                              {.validation = data,
                               .epochs = 1'000'000,
                               .on_epoch =
                                   [&](const EpochRecord&) {
                                     begun = true;
                                     return true;
                                   },
                               .cancel = &cancel});
  other.join();
  CHECK(history.cancelled);
  CHECK(history.epochs.size() < 1'000'000);
  CHECK(evaluate(model, data) == history.best_validation_loss);
}

TEST_CASE("a loss that is not finite stops the training with epoch, step and place") {
  auto data = tiny_samples(20);
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  CpuTiny model{Seed{2}};
  const auto start = parameters_of(model);

  data.inputs[13 * 10 + 3] = nan;  // sample 13 is in the second batch of 8
  CHECK(says([&] { fit(model, data, {.batch = 8, .shuffle = false}); },
             "training stopped at epoch 1, step 2: the loss is not finite; the first value that is not finite is in "
             "the input"));
  auto clean = tiny_samples(8);
  CpuTiny one_step{Seed{2}};
  fit(one_step, clean, {.epochs = 1, .batch = 8, .shuffle = false});
  CHECK(parameters_of(model) == parameters_of(one_step));  // those before the step that failed

  // an infinite target of samples in memory is refused before the first step; another source shows it in the loss
  data = tiny_samples(20);
  data.targets[5] = infinity;
  model.assign(start);
  CHECK(says([&] { fit(model, data); }, "targets of sample 2: expected each to be a finite number"));
  struct Unseen {
    SamplesView<TinyIn> view;
    std::size_t size() const { return view.size(); }
    std::size_t targets_per_sample() const { return 2; }
    void load(std::size_t i, SampleSlot<TinyIn, float>& slot) const { view.load(i, slot); }
  };
  CHECK(says([&] { fit(model, Unseen{data.view()}, {.batch = 4, .shuffle = false}); },
             "epoch 1, step 1: the loss is not finite; the first value that is not finite is in the loss"));
  CHECK(parameters_of(model) == start);

  data = tiny_samples(20);
  model.edit([&](std::span<float> p) {
    for (const ParameterInfo& t : parameter_table<Tiny>())
      if (t.name == "linear.weight") std::fill_n(p.data() + t.offset, t.size, 3e38F);
  });
  CHECK(says([&] { fit(model, data, {.epochs = 3}); },
             "epoch 1, step 1: the loss is not finite; the first value that is not finite is in the output of linear"));
  model.edit([&](std::span<float> p) { p[parameter_table<Tiny>()[1].offset] = nan; });
  CHECK(says([&] { fit(model, data, {.epochs = 3}); }, "is in the parameter " + parameter_table<Tiny>()[1].name));
}

TEST_CASE("an update that makes a parameter infinite is undone to the last weights kept") {
  const auto data = tiny_samples(16);
  CpuTiny model{Seed{2}};
  const auto start = parameters_of(model);
  const Sgd wild{.learning_rate = 1e39};
  CHECK(says([&] { fit(model, data, MeanSquaredError{}, wild, {.epochs = 1, .batch = 16}); },
             "training stopped at epoch 1, step 1: after the update a parameter is not finite; the first value that is "
             "not finite is in the parameter"));
  CHECK(parameters_of(model) == start);
  CHECK(says([&] { fit(model, data, MeanSquaredError{}, wild, {.epochs = 1, .batch = 8}); }, "epoch 1, step 2"));
  CHECK(parameters_of(model) == start);
}

TEST_CASE("validation that is not finite stops the training too") {
  const auto data = tiny_samples(16);
  auto valid = tiny_samples(40);
  valid.inputs[399] = std::numeric_limits<float>::quiet_NaN();
  CpuTiny model{Seed{2}};
  CHECK(says([&] { fit(model, data, {.validation = valid, .epochs = 3, .batch = 4}); },
             "training stopped at epoch 1, step 4: the validation loss is not finite; the first value that is not "
             "finite is in the input"));
}

TEST_CASE("sources and options that do not fit are refused in one sentence") {
  const auto data = tiny_samples(6);
  CpuTiny model{Seed{2}};
  CHECK(says([&] { fit(model, Samples<TinyIn>{}); }, "fit: expected at least one training sample, found none"));
  CHECK(says([&] { fit(model, data, {.batch = 0}); }, "fit: a batch needs at least one sample"));
  auto wrong = data;
  wrong.targets.resize(6);
  CHECK(says([&] { fit(model, wrong); }, "fit: expected 2 targets a sample for this loss, the samples have 1"));
  CHECK(says([&] { fit(model, data, {.validation = wrong}); }, "fit, validation: expected 2 targets a sample"));
  CHECK(
      says([&] { evaluate(model, wrong); }, "evaluate: expected 2 targets a sample for this loss, the samples have 1"));
  CHECK(says([&] { fit(model, data, CrossEntropy{}, {}); }, "expected 1 targets a sample"));
  CHECK(says([&] { fit(model, data, MeanSquaredError{}, Adam{.beta1 = 2}); }, "beta1 must be"));
  CHECK(says([&] { fit(model, wrong, CrossEntropy{}, {}); }, "targets of sample 0: expected each to be a class index"));
}

}  // namespace
}  // namespace aila
