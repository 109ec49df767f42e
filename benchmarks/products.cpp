// Dense products beside Eigen's, one thread: what a layer's weights, and their gradients, cost as a share of the peak.
#include <benchmark/benchmark.h>

// Before Eigen: it brings the intrinsics in without g++'s false warnings.
#include <aila/backend/cpu/product/product.hpp>

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <new>
#include <string>

#include "fma_peak.hpp"

namespace {

using Scalar = float;
using Arch = aila::simd::DefaultArch;
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Index = Eigen::Index;

Matrix random(std::size_t rows, std::size_t columns) {
  return Matrix::Random(static_cast<Index>(rows), static_cast<Index>(columns));
}

/// Packed weights lie on 64 bytes, as in a model.
class Aligned {
 public:
  explicit Aligned(std::size_t count)
      : data_(static_cast<Scalar*>(::operator new(count * sizeof(Scalar), std::align_val_t{64}))) {}
  ~Aligned() { ::operator delete(data_, std::align_val_t{64}); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  Scalar* data() const { return data_; }

 private:
  Scalar* data_;
};

/// Runs the body and reports GFLOP/s and their share of the peak measured just before and after.
template <class Body>
void measure(benchmark::State& state, double flops, Body&& body) {
  const double before = aila_benchmarks::fma_peak_gflops<Scalar, Arch>(1);
  for (auto _ : state) {
    body();
    benchmark::ClobberMemory();
  }
  const double peak = (before + aila_benchmarks::fma_peak_gflops<Scalar, Arch>(1)) / 2;
  using benchmark::Counter;
  state.counters["GFLOP/s"] = Counter(flops * 1e-9, Counter::kIsIterationInvariantRate);
  state.counters["of_peak"] = Counter(flops * 1e-9 / peak, Counter::kIsIterationInvariantRate);
}

void packed(benchmark::State& state, std::size_t M, std::size_t K, std::size_t N) {
  const Matrix a = random(M, K), b = random(K, N);
  Matrix c = random(M, N);
  const Aligned weights(aila::cpu::packed_size<Scalar, Arch>(K, N));
  aila::cpu::pack<Scalar, Arch>(b.data(), N, 1, K, N, weights.data());
  measure(state, 2.0 * static_cast<double>(M * K * N), [&] {
    aila::cpu::multiply_packed<Scalar, Arch>(M, K, N, a.data(), K, 1, weights.data(), nullptr, c.data(), N, false);
  });
  if (!c.isApprox(a * b, Scalar(1e-4))) state.SkipWithError("the product is wrong");
}

void eigen(benchmark::State& state, std::size_t M, std::size_t K, std::size_t N) {
  const Matrix a = random(M, K), b = random(K, N);
  Matrix c = random(M, N);
  measure(state, 2.0 * static_cast<double>(M * K * N), [&] { c.noalias() = a * b; });
}

void transposed(benchmark::State& state, std::size_t P, std::size_t M, std::size_t N) {
  const Matrix a = random(P, M), b = random(P, N);
  Matrix c = Matrix::Zero(static_cast<Index>(M), static_cast<Index>(N));
  measure(state, 2.0 * static_cast<double>(P * M * N),
          [&] { aila::cpu::multiply_transposed_add<Scalar, Arch>(P, M, N, a.data(), M, b.data(), N, c.data(), N); });
}

void transposed_eigen(benchmark::State& state, std::size_t P, std::size_t M, std::size_t N) {
  const Matrix a = random(P, M), b = random(P, N);
  Matrix c = Matrix::Zero(static_cast<Index>(M), static_cast<Index>(N));
  measure(state, 2.0 * static_cast<double>(P * M * N), [&] { c.noalias() += a.transpose() * b; });
}

/// Packing of a weight [out, in] as its transpose, once per optimiser step; bytes read and written.
void pack(benchmark::State& state, std::size_t in, std::size_t out) {
  const Matrix weight = random(out, in);
  const Aligned packed(aila::cpu::packed_size<Scalar, Arch>(in, out));
  for (auto _ : state) {
    aila::cpu::pack<Scalar, Arch>(weight.data(), 1, in, in, out, packed.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(2 * in * out * sizeof(Scalar)));
}

}  // namespace

int main(int argc, char** argv) {
  const auto size = [](const char* name, std::size_t value) { return std::string(name) + std::to_string(value); };
  const std::size_t products[][3] = {{12800, 64, 256}, {64, 64, 256}, {32, 64, 256},   {8, 64, 256},
                                     {3, 64, 256},     {1, 64, 256},  {8, 256, 64},    {64, 64, 64},
                                     {32, 32, 32},     {8, 32, 32},   {1, 32, 128},    {8, 8, 8},
                                     {1, 8, 32},       {64, 100, 10}, {512, 512, 512}, {1024, 1024, 1024}};
  for (const auto [M, K, N] : products) {
    const std::string shape = size("/m:", M) + size("/k:", K) + size("/n:", N);
    benchmark::RegisterBenchmark(("product/packed" + shape).c_str(), packed, M, K, N);
    benchmark::RegisterBenchmark(("product/eigen" + shape).c_str(), eigen, M, K, N);
  }
  const std::size_t gradients[][3] = {{1600, 256, 64}, {1600, 256, 100}, {96, 256, 64}, {96, 256, 1}, {64, 32, 32}};
  for (const auto [P, M, N] : gradients) {
    const std::string shape = size("/p:", P) + size("/m:", M) + size("/n:", N);
    benchmark::RegisterBenchmark(("product_transposed/tiled" + shape).c_str(), transposed, P, M, N);
    benchmark::RegisterBenchmark(("product_transposed/eigen" + shape).c_str(), transposed_eigen, P, M, N);
  }
  for (std::size_t in : {std::size_t{8}, std::size_t{64}, std::size_t{256}})
    benchmark::RegisterBenchmark(("pack" + size("/in:", in) + "/out:256").c_str(), pack, in, std::size_t{256});
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
