// The works of one network, TASK and POLICY of ../works/networks.hpp, on an NVIDIA GPU. Each is waited for.
#include <benchmark/benchmark.h>

#include <aila/cuda.hpp>
#include <algorithm>
#include <numeric>
#include <random>
#include <span>
#include <string>

#include "../works/networks.hpp"

namespace {

using namespace aila;
using Task = works::task::TASK;
using Net = Task::Net<works::policy::POLICY>;
using In = NetworkInput<Net>;
using Cuda = backend::Cuda;

Samples<In> samples(std::size_t count) {
  Samples<In> all;
  std::mt19937_64 engine(11);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::size_t i = 0; i < count * In::elements; ++i) all.inputs.push_back(uniform(engine));
  for (std::size_t i = 0; i < count; ++i) all.targets.push_back(Task::target(i, uniform(engine)));
  return all;
}

/// Times run(), counted as so many times the operations of a forward. The first runs load kernels and make graphs.
template <class F>
void measure(benchmark::State& state, std::size_t batch, double forwards, F&& run) {
  for (int i = 0; i < 5; ++i) run();
  for (auto _ : state) run();
  using benchmark::Counter;
  state.counters["TFLOP/s"] = Counter(forwards * static_cast<double>(flops<Net>) * static_cast<double>(batch) * 1e-12,
                                      Counter::kIsIterationInvariantRate);
}

/// Forward, loss, backward and Adam, from samples on the device.
void train(benchmark::State& state, std::size_t batch) {
  Model<Net, Cuda> model{Seed{7}};
  const auto data = samples(batch);
  Inline alone;
  Trainer<Net, Task::Loss, Adam, Cuda> trainer(model, {}, {}, {.batch = batch}, alone);
  std::vector<std::size_t> indices(batch);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  const SourceRef<In> source(data);
  trainer.keep(source);
  measure(state, batch, 3, [&] { trainer.step(source, indices); });
}

/// A forward as a training has it, or the backward behind it, from one to the other end of the network.
template <bool backward>
void pass(benchmark::State& state, std::size_t batch) {
  const Model<Net, Cuda> model{Seed{7}};
  const auto data = samples(batch);
  Workspace<Net, Cuda, Capability::train> workspace(batch);
  aila::cuda::Array<float> gradients(Model<Net, Cuda>::layout.size + 2 * alignment_elements);
  auto& queue = workspace.queue();
  std::copy(data.inputs.begin(), data.inputs.end(), workspace.host_input());
  workspace.send_input(batch);
  Pass call;
  call.samples = batch;
  call.training = true;
  aila::cuda::Graphs graphs;
  const auto forward = [&] { workspace.forward(call, model.kernel_parameters(), model.packed(), workspace.input()); };
  forward();
  const std::size_t key[] = {batch};
  measure(state, batch, backward ? 2 : 1, [&] {
    graphs.run(queue, key, [&] {
      if constexpr (backward)
        workspace.backward(call, model.kernel_parameters(), model.packed(), gradients.data());
      else
        forward();
    });
    queue.wait();
  });
}

/// Of inputs on the device, with outputs there.
void predict(benchmark::State& state, std::size_t batch) {
  const Model<Net, Cuda> model{Seed{7}};
  const auto data = samples(batch);
  aila::cuda::Array<float> inputs(data.inputs.size());
  aila::cuda::Queue{}.to_device(data.inputs.data(), data.inputs.size(), inputs.data());
  Predictor<Net, Cuda> predictor(model, batch);
  measure(state, batch, 1, [&] {
    predictor.on_device(inputs.data(), batch);
    predictor.wait();
  });
}
/// From pinned memory of the program, and back.
void predict_from_host(benchmark::State& state, std::size_t batch) {
  const Model<Net, Cuda> model{Seed{7}};
  const auto data = samples(batch);
  aila::cuda::PinnedArray<float> inputs(data.inputs.size());
  std::copy(data.inputs.begin(), data.inputs.end(), inputs.data());
  Predictor<Net, Cuda> predictor(model, batch);
  measure(state, batch, 1, [&] { predictor.batch(std::span<const float>(inputs.data(), inputs.size())); });
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
[[maybe_unused]] const bool added = [] {
  for (const std::size_t batch : {Task::batch, std::size_t{1024}}) {
    const auto add = [batch](const char* kind, void (*work)(benchmark::State&, std::size_t)) {
      const std::string name = std::string(kind) + "/" TEXT(TASK) "/" TEXT(POLICY) "/" + std::to_string(batch);
      benchmark::RegisterBenchmark(name.c_str(), work, batch)->UseRealTime()->Unit(benchmark::kMicrosecond);
    };
    add("train", train);
    add("forward", pass<false>);
    add("backward", pass<true>);
    add("predict", predict);
    add("host-predict", predict_from_host);
  }
  return true;
}();

}  // namespace
