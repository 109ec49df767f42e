// Attention pooling on a GPU: a product for the scores, then a block for each sample; bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <string>

#include "../../layer/attention_pooling.hpp"
#include "attention.hpp"
#include "product.hpp"

namespace aila::inline v0 {

/// What is padded reaches nothing.
template <std::size_t Width, class In>
struct CudaAttentionPooling : KernelDefaults<float> {
  static constexpr const char* name = "cuda attention pooling, a block a sample";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr bool sets_input_gradient = true;
  static constexpr std::size_t steps = In::positions, inputs = In::features;

  /// The weights [samples, steps], and for backward tanh(W x + b) [samples, steps, Width].
  template <Capability C>
  struct Saved {
    float *weight = nullptr, *u = nullptr;
    constexpr void bind(Arena<float>& arena, std::size_t samples) {
      weight = arena.take(samples * steps);
      if constexpr (keeps_for_backward(C)) u = arena.take(samples * steps * Width);
    }
  };
  /// tanh(W x + b) or its gradient, the gradient of v of each sample, and what products and sums need.
  static constexpr std::size_t hidden(std::size_t samples) {
    return round_up(samples * steps * Width, alignment_elements);
  }
  static constexpr std::size_t vectors(std::size_t samples) { return round_up(samples * Width, alignment_elements); }
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    const std::size_t rows = samples * steps;
    std::size_t most = cuda::product_scratch(rows, Width, inputs);
    if (keeps_for_backward(c)) most = std::max(most, cuda::product_scratch(rows, inputs, Width));
    if (c == Capability::train)
      most = std::max(
          {most, cuda::weight_gradient_scratch(rows, inputs, Width), cuda::column_sum_scratch(samples, Width)});
    return hidden(samples) + (c == Capability::train ? vectors(samples) : 0) + most;
  }

  /// The weights [samples, steps] of the last forward; 0 behind a sample's length.
  template <Capability C>
  static constexpr const float* weights(const Saved<C>& saved) {
    return saved.weight;
  }
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, float*, const std::string& path, F&& f) {
    f(path + ".weights", static_cast<const float*>(saved.weight), samples * steps);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float*, const float* x, float* y, Saved<C>& saved,
                      float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float*, const float* x, const float*, const float* dy,
                       float* dx, Gradients<float> g, Saved<C>& saved, float* scratch);
};

#ifdef __CUDACC__
namespace cuda::steps {

/// u [samples, steps, Width] becomes its tanh where it is kept; weight [samples, steps], y [samples, inputs].
template <int Width, int inputs>
__global__ void __launch_bounds__(tile::threads)
    pool_forward(Sequences of, float* u, bool keeps, const float* vector, const float* x, float* weight, float* y) {
  constexpr int warps = tile::threads / 32, columns = inputs < tile::threads ? inputs : tile::threads,
                groups = tile::threads / columns;
  float* const space = tile::shared_memory();  // [threads]
  float* const score = space + tile::threads;  // [steps]
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  const auto steps = static_cast<std::size_t>(of.steps);
  for (std::size_t n = blockIdx.x; n < of.samples; n += gridDim.x) {
    const int length = of.length(n);
    float top = -INFINITY, sum = 0;
    __syncthreads();  // all are done with the last scores
    for (int t = warp; t < length; t += warps) {
      float* const row = u + (n * steps + t) * Width;
      float dot = 0;
      for (int k = lane; k < Width; k += 32) {
        const float squashed = tanhf(row[k]);
        if (keeps) row[k] = squashed;
        dot = fmaf(squashed, vector[k], dot);
      }
      dot = tile::sum_over<32>(dot);
      if (lane == 0) score[t] = dot;
    }
    __syncthreads();
    for (int t = thread; t < length; t += tile::threads) top = fmaxf(top, score[t]);
    top = over_block(top, space, [](float a, float b) { return fmaxf(a, b); });
    for (int t = thread; t < length; t += tile::threads) sum += score[t] = expf(score[t] - top);
    const float inverse = 1 / over_block(sum, space, [](float a, float b) { return a + b; });
    for (int t = thread; t < of.steps; t += tile::threads) {
      const float a = t < length ? score[t] * inverse : 0.0F;
      weight[n * steps + t] = a;
      score[t] = a;
    }
    // A thread has one feature of every so manyth step.
    for (int first = 0; first < inputs; first += columns) {
      const int f = first + thread % columns, group = thread / columns;
      float mixture = 0;
      __syncthreads();
      if (group < groups && f < inputs)
#pragma unroll 4
        for (int t = group; t < length; t += groups) mixture = fmaf(score[t], x[(n * steps + t) * inputs + f], mixture);
      space[thread] = mixture;
      __syncthreads();
      if (group != 0 || f >= inputs) continue;
      for (int g = 1; g < groups; ++g) mixture += space[g * columns + thread];
      y[n * inputs + f] = mixture;
    }
  }
}

/// dz [samples, steps, Width], d_vector [samples, Width] (null: nobody asks for both), and what the mixture gives to dx
/// (null: nobody asks), written or added.
template <int Width, int inputs>
__global__ void __launch_bounds__(tile::threads)
    pool_backward(Sequences of, const float* u, const float* weight, const float* vector, const float* x,
                  const float* dy, float* dz, float* d_vector, float* dx, bool adds) {
  constexpr int warps = tile::threads / 32, columns = Width < tile::threads ? Width : tile::threads,
                groups = tile::threads / columns;
  float* const space = tile::shared_memory();  // [threads]
  float* const slope = space + tile::threads;  // [steps]
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  const auto steps = static_cast<std::size_t>(of.steps);
  for (std::size_t n = blockIdx.x; n < of.samples; n += gridDim.x) {
    const int length = of.length(n);
    const float *const a = weight + n * steps, *const up = dy + n * inputs;
    float expected = 0;
    __syncthreads();  // all are done with the last slopes
    for (int t = warp; t < length; t += warps) {
      const float* const row = x + (n * steps + t) * inputs;
      float dot = 0;
      for (int f = lane; f < inputs; f += 32) dot = fmaf(up[f], row[f], dot);
      dot = tile::sum_over<32>(dot);
      if (lane == 0) slope[t] = dot;
    }
    __syncthreads();
    for (int t = thread; t < length; t += tile::threads) expected = fmaf(a[t], slope[t], expected);
    expected = over_block(expected, space, [](float p, float q) { return p + q; });
    for (int t = thread; t < of.steps; t += tile::threads) slope[t] = t < length ? a[t] * (slope[t] - expected) : 0.0F;
    __syncthreads();
    if (dx != nullptr)
      for (int e = thread; e < (adds ? length : of.steps) * inputs; e += tile::threads) {
        float* const to = dx + n * steps * inputs + e;
        const float given = e / inputs < length ? a[e / inputs] * up[e % inputs] : 0.0F;
        *to = adds ? *to + given : given;
      }
    // A thread has one number of u of every so manyth step.
    for (int first = 0; first < Width; first += columns) {
      const int k = first + thread % columns, group = thread / columns;
      float sum = 0;
      if (group < groups && k < Width) {
        const std::size_t at = n * steps * Width + k;
        const float v = vector[k];
#pragma unroll 4
        for (int t = group; t < of.steps; t += groups) {
          const std::size_t number = at + static_cast<std::size_t>(t) * Width;
          const float squashed = t < length ? u[number] : 0.0F;
          sum = fmaf(slope[t], squashed, sum);
          dz[number] = slope[t] * v * (1 - squashed * squashed);
        }
      }
      if (d_vector == nullptr) continue;
      __syncthreads();
      space[thread] = sum;
      __syncthreads();
      if (group != 0 || k >= Width) continue;
      for (int g = 1; g < groups; ++g) sum += space[g * columns + thread];
      d_vector[n * Width + k] = sum;
    }
  }
}

inline unsigned blocks_of_samples(std::size_t samples) {
  return static_cast<unsigned>(std::min<std::size_t>(samples, std::size_t{1} << 20));
}

}  // namespace cuda::steps

template <std::size_t Width, class In>
template <Capability C>
[[gnu::used]] void CudaAttentionPooling<Width, In>::forward(const Pass& pass, Weights<float> w, const float*,
                                                            const float* x, float* y, Saved<C>& saved, float* scratch) {
  const std::size_t rows = pass.samples * steps;
  float* const u = keeps_for_backward(C) ? saved.u : scratch;
  cuda::product(pass, rows, Width, inputs, {x, inputs, 1}, {w[0], 1, inputs}, {u, Width, w[1]},
                scratch + hidden(pass.samples));
  cuda::launch(pass, &cuda::steps::pool_forward<static_cast<int>(Width), static_cast<int>(inputs)>,
               cuda::steps::blocks_of_samples(pass.samples), cuda::tile::threads,
               (cuda::tile::threads + steps) * sizeof(float),
               cuda::steps::Sequences{pass.samples, 1, static_cast<int>(steps), pass.lengths}, u, keeps_for_backward(C),
               w[2], x, saved.weight, y);
}

template <std::size_t Width, class In>
template <Capability C>
[[gnu::used]] void CudaAttentionPooling<Width, In>::backward(const Pass& pass, Weights<float> w, const float*,
                                                             const float* x, const float*, const float* dy, float* dx,
                                                             Gradients<float> g, Saved<C>& saved, float* scratch) {
  const std::size_t rows = pass.samples * steps;
  float *const dz = scratch, *const d_vector = g ? dz + hidden(pass.samples) : nullptr;
  float* const rest = dz + hidden(pass.samples) + (C == Capability::train ? vectors(pass.samples) : 0);
  const float* const u = saved.u;
  const float* const weight = saved.weight;
  cuda::launch(pass, &cuda::steps::pool_backward<static_cast<int>(Width), static_cast<int>(inputs)>,
               cuda::steps::blocks_of_samples(pass.samples), cuda::tile::threads,
               (cuda::tile::threads + steps) * sizeof(float),
               cuda::steps::Sequences{pass.samples, 1, static_cast<int>(steps), pass.lengths}, u, weight, w[2], x, dy,
               dz, d_vector, dx, !pass.sets_input_gradient);
  if (dx != nullptr)
    cuda::product(pass, rows, inputs, Width, {dz, Width, 1}, {w[0], inputs, 1}, {dx, inputs, nullptr, true}, rest);
  if (!g) return;
  cuda::detail::weight_gradient(pass, rows, inputs, Width, x, dz, g[0], g[1],
                                cuda::detail::valid_steps(pass.lengths, steps), rest);
  cuda::column_sum(pass, pass.samples, Width, d_vector, Width, g[2], rest);
}
#endif

template <std::size_t Width, class In, CudaBackend Backend>
CudaAttentionPooling<Width, In> select_kernel(rank::Layer, Placed<AttentionPooling<Width>, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
