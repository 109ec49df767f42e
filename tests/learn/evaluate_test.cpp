#include <doctest/doctest.h>

#include "../says.hpp"
#include "tiny.hpp"

namespace aila {
namespace {

TEST_CASE("evaluation is the mean loss over the source, without dropout, by any number of threads") {
  for (const std::size_t count : {1UL, 15UL, 16UL, 17UL, 50UL}) {
    CAPTURE(count);
    const auto data = tiny_samples(count);
    const CpuTiny model{Seed{3}};
    const auto y = predict(model, data);
    REQUIRE(y.size() == count * 2);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += std::pow(double(y[i]) - double(data.targets[i]), 2) / 2;
    const double loss = evaluate(model, data);
    CHECK(loss == doctest::Approx(sum / static_cast<double>(count)).epsilon(1e-5));
    ThreadPool pool(3);
    Evaluator<Tiny> evaluator(pool);
    CHECK(evaluator.loss(model, data, MeanSquaredError{}) == loss);
    CHECK(evaluator.predict(model, data) == y);
  }
}

TEST_CASE("predictions of a source are those of a predictor, sample by sample and in any batch") {
  auto data = tiny_samples(37);
  for (std::size_t i = 0; i < 37; ++i) data.lengths.push_back(static_cast<std::int32_t>(1 + i % 5));
  const CpuTiny model{Seed{3}};
  const auto all = predict(model, data);
  Predictor one{model};
  Predictor batch{model, 37};
  const auto together = batch.batch(data.inputs, data.lengths);
  CHECK(std::vector<float>(together.begin(), together.end()) == all);
  for (std::size_t i = 0; i < 37; ++i) {
    const auto y = one(std::span(data.inputs).subspan(i * 10, 10), data.lengths[i]);
    CHECK(y[0] == all[2 * i]);
    CHECK(y[1] == all[2 * i + 1]);
  }
}

TEST_CASE("predictions need no targets, and no samples give none") {
  const auto data = tiny_samples(5);
  const CpuTiny model{Seed{3}};
  const SamplesView<TinyIn> bare(data.inputs, {});
  CHECK(predict(model, bare) == predict(model, data));
  CHECK(predict(model, Samples<TinyIn>{}).empty());
  CHECK(
      says([&] { evaluate(model, bare); }, "evaluate: expected 2 targets a sample for this loss, the samples have 0"));
  CHECK(says([&] { evaluate(model, Samples<TinyIn>{}); }, "evaluate: expected at least one sample, found none"));
}

TEST_CASE("weights of samples scale their loss, and other losses may be asked for") {
  auto data = tiny_samples(8);
  const CpuTiny model{Seed{3}};
  data.weights = {1, 0, 0, 0, 0, 0, 0, 0};
  Samples<TinyIn> only = tiny_samples(1);
  CHECK(evaluate(model, data) == doctest::Approx(evaluate(model, only) / 8));
  CHECK(evaluate(model, data, MeanAbsoluteError{}) != evaluate(model, data));
}

}  // namespace
}  // namespace aila
