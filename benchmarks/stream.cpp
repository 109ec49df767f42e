// One step of LSTM(1 -> N) + Linear for one sample, beside the same step written with Eigen, and beside the product of
// its recurrent weights alone. Inputs vary from step to step, and results are used. The comparison with other libraries
// has such rows too (works/steps.cpp), where nothing is inlined into the loop; steps of 16 and 32 units take a tenth
// more there, so both are worth a look.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <string>

#include "eigen_step.hpp"

namespace {

using namespace aila;
using aila_benchmarks::EigenStep;

template <std::size_t Units>
struct Net : Network<Sequence<1, 1>, Lstm<Units>, LastStep, Linear<1>> {};
template <std::size_t Units>
struct GruNet : Network<Sequence<1, 1>, Gru<Units>, LastStep, Linear<1>> {};
template <class Policy>
struct StackNet : Network<Sequence<1, 1>, Stack<Policy, Repeat<4, Lstm<64>>>, LastStep, Linear<1>> {};

constexpr std::size_t input_count = 256;
std::array<float, input_count> inputs() {
  std::array<float, input_count> x{};
  for (std::size_t i = 0; i < input_count; ++i) x[i] = std::sin(0.3F * static_cast<float>(i));
  return x;
}

template <class Step>
void measure(benchmark::State& state, Step&& step) {
  const auto x = inputs();
  float sum = 0;
  std::size_t t = 0;
  for (auto _ : state) sum += step(x[t++ % input_count]);
  benchmark::DoNotOptimize(sum);
}

template <class N>
void stream_step(benchmark::State& state) {
  const Model<N> model{Seed{1}};
  Stream stream{model};
  measure(state, [&](float x) { return stream.step(x)[0]; });
}

template <std::size_t Units>
void eigen_step(benchmark::State& state) {
  const Model<Net<Units>> model{Seed{1}};
  EigenStep<static_cast<int>(Units)> same(model);
  Stream stream{model};
  for (const float x : inputs())
    if (std::abs(same.step(x) - stream.step(x)[0]) > 1e-5F) state.SkipWithError("the two differ");
  measure(state, [&](float x) { return same.step(x); });
}

/// [1 x Units] [Units x 4 Units], as the library multiplies rows: the weights of the step, and nothing else of it.
template <std::size_t Units>
void product(benchmark::State& state) {
  using Arch = simd::DefaultArch;
  const Model<Net<Units>> model{Seed{1}};
  AlignedArray<float> weights(cpu::packed_size<float, Arch>(Units, 4 * Units) + alignment_elements);
  cpu::pack<float, Arch>(model.parameter("lstm.weight_hh").data(), 1, Units, Units, 4 * Units, weights.data());
  AlignedArray<float> h(Units + alignment_elements), gates(4 * Units + alignment_elements);
  for (std::size_t i = 0; i < Units; ++i) h.data()[i] = std::cos(static_cast<float>(i));
  measure(state, [&](float x) {
    h.data()[0] = x;
    cpu::multiply_packed<float, Arch>(1, Units, 4 * Units, h.data(), Units, 1, weights.data(), nullptr, gates.data(),
                                      4 * Units, false);
    return gates.data()[0];
  });
}

template <std::size_t Units>
void add() {
  const std::string units = "/units:" + std::to_string(Units);
  benchmark::RegisterBenchmark(("stream/lstm_and_linear" + units).c_str(), stream_step<Net<Units>>);
  benchmark::RegisterBenchmark(("stream/eigen" + units).c_str(), eigen_step<Units>);
  benchmark::RegisterBenchmark(("stream/product" + units).c_str(), product<Units>);
  benchmark::RegisterBenchmark(("stream/gru_and_linear" + units).c_str(), stream_step<GruNet<Units>>);
}

}  // namespace

int main(int argc, char** argv) {
  add<8>();
  add<16>();
  add<32>();
  add<64>();
  benchmark::RegisterBenchmark("stream/stack_of_4x64/policy:none", stream_step<StackNet<integrate::None>>);
  benchmark::RegisterBenchmark("stream/stack_of_4x64/policy:attention", stream_step<StackNet<integrate::Attention<>>>);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
