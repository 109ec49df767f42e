// Dropout and stochastic depth on a GPU: elements of a draw are kept and scaled, or zero, by the same random bits as on
// the host. Bound by memory, and of a map in the cache by the generator, ten rounds of Philox for four elements.
#pragma once

#include "../../core/macros_aside.hpp"

#include <new>

#include "../../layer/dropout.hpp"
#include "../../layer/stochastic_depth.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "readout.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

/// `Draws` of a sample, one for each element or one for all. Backward draws again: nothing is kept.
template <class L, std::size_t Draws, class In>
struct CudaDropout : KernelDefaults<float> {
  static_assert(Draws == 1 || Draws == In::elements);
  static constexpr const char* name = "cuda dropout";
  static constexpr bool copies = true;
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <class L, class In>
struct CudaStochasticDepth : CudaDropout<L, 1, In> {
  static constexpr const char* name = "cuda stochastic depth";
};

template <std::size_t Percent, class In>
CudaDropout<Dropout<Percent>, In::elements, In> select_kernel(rank::Layer, Placed<Dropout<Percent>, In>, backend::Cuda);
template <std::size_t Part, std::size_t Of, class In>
CudaStochasticDepth<StochasticDepth<Part, Of>, In> select_kernel(rank::Layer, Placed<StochasticDepth<Part, Of>, In>,
                                                                 backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

/// What a draw is a function of, beside the step.
struct DropoutKey {
  Seed seed;
  std::uint64_t path, first_sample;
  StepNumber step;
  explicit DropoutKey(const Pass& pass)
      : seed(pass.seed), path(pass.path), first_sample(pass.first_sample), step(pass) {}
};

/// to = factor x, or where it `adds`, to += factor x; of padded steps zeros, or nothing. A thread has four elements of
/// a sample, which are those of one block of random words.
template <class L, std::size_t Draws, class In>
__global__ void __launch_bounds__(256)
    dropout_elements(std::size_t samples, DropoutKey key, StepsOf<In> valid, const float* x, float* to, bool adds) {
  constexpr std::size_t quads = divide_up(In::elements, 4);
  constexpr auto kept = static_cast<float>(1 / (1 - L::probability));
  constexpr auto threshold = static_cast<std::uint32_t>(L::probability * 4294967296.0);
  // The key of the generator takes two blocks of it: once a block of threads.
  alignas(Random) __shared__ unsigned char shared[sizeof(Random)];
  if (threadIdx.x == 0) new (static_cast<void*>(shared)) Random(key.seed, Purpose::dropout, key.step.get(), key.path);
  __syncthreads();
  const Random random = *reinterpret_cast<const Random*>(shared);
  for_each_element(samples * quads, [&](std::size_t q) {
    const std::size_t sample = q / quads, quad = q % quads;
    const auto [w0, w1, w2, w3] = random.block(key.first_sample + sample, Draws == 1 ? 0 : quad);
    const std::uint32_t words[4] = {w0, w1, w2, w3};
    const auto factor = [&](std::size_t i) { return words[Draws == 1 ? 0 : i] < threshold ? 0.0F : kept; };
    const std::size_t first = sample * In::elements + quad * 4;
    if constexpr (In::features % 4 == 0) {
      const bool counts = valid.has(first / In::features);
      if (!counts && adds) return;
      RowVector<4> value{};
      if (counts) {
        value = *as_vectors<4>(x + first);
#pragma unroll
        for (std::size_t i = 0; i < 4; ++i) value.at[i] = factor(i) * value.at[i];
      }
      store_or_add(as_vectors<4>(to + first), value, adds);
    } else {
#pragma unroll
      for (std::size_t i = 0; i < 4; ++i) {
        if (quad * 4 + i >= In::elements) break;
        const bool counts = valid.has((first + i) / In::features);
        if (!counts && adds) continue;
        const float value = counts ? factor(i) * x[first + i] : 0.0F;
        to[first + i] = adds ? to[first + i] + value : value;
      }
    }
  });
}

}  // namespace cuda

template <class L, std::size_t Draws, class In>
template <Capability C>
[[gnu::used]] void CudaDropout<L, Draws, In>::forward(const Pass& pass, Weights<float>, const float*, const float* x,
                                                      float* y, NothingSaved&, float*) {
  const cuda::StepsOf<In> all;
  if (!pass.training) return cuda::copy_steps(pass, all, x, y, false);
  cuda::launch(pass, &cuda::dropout_elements<L, Draws, In>,
               cuda::blocks_for(pass.samples * cuda::divide_up(In::elements, 4), 256, cuda::multiprocessors * 8), 256,
               0, pass.samples, cuda::DropoutKey(pass), all, x, y, false);
}
template <class L, std::size_t Draws, class In>
template <Capability C>
[[gnu::used]] void CudaDropout<L, Draws, In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                                       const float*, const float* dy, float* dx, Gradients<float>,
                                                       NothingSaved&, float*) {
  if (dx == nullptr) return;
  const cuda::StepsOf<In> valid(pass);
  if (!pass.training) return cuda::copy_steps(pass, valid, dy, dx, !pass.sets_input_gradient);
  cuda::launch(pass, &cuda::dropout_elements<L, Draws, In>,
               cuda::blocks_for(pass.samples * cuda::divide_up(In::elements, 4), 256, cuda::multiprocessors * 8), 256,
               0, pass.samples, cuda::DropoutKey(pass), valid, dy, dx, !pass.sets_input_gradient);
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
