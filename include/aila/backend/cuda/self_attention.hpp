// Self-attention on a GPU, with its maps and without: products around the attention of attention.hpp.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/self_attention.hpp"
#include "attention.hpp"
#include "product.hpp"

namespace aila::inline v0 {

/// Attention without maps. Only valid steps are read.
template <class L, class In>
struct CudaAttend : KernelDefaults<float> {
  static constexpr const char* name = "cuda attention, strips of queries";
  static constexpr bool sets_input_gradient = true;
  static constexpr std::size_t steps = In::positions, d = In::features / 3, numbers = L::heads * steps;
  static constexpr int width = static_cast<int>(d / L::heads);

  /// The statistics of the softmax.
  template <Capability C>
  struct Saved {
    float* statistics = nullptr;
    constexpr void bind(Arena<float>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) statistics = arena.take(samples * numbers * cuda::steps::statistics);
    }
  };
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return keeps_for_backward(c) ? samples * numbers : 0;
  }
  static constexpr cuda::steps::Sequences sequences(const Pass& pass) {
    return {pass.samples, static_cast<int>(L::heads), static_cast<int>(steps), pass.lengths};
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y, Saved<C>& saved,
                      float*);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float>, const float*, const float* x, const float* y, const float* dy,
                       float* dx, Gradients<float>, Saved<C>& saved, float* scratch);
};

/// Bound by the products. What is padded reaches no gradient.
template <class L, class In>
struct CudaSelfAttention : KernelDefaults<float> {
  static constexpr const char* name = "cuda self-attention, strips of queries";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr bool sets_input_gradient = true;
  static constexpr std::size_t steps = In::positions, d = In::features, numbers = L::heads * steps;
  static constexpr int width = static_cast<int>(d / L::heads);

  /// q, k, v [rows, 3 d], the heads' outputs [rows, d], and the statistics of the softmax.
  template <Capability C>
  struct Saved {
    float *qkv = nullptr, *o = nullptr, *statistics = nullptr;
    constexpr void bind(Arena<float>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) {
        qkv = arena.take(samples * steps * 3 * d);
        o = arena.take(samples * steps * d);
        statistics = arena.take(samples * numbers * cuda::steps::statistics);
      }
    }
  };
  static constexpr std::size_t of_products(std::size_t samples, Capability c) {
    const std::size_t rows = samples * steps;
    std::size_t most = std::max(cuda::product_scratch(rows, 3 * d, d), cuda::product_scratch(rows, d, d));
    if (keeps_for_backward(c)) most = std::max(most, cuda::product_scratch(rows, d, 3 * d));
    if (c == Capability::train)
      most = std::max({most, cuda::weight_gradient_scratch(rows, d, 3 * d), cuda::weight_gradient_scratch(rows, d, d)});
    return most;
  }
  /// q, k, v, o (or their gradients), <do, o>, and what products need.
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return samples * steps * 4 * d + (keeps_for_backward(c) ? round_up(samples * numbers, alignment_elements) : 0) +
           of_products(samples, c);
  }
  static constexpr cuda::steps::Sequences sequences(const Pass& pass) {
    return {pass.samples, static_cast<int>(L::heads), static_cast<int>(steps), pass.lengths};
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float*, const float* x, float* y, Saved<C>& saved,
                      float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float*, const float* x, const float*, const float* dy,
                       float* dx, Gradients<float> g, Saved<C>& saved, float* scratch);
};

#ifdef __CUDACC__
template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaAttend<L, In>::forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y,
                                              Saved<C>& saved, float*) {
  cuda::steps::forward<width, L::causal>(pass, sequences(pass), x, y, saved.statistics);
}
template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaAttend<L, In>::backward(const Pass& pass, Weights<float>, const float*, const float* x,
                                               const float* y, const float* dy, float* dx, Gradients<float>,
                                               Saved<C>& saved, float* scratch) {
  if (dx == nullptr) return;
  cuda::steps::backward<width, L::causal>(pass, sequences(pass), x, y, dy, saved.statistics, scratch, dx,
                                          !pass.sets_input_gradient);
}

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaSelfAttention<L, In>::forward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                     float* y, Saved<C>& saved, float* scratch) {
  const std::size_t rows = pass.samples * steps;
  float* const qkv = keeps_for_backward(C) ? saved.qkv : scratch;
  float* const o = keeps_for_backward(C) ? saved.o : scratch + rows * 3 * d;
  float* const rest = scratch + rows * 4 * d;
  cuda::product(pass, rows, 3 * d, d, {x, d, 1}, {w[0], 1, d}, {qkv, 3 * d, w[1]}, rest);
  cuda::steps::forward<width, L::causal>(pass, sequences(pass), qkv, o, saved.statistics);
  auto to = cuda::detail::places({y, d, w[3]}, rows, d);
  to.valid = cuda::detail::valid_steps(pass.lengths, steps);
  cuda::detail::multiply(pass, d, {o, d, 1}, {w[2], 1, d}, to, rest);
}

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaSelfAttention<L, In>::backward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                      const float*, const float* dy, float* dx, Gradients<float> g,
                                                      Saved<C>& saved, float* scratch) {
  const std::size_t rows = pass.samples * steps;
  const auto valid = cuda::detail::valid_steps(pass.lengths, steps);
  float *const d_qkv = scratch, *const d_o = d_qkv + rows * 3 * d, *const dots = d_o + rows * d;
  float* const rest = dots + round_up(pass.samples * numbers, alignment_elements);
  cuda::product(pass, rows, d, d, {dy, d, 1}, {w[2], d, 1}, {d_o, d}, rest);
  cuda::steps::backward<width, L::causal>(pass, sequences(pass), saved.qkv, saved.o, d_o, saved.statistics, dots, d_qkv,
                                          false);
  if (dx != nullptr) {
    auto to = cuda::detail::places({dx, d, nullptr, !pass.sets_input_gradient}, rows, d);
    to.valid = valid;
    cuda::detail::multiply(pass, 3 * d, {d_qkv, 3 * d, 1}, {w[0], d, 1}, to, rest);
  }
  if (!g) return;
  cuda::detail::weight_gradient(pass, rows, d, 3 * d, x, d_qkv, g[0], g[1], valid, rest);
  cuda::detail::weight_gradient(pass, rows, d, d, saved.o, dy, g[2], g[3], valid, rest);
}
#endif

template <std::size_t HeadCount, class... Options, class In, CudaBackend Backend>
CudaAttend<Attend<HeadCount, Options...>, In> select_kernel(rank::Layer, Placed<Attend<HeadCount, Options...>, In>,
                                                            Backend);
template <std::size_t HeadCount, class... Options, class In, CudaBackend Backend>
CudaSelfAttention<SelfAttention<HeadCount, Options...>, In> select_kernel(
    rank::Layer, Placed<SelfAttention<HeadCount, Options...>, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
