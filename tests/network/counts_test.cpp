// Zero, one, all and absurd counts: a result, or one sentence, in whatever takes one.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "../says.hpp"
#include "small.hpp"

namespace aila {
namespace {

constexpr std::size_t absurd[] = {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 8, std::size_t{1} << 50};

template <class Values>
std::vector<float> copied(const Values& values) {
  return {values.begin(), values.end()};
}

TEST_CASE_TEMPLATE("no sample, one, some and as many as there is room for are predicted alike", Net, OfSequences,
                   OfImages, OfTokens) {
  using In = NetworkInput<Net>;
  const auto model = model_of<Net>();
  Predictor one{model}, many{model, 5};
  const auto x = inputs_of<Net>(5);
  CHECK(many.batch(std::span(x).first(0)).empty());
  CHECK(predict(model, Samples<In>{}).empty());
  std::vector<float> each;
  for (std::size_t n = 0; n < 5; ++n)
    for (const float y : one(std::span(x).subspan(n * In::elements, In::elements))) each.push_back(y);
  for (const std::size_t samples : {1UL, 2UL, 5UL})
    CHECK(copied(many.batch(std::span(x).first(samples * In::elements))) ==
          std::vector<float>(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(2 * samples)));
  CHECK(says([&] { many.batch(inputs_of<Net>(6)); }, "predict: expected up to 5 samples of"));
  Workspace<Net, backend::Cpu, Capability::predict> none(0), five(5);
  CHECK(model.predict(std::span(x).first(0), none).empty());
  CHECK(says([&] { model.predict(x, none); }, "predict: expected up to 0 samples of"));
  CHECK(says([&] { model.predict(x.data(), 6, five); }, "workspace: expected up to 5 samples, found 6"));
  CHECK(says([&] { model.predict(x.data(), SIZE_MAX, five); }, "workspace: expected up to 5 samples, found 18446"));
}

TEST_CASE_TEMPLATE("no room, or more than there is memory for, is refused where it is asked for", Net, OfSequences,
                   OfTokens) {
  const auto model = model_of<Net>();
  CHECK(says([&] { const Predictor none(model, 0); }, "predictor: expected room for at least 1 sample, found 0"));
  for (const std::size_t count : absurd) {
    const std::string found =
        "workspace: expected no more than this machine has memory for, found " + std::to_string(count) + " samples";
    CHECK(says([&] { const Predictor too_many(model, count); }, found));
    CHECK(says([&] { const Workspace<Net, backend::Cpu, Capability::train> too_many(count); }, found));
    CHECK(says([&] { const Workspace<Net, backend::Reference<double>, Capability::predict> too_many(count); }, found));
  }
}

TEST_CASE("threads of a wavefront, from none to absurd") {
  struct Net : Network<Sequence<8, 1>, Lstm<4>, Lstm<4>, LastStep, Linear<1>> {};
  const Model<Net> model;
  const auto x = inputs_of<Net>(1);
  const float expected = Predictor{model}(x)[0];
  for (const std::size_t threads : {1UL, 2UL, SIZE_MAX}) CHECK(WavefrontPredictor{model, threads}(x)[0] == expected);
  CHECK(says([&] { const WavefrontPredictor none(model, 0); }, "expected 1 to 4096 workers"));
}

TEST_CASE("tools take no sample, one and odd numbers of elements") {
  const auto model = model_of<OfSequences>();
  const auto x = inputs_of<OfSequences>(17);
  CHECK(input_gradients(model, {}).empty());
  CHECK(layer_maps(model, {}, "").empty());
  CHECK(mixture_weights(model, std::span<const float>()).empty());
  CHECK(input_gradients(model, std::span(x).first(18)).size() == 18);
  CHECK(mixture_weights(model, std::span<const float>(x).first(18)).size() == 1);
  CHECK(mixture_weights(model, std::span<const float>(x)).size() == 1);
  CHECK(says([&] { mixture_weights(model, std::span<const float>(x).first(25)); },
             "mixture_weights: expected inputs of 18 elements each, found 25 elements in all"));
  CHECK(says([&] { input_gradients(model, x, SIZE_MAX); }, "input_gradients: expected an output below 2, found 18446"));
}

TEST_CASE("rows of tables, from none to absurd") {
  Model<OfTokens> model{Seed{1}, {0}};
  CHECK(Predictor{model}(inputs_of<OfTokens>(1)).size() == 2);  // every token gives zeros
  auto& table = model.table("embedding.weight");
  table.initialise(1, {});
  CHECK(table.rows() == 1);
  for (const std::size_t rows : absurd) {
    CHECK(says([&] { table.initialise(rows, {}); }, "embedding.weight: expected "));
    CHECK(says([&] { const Model<OfTokens> too_many({}, {rows}); }, "embedding.weight: expected "));
  }
  struct Endless : Network<Tokens<2>, Embedding<4'000'000, MostRows<2'147'483'647>>, LastStep> {};
  CHECK(says([&] { const Model<Endless> too_many({}, {2'147'483'647}); },
             "embedding.weight: expected no more than this machine has memory for, found 2147483647 rows"));
}

/// A host's own.
struct Lent {
  std::size_t workers;
  template <class F>
  static void run(std::size_t count, F&& f) {
    for (std::size_t i = 0; i < count; ++i) f(i, std::size_t{0});
  }
  std::size_t size() const { return workers; }
};

TEST_CASE("an executor has workers, and no absurd number of them") {
  Lent none{0}, one{1}, too_many{SIZE_MAX};
  CHECK(ExecutorRef(one).size() == 1);
  CHECK(says([&] { const ExecutorRef lent(none); }, "executor: expected 1 to 4096 workers"));
  CHECK(says([&] { const ExecutorRef lent(too_many); }, "executor: expected 1 to 4096 workers"));
}

}  // namespace
}  // namespace aila
