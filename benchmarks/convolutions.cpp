// Convolutions and pools of 8 samples, a group's share of a batch of 128, on one thread: forward, the gradient of the
// input, the gradient of the weights, packing.
#include <benchmark/benchmark.h>

#include <aila/backend/cpu.hpp>
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
#include <cmath>
#include <string>

#include "fma_peak.hpp"

namespace {

using Scalar = float;
using Arch = aila::simd::DefaultArch;
using aila::Capability;
constexpr std::size_t samples = 8;

template <class L, class In>
class Layer {
  using Part = aila::Placed<L, In>;
  using Kernel = aila::KernelFor<Part, aila::backend::CpuOn<Arch, Scalar>>;
  static constexpr auto layout = aila::detail::make_layout<Part>();

 public:
  static void forward(benchmark::State& state) {
    Layer layer;
    layer.measure(state, 1, [&] {
      Kernel::template forward<Capability::train>(layer.pass_, layer.weights(), layer.packed_.data(), layer.x_.data(),
                                                  layer.y_.data(), layer.saved_, layer.scratch_.data());
    });
  }
  static void input_gradient(benchmark::State& state) {
    Layer layer;
    layer.measure(state, 1, [&] { layer.backward(layer.dx_.data(), nullptr); });
  }
  static void weight_gradient(benchmark::State& state) {
    Layer layer;
    layer.measure(state, 1, [&] { layer.backward(nullptr, layer.gradients_.data()); });
  }
  static void pack(benchmark::State& state) {
    Layer layer;
    layer.measure(state, 0, [&] { Kernel::pack(layer.weights(), layer.packed_.data()); });
  }

 private:
  static aila::AlignedArray<Scalar> waves(std::size_t n) {
    aila::AlignedArray<Scalar> a(n + 2 * aila::alignment_elements);
    for (std::size_t i = 0; i < n; ++i) a.data()[i] = static_cast<Scalar>(std::sin(0.7 * static_cast<double>(i)));
    return a;
  }
  aila::Weights<Scalar> weights() const { return {parameters_.data(), layout.offset.data()}; }
  void backward(Scalar* dx, Scalar* gradients) {
    Kernel::template backward<Capability::train>(pass_, weights(), packed_.data(), x_.data(), y_.data(), dy_.data(), dx,
                                                 {gradients, layout.offset.data()}, saved_, scratch_.data());
  }
  /// Reports the share of the peak of fused multiply-adds, measured just before and just after.
  template <class F>
  void measure(benchmark::State& state, double forwards, F&& f) {
    pass_.samples = samples;
    Kernel::pack(weights(), packed_.data());
    const double before = aila_benchmarks::fma_peak_gflops<Scalar, Arch>(1);
    for (auto _ : state) {
      f();
      benchmark::ClobberMemory();
    }
    const double peak = (before + aila_benchmarks::fma_peak_gflops<Scalar, Arch>(1)) / 2;
    const double flops = forwards * static_cast<double>(samples * Part::flops) * 1e-9;
    using benchmark::Counter;
    state.counters["GFLOP/s"] = Counter(flops, Counter::kIsIterationInvariantRate);
    state.counters["of_peak"] = Counter(flops / peak, Counter::kIsIterationInvariantRate);
  }

  aila::Pass pass_;
  typename Kernel::template Saved<Capability::train> saved_;
  aila::AlignedArray<Scalar> parameters_ = waves(layout.size), gradients_ = waves(layout.size),
                             packed_ = waves(Kernel::packed), x_ = waves(samples * In::elements),
                             dx_ = waves(samples * In::elements), y_ = waves(samples * Part::Out::elements),
                             dy_ = waves(samples * Part::Out::elements),
                             scratch_ = waves(Kernel::scratch(samples, Capability::train));
};

template <class L, class In>
void register_layer(const std::string& name) {
  benchmark::RegisterBenchmark((name + "/forward").c_str(), Layer<L, In>::forward);
  benchmark::RegisterBenchmark((name + "/input_gradient").c_str(), Layer<L, In>::input_gradient);
  if constexpr (aila::Placed<L, In>::tensors > 0) {
    benchmark::RegisterBenchmark((name + "/weight_gradient").c_str(), Layer<L, In>::weight_gradient);
    benchmark::RegisterBenchmark((name + "/pack").c_str(), Layer<L, In>::pack);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace aila;
  register_layer<Conv<64>, Image<32, 32, 3>>("conv/3x3/32x32/3:64");
  register_layer<Conv<64>, Image<16, 16, 64>>("conv/3x3/16x16/64:64");
  register_layer<Conv<64, Stride<2>>, Image<32, 32, 64>>("conv/3x3/stride:2/32x32/64:64");
  register_layer<Conv<64, Kernel<1>>, Image<16, 16, 64>>("conv/1x1/16x16/64:64");
  register_layer<Conv<64, Groups<4>>, Image<16, 16, 64>>("conv/3x3/groups:4/16x16/64:64");
  register_layer<Conv<256>, Image<4, 4, 256>>("conv/3x3/4x4/256:256");
  register_layer<Conv<64, Kernel<5>>, Sequence<128, 64>>("conv/5/128/64:64");
  register_layer<DepthwiseConv<>, Image<16, 16, 64>>("depthwise_conv/3x3/16x16/64");
  register_layer<MaxPool<2>, Image<32, 32, 64>>("max_pool/2x2/32x32/64");
  register_layer<AveragePool<2>, Image<32, 32, 64>>("average_pool/2x2/32x32/64");
  register_layer<MeanOverPositions, Image<16, 16, 64>>("mean_over_positions/16x16/64");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
