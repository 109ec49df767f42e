// Benchmarks of one policy: LSTM stacks of several depths and widths, forward, backward and the whole training step.
#pragma once

#include <benchmark/benchmark.h>

#include <aila/aila.hpp>
#include <cmath>
#include <string>
#include <thread>

#include "../fma_peak.hpp"

namespace stacks {

using Scalar = float;
using Arch = aila::simd::DefaultArch;

template <class Policy, std::size_t Steps, std::size_t Features, std::size_t Depth, std::size_t Width>
struct Net : aila::Network<aila::Sequence<Steps, Features>, aila::Stack<Policy, aila::Repeat<Depth, aila::Lstm<Width>>>,
                           aila::LastStep, aila::Linear<1>> {};

/// The plain stack without an epilogue: what other libraries call a stacked LSTM.
template <std::size_t Steps, std::size_t Features, std::size_t Depth, std::size_t Width>
struct BareNet
    : aila::Network<
          aila::Sequence<Steps, Features>,
          aila::Stack<aila::integrate::None, aila::Epilogue<aila::Identity>, aila::Repeat<Depth, aila::Lstm<Width>>>,
          aila::LastStep, aila::Linear<1>> {};

template <class N>
aila::Samples<aila::NetworkInput<N>> make_samples(std::size_t count) {
  using In = aila::NetworkInput<N>;
  aila::Samples<In> samples;
  for (std::size_t i = 0; i < count * In::elements; ++i)
    samples.inputs.push_back(static_cast<float>(std::sin(0.7 * static_cast<double>(i))));
  for (std::size_t i = 0; i < count; ++i)
    samples.targets.push_back(static_cast<float>(std::cos(static_cast<double>(i))));
  return samples;
}

/// Reports GFLOP/s and their share of the peak of fused multiply-adds, measured just before and just after the loop.
class Report {
 public:
  Report(benchmark::State& state, double flops_per_iteration, int threads)
      : state_(state), flops_(flops_per_iteration), threads_(threads), before_(peak()) {}
  ~Report() {
    const double peak_now = (before_ + peak()) / 2;
    using benchmark::Counter;
    state_.counters["GFLOP/s"] = Counter(flops_ * 1e-9, Counter::kIsIterationInvariantRate);
    state_.counters["of_peak"] = Counter(flops_ * 1e-9 / peak_now, Counter::kIsIterationInvariantRate);
    state_.counters["peak"] = peak_now;
  }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

 private:
  double peak() const { return aila_benchmarks::fma_peak_gflops<Scalar, Arch>(threads_); }
  benchmark::State& state_;
  double flops_;
  int threads_;
  double before_;
};

/// One group of 8 samples on one thread.
template <class N, bool Backward>
void pass(benchmark::State& state) {
  constexpr std::size_t samples = 8;
  const aila::Model<N> model{aila::Seed{1}};
  const auto data = make_samples<N>(samples);
  constexpr auto capability = Backward ? aila::Capability::train : aila::Capability::predict;
  aila::Workspace<N, aila::backend::Cpu, capability> workspace(samples);
  std::copy(data.inputs.begin(), data.inputs.end(), workspace.input());
  aila::AlignedArray<Scalar> gradients(model.parameters().size() + 64);
  aila::Pass call;
  call.samples = samples;
  workspace.forward(call, model.parameters().data(), model.packed(), workspace.input());
  if constexpr (Backward)
    for (std::size_t i = 0; i < samples; ++i) workspace.output_gradient()[i] = 0.1F * static_cast<float>(i + 1);
  const Report report(state, static_cast<double>(aila::flops<N>) * samples * (Backward ? 2 : 1), 1);
  for (auto _ : state) {
    if constexpr (Backward)
      workspace.backward(call, model.parameters().data(), model.packed(), gradients.data());
    else
      workspace.forward(call, model.parameters().data(), model.packed(), workspace.input());
    benchmark::DoNotOptimize(workspace.output()[0]);
    benchmark::ClobberMemory();
  }
}

/// Forward, backward and Adam over a batch, on all threads asked for. Backward counts twice the forward's operations.
template <class N>
void step(benchmark::State& state, std::size_t batch, int threads) {
  aila::Model<N> model{aila::Seed{1}};
  aila::ThreadPool pool(static_cast<std::size_t>(threads));
  aila::Trainer<N> trainer(model, {}, {}, {.batch = batch}, pool);
  const auto samples = make_samples<N>(batch);
  const aila::SourceRef<aila::NetworkInput<N>> source(samples);
  std::vector<std::size_t> indices(batch);
  for (std::size_t i = 0; i < batch; ++i) indices[i] = i;
  double loss = trainer.step(source, indices).loss;
  const Report report(state, 3 * static_cast<double>(aila::flops<N>) * static_cast<double>(batch), threads);
  for (auto _ : state) loss = trainer.step(source, indices).loss;
  benchmark::DoNotOptimize(loss);
}

inline int all_threads() {
  return static_cast<int>(std::min(2U, std::max(1U, std::thread::hardware_concurrency())));
}

template <class N>
void add(const std::string& policy, std::size_t depth, std::size_t width, std::size_t batch) {
  using In = aila::NetworkInput<N>;
  const std::string shape = "/policy:" + policy + "/depth:" + std::to_string(depth) +
                            "/width:" + std::to_string(width) + "/steps:" + std::to_string(In::positions) +
                            "/features:" + std::to_string(In::features);
  benchmark::RegisterBenchmark(("lstm_stack/forward" + shape + "/batch:8/threads:1").c_str(), pass<N, false>)
      ->UseRealTime();
  benchmark::RegisterBenchmark(("lstm_stack/backward" + shape + "/batch:8/threads:1").c_str(), pass<N, true>)
      ->UseRealTime();
  for (int threads = 1; threads <= all_threads(); ++threads)
    benchmark::RegisterBenchmark(
        ("lstm_stack/train" + shape + "/batch:" + std::to_string(batch) + "/threads:" + std::to_string(threads))
            .c_str(),
        step<N>, batch, threads)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}

/// Depths 2 to 16 at width 64, widths 32 to 128 at depth 4, and the two tasks of 4 layers of 64.
template <class Policy>
void add_policy(const std::string& name) {
  add<Net<Policy, 48, 16, 2, 64>>(name, 2, 64, 64);
  add<Net<Policy, 48, 16, 4, 64>>(name, 4, 64, 64);
  add<Net<Policy, 48, 16, 8, 64>>(name, 8, 64, 64);
  add<Net<Policy, 48, 16, 16, 64>>(name, 16, 64, 64);
  add<Net<Policy, 48, 16, 4, 32>>(name, 4, 32, 64);
  add<Net<Policy, 48, 16, 4, 128>>(name, 4, 128, 64);
  add<Net<Policy, 200, 100, 4, 64>>(name, 4, 64, 64);
  add<Net<Policy, 12, 1, 4, 64>>(name, 4, 64, 32);
}

void add_bare();
void add_none();
void add_residual();
void add_densenet();
void add_linear();
void add_attention();
void add_attention_tied();

}  // namespace stacks
