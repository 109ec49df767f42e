#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <array>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <vector>

#include "count.hpp"

namespace aila {
namespace {

using allocation::count_of;

template <class Policy>
struct Net : Network<Sequence<6, 3>, Stack<Policy, Repeat<3, Lstm<8>>>, MeanOverPositions, Dropout<20>, Linear<5>, Gelu,
                     Linear<2>> {};
using In = Sequence<6, 3>;
struct StreamedNet : Network<In, Linear<5>, Gelu, Stack<integrate::Attention<>, Lstm<8>, Gru<8>, Lstm<8>>, Lstm<300>,
                             LastStep, Dropout<20>, Linear<2>> {};

Samples<In> samples(std::size_t count) {
  Samples<In> all;
  for (std::size_t i = 0; i < count * 18; ++i) all.inputs.push_back(static_cast<float>((i * 37) % 101) / 50 - 1);
  for (std::size_t i = 0; i < count * 2; ++i) all.targets.push_back(static_cast<float>((i * 11) % 31) / 31);
  for (std::size_t i = 0; i < count; ++i) all.lengths.push_back(static_cast<std::int32_t>(1 + i % 6));
  return all;
}

/// The compiler may leave out an allocation whose address nobody sees.
void* volatile seen;
void show(void* block) {
  seen = block;
}
void take(void* block) {
  show(block);
  std::free(block);
}

TEST_CASE("every way to the heap is counted") {
  if (!allocation::is_counted()) return;
  CHECK(count_of([] { show(std::vector<int>(100).data()); }) == 1);
  CHECK(count_of([] { show(AlignedArray<float>(100).data()); }) == 1);
  CHECK(count_of([] { take(std::malloc(50)); }) == 1);
  CHECK(count_of([] { take(std::calloc(5, 50)); }) == 1);
  CHECK(count_of([] { take(std::realloc(nullptr, 50)); }) == 1);
  CHECK(count_of([] { take(std::aligned_alloc(64, 128)); }) == 1);
}

template <class Policy, class Backend>
void check_nothing_is_allocated() {
  using N = Net<Policy>;
  const auto data = samples(50);
  const SourceRef<In> source(data);
  std::vector<std::size_t> indices(50);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  const std::span<const std::size_t> all(indices);
  Model<N, Backend> model{Seed{1}};
  const Model<N, Backend> other{Seed{2}};

  Predictor<N, Backend> predict{model, 50};
  float sum = 0;
  CHECK(count_of([&] {
          sum += predict(std::span<const float, 18>(data.inputs.data(), 18))[0];
          sum += predict(std::span<const float>(data.inputs).first(18), 3)[0];
          sum += predict.batch(data.inputs, data.lengths)[0];
          predict.use(other);
          sum += predict.batch(data.inputs)[0];
        }) == 0);
  CHECK(std::isfinite(sum));

  Workspace<N, Backend, Capability::predict> workspace(50);
  CHECK(count_of([&] {
          model.predict(data.inputs, workspace, data.lengths);
          model.assign(other.parameters());
          model.edit([](std::span<float> p) { p[0] = 0; });
        }) == 0);

  for (const std::size_t threads : {1UL, 2UL}) {
    CAPTURE(threads);
    ThreadPool pool(threads);
    Trainer trainer(model, MeanSquaredError{}, Adam{}, {.batch = 50, .clip_norm = 1}, pool);
    CHECK(count_of([&] {
            for (const std::size_t batch : {50UL, 17UL, 1UL}) trainer.step(source, all.first(batch));
          }) == 0);
    Evaluator<N, MeanSquaredError, Backend> evaluator(pool);
    double loss = evaluator.loss(model, source, {});
    CHECK(count_of([&] { loss += evaluator.loss(model, source, {}); }) == 0);
    CHECK(std::isfinite(loss));
  }
}

TEST_CASE_TEMPLATE("predictions and training steps allocate nothing after construction", Policy, integrate::DenseNet,
                   integrate::Linear<Heads<2>, TaskEmbedding, Score<Context>>,
                   integrate::Attention<Heads<2>, TiedValues>) {
  if (!allocation::is_counted()) return;
  check_nothing_is_allocated<Policy, backend::Cpu>();
}

template <class Backend>
void check_streams_allocate_nothing() {
  using S = typename Backend::Scalar;
  Model<StreamedNet, Backend> model{Seed{1}};
  const Model<StreamedNet, Backend> other{Seed{2}};
  const std::vector<S> steps(30, S(0.5));
  Stream stream{model};
  S sum = 0;
  CHECK(count_of([&] {
          for (std::size_t t = 0; t < 10; ++t) {
            sum += stream.step(std::span<const S, 3>(steps.data() + 3 * t, 3))[0];
            sum += stream.step(std::span<const S>(steps).subspan(3 * t, 3))[1];
          }
          stream.use(other);
          sum += stream.step(std::array<S, 3>{})[0];
          stream.reset();
          sum += stream.step(std::array<S, 3>{})[0];
        }) == 0);
  CHECK(std::isfinite(sum));
}
TEST_CASE("steps of a stream allocate nothing") {
  if (!allocation::is_counted()) return;
  check_streams_allocate_nothing<backend::Cpu>();
  check_streams_allocate_nothing<backend::CpuDouble>();
  check_streams_allocate_nothing<backend::Reference<double>>();
}

TEST_CASE("a sample shared by threads allocates nothing") {
  if (!allocation::is_counted()) return;
  const Model<Net<integrate::Attention<>>> model{Seed{1}};
  const std::vector<float> x(18, 0.5F);
  WavefrontPredictor predict{model};
  float sum = predict(x)[0];
  CHECK(count_of([&] {
          for (std::int32_t length = 1; length <= 6; ++length) {
            sum += predict(std::span<const float, 18>(x), length)[0];
            sum += predict(x, length)[1];
          }
        }) == 0);
  CHECK(std::isfinite(sum));
}

TEST_CASE("the reference backend allocates nothing either") {
  if (!allocation::is_counted()) return;
  check_nothing_is_allocated<integrate::Attention<>, backend::Reference<float>>();
}

}  // namespace
}  // namespace aila
