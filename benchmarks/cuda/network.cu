// The works of one network, TASK and POLICY of ../works/networks.hpp.
#include <aila/cuda.hpp>
#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <span>

#include "../works/networks.hpp"
#include "work.hpp"

namespace {

using namespace aila;
using Task = works::task::TASK;
using Net = Task::Net<works::policy::POLICY>;
using In = NetworkInput<Net>;
using Clock = std::chrono::steady_clock;

template <class F>
double median_seconds(double seconds, F&& run) {
  std::vector<double> each;
  for (int i = 0; i < 5; ++i) run();
  const auto begin = Clock::now();
  while (each.size() < 11 || std::chrono::duration<double>(Clock::now() - begin).count() < seconds) {
    const auto start = Clock::now();
    run();
    each.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::nth_element(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(each.size() / 2), each.end());
  return each[each.size() / 2];
}

Samples<In> samples(std::size_t count) {
  Samples<In> all;
  std::mt19937_64 engine(11);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::size_t i = 0; i < count * In::elements; ++i) all.inputs.push_back(uniform(engine));
  for (std::size_t i = 0; i < count; ++i) all.targets.push_back(Task::target(i, uniform(engine)));
  return all;
}

template <std::size_t Batch>
double measure_training(double seconds) {
  Model<Net, backend::Cuda> model{Seed{7}};
  const auto data = samples(Batch);
  Inline alone;
  Trainer<Net, Task::Loss, Adam, backend::Cuda> trainer(model, {}, {}, {.batch = Batch}, alone);
  std::vector<std::size_t> indices(Batch);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  const SourceRef<In> source(data);
  trainer.keep(source);
  return median_seconds(seconds, [&] { trainer.step(source, indices); });
}
/// Of inputs on the device, with outputs there.
template <std::size_t Batch>
double measure_prediction(double seconds) {
  Model<Net, backend::Cuda> model{Seed{7}};
  const auto data = samples(Batch);
  aila::cuda::Array<float> inputs(data.inputs.size());
  aila::cuda::Queue{}.to_device(data.inputs.data(), data.inputs.size(), inputs.data());
  Predictor<Net, backend::Cuda> predictor(model, Batch);
  return median_seconds(seconds, [&] {
    predictor.on_device(inputs.data(), Batch);
    predictor.wait();
  });
}
/// From pinned memory of the program, and back.
template <std::size_t Batch>
double measure_prediction_from_host(double seconds) {
  Model<Net, backend::Cuda> model{Seed{7}};
  const auto data = samples(Batch);
  aila::cuda::PinnedArray<float> inputs(data.inputs.size());
  std::copy(data.inputs.begin(), data.inputs.end(), inputs.data());
  Predictor<Net, backend::Cuda> predictor(model, Batch);
  return median_seconds(seconds, [&] { predictor.batch(std::span<const float>(inputs.data(), inputs.size())); });
}

template <std::size_t Batch>
void add(const std::string& name) {
  constexpr double forward = static_cast<double>(flops<Net>) * Batch;
  const std::string end = name + "/" + std::to_string(Batch);
  cuda_works::works().push_back({"train/" + end, 3 * forward, measure_training<Batch>});
  cuda_works::works().push_back({"predict/" + end, forward, measure_prediction<Batch>});
  cuda_works::works().push_back({"host-predict/" + end, forward, measure_prediction_from_host<Batch>});
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
[[maybe_unused]] const bool added = [] {
  const std::string name = TEXT(TASK) "/" TEXT(POLICY);
  add<Task::batch>(name);
  add<1024>(name);
  return true;
}();

}  // namespace
