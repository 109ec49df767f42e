// The loss of a batch on a GPU, and its gradient: a thread a sample, or a step of one.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../backend/cuda/block_sum.hpp"
#include "../../backend/cuda/joints.hpp"
#include "../loss_over.hpp"

namespace aila::inline v0 {

template <class LossType, class Placed>
struct CudaLossOver {
  using In = typename Placed::In;
  using Out = typename Placed::Out;
  using Arrays = LossArrays<float>;
  enum { compiled = detail::CompiledFirst<&detail::LossCalls<LossType, Out, float>::forward>::here };
  static constexpr std::size_t targets = LossType::template targets<Out>;
  static constexpr unsigned threads = 128;
  static constexpr std::size_t most_blocks = 256;
  static constexpr bool goes_by_steps =
      detail::goes_by_steps<LossType, Out> && detail::has_steps<In> && SequenceShape<Out>;
  /// Sums of blocks in double, and the total.
  static constexpr std::size_t scratch = 2 * (most_blocks + 1) + alignment_elements;

  static double run(const LossType& loss, double scale, const Arrays& of) {
    const auto& queue = *static_cast<const cuda::Queue*>(of.queue);
    double total = 0;
    start(loss, scale, of);
    queue.join();
    queue.to_host(total_of(of), 1, &total);
    return total;
  }
  /// The same without a wait: the sum comes to total_of(of), beside what follows.
  static void start(const LossType& loss, double scale, const Arrays& of);
  static double* total_of(const Arrays& of) {
    return static_cast<double*>(static_cast<void*>(of.scratch)) + most_blocks;
  }
};
template <class LossType, class Placed, CudaBackend Kernels>
struct LossOver<LossType, Placed, Kernels> : CudaLossOver<LossType, Placed> {};

#ifdef __CUDACC__
namespace cuda {

/// Items are samples, or where a loss goes by steps, steps of Out as `Each`.
template <class Over, class LossType, class L, class In, class Out, class Each, bool by_steps, bool wants>
__global__ void loss_kernel(LossType loss, double scale, LossArrays<float> of, double* sums) {
  constexpr std::size_t per_sample = Out::elements / Each::elements, each = Each::elements,
                        targets = Over::targets / per_sample;
  double sum = 0;
  for_each_element(of.samples * per_sample, [&](std::size_t i) {
    const std::size_t n = i / per_sample;
    float* gradient = of.gradient + i * each;
    float unused[wants ? 1 : each];
    if constexpr (!wants) gradient = unused;
    const float weight = of.weights[n];
    double share = weight;
    bool counts = weight != 0;
    if constexpr (by_steps) {
      std::size_t steps = length_after<L, In>(valid_length(of.lengths, n, In::extents[0]));
      if (steps > Out::positions) steps = Out::positions;
      counts = counts && i % per_sample < steps;
      share = steps > 0 ? share / static_cast<double>(steps) : 0;
    }
    if (counts) {
      const float value = loss.template operator()<Each>(of.outputs + i * each, of.targets + i * targets, gradient);
      sum += share * static_cast<double>(value);
      const auto factor = static_cast<float>(scale * share);
      for (std::size_t e = 0; wants && e < each; ++e) gradient[e] *= factor;
    } else {
      for (std::size_t e = 0; wants && e < each; ++e) gradient[e] = 0;
    }
  });
  sum = sum_of_block<Over::threads>(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}
template <unsigned Threads>
__global__ void total_kernel(const double* sums, std::size_t count, double* total) {
  double sum = 0;
  for (std::size_t i = threadIdx.x; i < count; i += Threads) sum += sums[i];
  sum = sum_of_block<Threads>(sum);
  if (threadIdx.x == 0) *total = sum;
}

}  // namespace cuda

template <class LossType, class Placed>
[[gnu::used]] void CudaLossOver<LossType, Placed>::start(const LossType& loss, double scale, const Arrays& of) {
  Pass pass;
  pass.queue = of.queue;
  auto* const sums = static_cast<double*>(static_cast<void*>(of.scratch));
  const auto go = [&]<class Each, bool by_steps>() {
    const std::size_t items = of.samples * (Out::elements / Each::elements);
    const auto blocks = cuda::blocks_for(items, threads, most_blocks);
    using L = typename Placed::Layer;
    if (of.gradient != nullptr)
      cuda::launch(pass, &cuda::loss_kernel<CudaLossOver, LossType, L, In, Out, Each, by_steps, true>, blocks, threads,
                   0, loss, scale, of, sums);
    else
      cuda::launch(pass, &cuda::loss_kernel<CudaLossOver, LossType, L, In, Out, Each, by_steps, false>, blocks, threads,
                   0, loss, scale, of, sums);
    cuda::beside(pass, [&](const Pass& on) {
      cuda::launch(on, &cuda::total_kernel<threads>, 1, threads, 0, sums, static_cast<std::size_t>(blocks),
                   total_of(of));
    });
  };
  if constexpr (goes_by_steps) {
    if (of.lengths != nullptr) return go.template operator()<Sequence<1, Out::features>, true>();
  }
  go.template operator()<Out, false>();
}
#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
