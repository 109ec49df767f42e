// Threads with little stack train, measure and predict: the objects that users put there are small whatever the
// network.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <vector>

#include "painted_stack.hpp"

namespace aila {
namespace {

/// Long, wide and deep enough that an array over steps, classes or pairs of layers would break the bound.
struct Net : Network<Sequence<9000, 1>, Linear<2>, Stack<integrate::None, Repeat<40, Tanh>>, LastStep, Linear<5000>> {};
using In = Sequence<9000, 1>;

/// Bytes that each object may have.
constexpr std::size_t small = 4096;
static_assert(sizeof(Model<Net>) <= small);
static_assert(sizeof(Workspace<Net, backend::Cpu, Capability::train>) <= small);
static_assert(sizeof(Workspace<Net, backend::Reference<float>, Capability::predict>) <= small);
static_assert(sizeof(Predictor<Net>) <= small);
static_assert(sizeof(Stream<Net>) <= small);
static_assert(sizeof(WavefrontPredictor<Net>) <= small);
static_assert(sizeof(Trainer<Net, CrossEntropy>) <= small);
static_assert(sizeof(Evaluator<Net, CrossEntropy>) <= small);

/// f uses an object that is made and used on a thread with a painted stack.
template <class F>
void check_bound(F&& f) {
  CHECK(painted_stack().used_by(f) <= stack_bound);
}

TEST_CASE("predictors of long and deep networks live on a small stack") {
  const std::vector<float> x(In::elements, 0.5F);
  check_bound([] { const Model<Net> model{Seed{1}}; });
  const Model<Net> model{Seed{1}};
  float whole = 0, shared = 0, streamed = 0;
  check_bound([&] {
    Predictor predict{model};
    whole = predict(x)[7];
  });
  check_bound([&] {
    WavefrontPredictor predict{model};
    shared = predict(x)[7];
  });
  check_bound([&] {
    Stream stream{model};
    for (std::size_t t = 0; t < 3; ++t) streamed = stream.step(x[t])[7];
  });
  CHECK(shared == whole);
  CHECK(streamed == doctest::Approx(whole).epsilon(1e-4));
}

TEST_CASE("long and deep networks are trained and measured on a small stack") {
  Samples<In> data;
  data.inputs.assign(4 * In::elements, 0.25F);
  data.targets = {1, 4999, 0, 2};
  data.lengths = {9000, 1, 8000, 5};
  Model<Net> model{Seed{1}};
  check_bound([&] { CHECK(evaluate(model, data, CrossEntropy{}) > 0); });
  check_bound([&] { CHECK(predict(model, data).size() == 4 * 5000); });
  double loss = 0;
  check_bound([&] {
    Inline executor;
    Trainer trainer(model, CrossEntropy{}, Adam{}, {.batch = 2}, executor);
    const std::vector<std::size_t> indices{1, 2};
    loss = trainer.step(data, indices).loss;
  });
  CHECK(loss > 0);
  check_bound([&] { CHECK(fit(model, data, CrossEntropy{}, Adam{}, {.epochs = 1}).epochs.size() == 1); });
}

}  // namespace
}  // namespace aila
