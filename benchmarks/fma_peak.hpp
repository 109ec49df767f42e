// The peak of fused multiply-adds on this machine, now: the measure of every kernel's speed.
#pragma once

#include <aila/backend/cpu/simd/simd.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace aila_benchmarks {

/// GFLOP/s of one thread: 12 independent chains fill the pipelines of two units of latency up to 6. Best of several
/// short runs.
template <class Scalar, class Arch>
double fma_peak_of_this_thread() {
  using B = aila::simd::Batch<Scalar, Arch>;
  constexpr std::size_t chains = 12, repeats = 20000, runs = 12;
  volatile Scalar opaque_factor = Scalar(0.999), opaque_term = Scalar(0.001);  // the compiler must not know the result
  const B factor(opaque_factor), term(opaque_term);
  double best = 0;
  for (std::size_t run = 0; run < runs; ++run) {
    B sums[chains];
    AILA_UNROLL
    for (std::size_t i = 0; i < chains; ++i) sums[i] = B(opaque_term);  // or equal chains are merged into one
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t k = 0; k < repeats; ++k) {
      AILA_UNROLL
      for (std::size_t i = 0; i < chains; ++i) sums[i] = aila::simd::fmadd(sums[i], factor, term);
    }
    B total = sums[0];
    AILA_UNROLL
    for (std::size_t i = 1; i < chains; ++i) total += sums[i];
    volatile Scalar sink = aila::simd::reduce_add(total);
    static_cast<void>(sink);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best,
                    2e-9 * static_cast<double>(chains * repeats * aila::simd::width<Scalar, Arch>) / seconds.count());
  }
  return best;
}

/// GFLOP/s of `threads` threads at once.
template <class Scalar, class Arch>
double fma_peak_gflops(int threads) {
  if (threads <= 1) return fma_peak_of_this_thread<Scalar, Arch>();
  std::vector<double> each(static_cast<std::size_t>(threads));
  std::atomic<int> waiting{threads};
  std::vector<std::thread> workers;
  for (double& result : each)
    workers.emplace_back([&result, &waiting] {
      waiting.fetch_sub(1);
      while (waiting.load() > 0) std::this_thread::yield();
      result = fma_peak_of_this_thread<Scalar, Arch>();
    });
  for (std::thread& worker : workers) worker.join();
  double sum = 0;
  for (double result : each) sum += result;
  return sum;
}

}  // namespace aila_benchmarks
