// Several devices in one process: each thread says on which one its models are.
#include <aila/data/background.hpp>
#include <numeric>
#include <thread>

#include "compare.hpp"

using namespace aila;

namespace {

struct Net : Network<Sequence<5, 3>, Stack<integrate::Attention<>, Repeat<3, Lstm<8>>>, LastStep, Linear<1>> {};
struct Words : Network<Tokens<4>, Embedding<8>, MeanOverPositions, Linear<1>> {};
using Cuda = backend::Cuda;

Samples<NetworkInput<Net>> samples(std::size_t count = 64) {
  Samples<NetworkInput<Net>> all;
  std::mt19937_64 engine(5);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < count * 15; ++i) all.inputs.push_back(normal(engine));
  for (std::size_t i = 0; i < count; ++i) all.targets.push_back(normal(engine));
  return all;
}

/// All that is made on the thread's device, and everything that it gives when a thread of the other device asks, with
/// pools whose threads are on the first.
std::vector<float> all_from_elsewhere() {
  int here = 0;
  cudaGetDevice(&here);
  const auto data = samples(300), others = samples(301);
  std::vector<std::size_t> all(64);
  std::iota(all.begin(), all.end(), std::size_t{0});
  ThreadPool pool(3);
  Model<Net, Cuda> model(Seed{3});
  Trainer<Net, MeanSquaredError, Adam, Cuda> trainer(model, {}, {}, {.batch = 64}, pool);
  Evaluator<Net, MeanSquaredError, Cuda> evaluator(pool);
  Predictor<Net, Cuda> predict(model, 64);
  Stream<Net, Cuda> stream(model);
  const data::Background<NetworkInput<Net>> background(data, {.threads = 2});
  std::vector<float> found;
  const auto give = [&](const auto& numbers) { found.insert(found.end(), numbers.begin(), numbers.end()); };
  std::thread([&] {
    cudaSetDevice(1 - here);
    trainer.step(others, all, 1, 1, all);
    trainer.step(background, all, 1, 1);
    trainer.keep(data);  // what was not kept before, and what is
    trainer.step(data, all, 1, 1);
    found.push_back(static_cast<float>(evaluator.loss(model, others, {})));
    evaluator.keep(data);
    found.push_back(static_cast<float>(evaluator.loss(model, data, {})));
    give(evaluator.predict(model, others));
    give(predict.batch(std::span(data.inputs).first(64 * 15)));
    give(predict(std::span<const float, 15>(data.inputs.data(), 15)));
    for (int step = 0; step < 5; ++step) give(stream.step(std::span<const float, 3>(data.inputs.data() + 3 * step, 3)));
    stream.reset();
    give(stream.step(std::span<const float, 3>(data.inputs.data(), 3)));
    model.edit([](std::span<float> parameters) { parameters[0] += 1; });
    give(predict(std::span<const float, 15>(data.inputs.data(), 15)));
  }).join();
  give(trainer.gradient());
  fit(model, data, {.validation = others, .epochs = 1, .batch = 64, .threads = 3});
  give(model.parameters());
  give(predict.batch(std::span(data.inputs).first(64 * 15)));
  return found;
}

bool are_two() {
  int count = 0;
  const bool found = cudaGetDeviceCount(&count) == cudaSuccess && count > 1;
  if (!found) std::puts("skipped: no GPU was found beside another");
  return found;
}

}  // namespace

TEST_CASE("two models on two devices, by turns in one thread and at once in two, are one model twice") {
  if (!are_two()) return;
  const auto data = samples();
  std::vector<std::size_t> all(64);
  std::iota(all.begin(), all.end(), std::size_t{0});
  Inline alone;
  std::vector<std::unique_ptr<Model<Net, Cuda>>> models;
  std::vector<std::unique_ptr<Trainer<Net, MeanSquaredError, Adam, Cuda>>> trainers;
  for (int device = 0; device < 2; ++device) {
    cudaSetDevice(device);
    models.push_back(std::make_unique<Model<Net, Cuda>>(Seed{3}));
    trainers.push_back(std::make_unique<Trainer<Net, MeanSquaredError, Adam, Cuda>>(
        *models.back(), MeanSquaredError{}, Adam{}, TrainerOptions{.batch = 64}, alone));
  }
  for (int step = 0; step < 5; ++step) {  // wherever the thread is
    cudaSetDevice(step % 2);
    const double first = trainers[0]->step(data, all).loss;
    CHECK(trainers[1]->step(data, all).loss == first);
  }
  CHECK(std::ranges::equal(models[0]->parameters(), models[1]->parameters()));
  std::vector<std::vector<float>> outputs(2);
  std::vector<std::thread> threads;
  for (std::size_t device = 0; device < 2; ++device)
    threads.emplace_back([&, device] {
      cudaSetDevice(static_cast<int>(device));
      for (int step = 0; step < 20; ++step) trainers[device]->step(data, all);
      Predictor<Net, Cuda> predictor(*models[device], 64);
      const auto y = predictor.batch(data.inputs);
      outputs[device].assign(y.begin(), y.end());
    });
  for (auto& thread : threads) thread.join();
  CHECK(outputs[0] == outputs[1]);
}

TEST_CASE("what is made on one device is used by threads of the other, and by pools, to the same bits") {
  if (!are_two()) return;
  cudaSetDevice(0);
  const std::vector<float> on_first = all_from_elsewhere();
  cudaSetDevice(1);
  const std::vector<float> on_second = all_from_elsewhere();
  cudaSetDevice(0);
  CHECK(std::ranges::none_of(on_first, [](float x) { return std::isnan(x); }));
  CHECK(on_first == on_second);
}

TEST_CASE("a workspace on another device than its model is refused in one sentence") {
  if (!are_two()) return;
  const auto data = samples();
  cudaSetDevice(1);
  const Model<Net, Cuda> model(Seed{3});
  Predictor<Net, Cuda>(model, 64).batch(data.inputs);
  cudaSetDevice(0);
  Predictor<Net, Cuda> predictor(model, 64);
  CHECK_THROWS_WITH(predictor.batch(data.inputs),
                    "cuda: expected a model on device 0, where its workspace is, found one on device 1; a workspace is "
                    "on the thread's device (cudaSetDevice) when it is made, a model when it is first used");
}

TEST_CASE("a table stays with its model, also where a workspace on another device was refused") {
  if (!are_two()) return;
  cudaSetDevice(1);
  Model<Words, Cuda> model(Seed{3}, {40});
  Predictor<Words, Cuda> there(model);
  cudaSetDevice(0);
  Predictor<Words, Cuda> here(model);
  Inline alone;
  Trainer<Words, MeanSquaredError, Adam, Cuda> trainer(model, {}, {}, {.batch = 1}, alone);
  const std::array<std::int32_t, 4> words{1, 2, 3, 4};
  Samples<Tokens<4>> data;
  data.inputs.assign(words.begin(), words.end());
  data.targets = {1};
  const std::vector<std::size_t> first{0};
  CHECK_THROWS_AS(here(words), Error);
  CHECK_THROWS_AS(trainer.step(data, first), Error);
  CHECK(std::isfinite(there(words)[0]));
}
