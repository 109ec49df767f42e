// Kernels made from bodies on a GPU: a layer or policy written once over V runs here with V = float, one thread for one
// position or sample.
//
// Rows pass through shared memory, each thread's at an odd stride, where a block's fit; else threads work on the maps
// where they lie. Cost: each map is read and written once. What a body adds to gradients is summed over the lanes of a
// warp, then over warps and blocks in their order: the same bits in every run. That takes all lanes of a warp through a
// body together, which bodies allow: written for V, they cannot branch on values.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <cstdint>

#include "../host/body.hpp"
#include "cuda.hpp"
#include "joints.hpp"
#include "launch.hpp"

namespace aila::inline v0 {

namespace cuda {

/// How the rows of a body kernel are shared: `staged` in shared memory by blocks of `threads`, floats of a row each at
/// an odd stride.
struct BodyPlan {
  std::size_t threads = 128;
  bool staged = false;
  static constexpr std::size_t most_bytes = 96 * 1024;

  static constexpr std::size_t stride(std::size_t width) { return width | 1U; }
  /// For `floats` of shared memory a row, strides included.
  static constexpr BodyPlan of(std::size_t floats) {
    for (const std::size_t threads : {std::size_t{128}, std::size_t{64}, std::size_t{32}})
      if (floats * threads * sizeof(float) <= most_bytes) return {threads, true};
    return {};
  }
  /// Gradients that each thread sums in shared memory, beside so many floats of its row: all `parameters`, or where
  /// they are many none, and then a warp adds up each time.
  static constexpr std::size_t sums_of_thread(std::size_t floats, std::size_t parameters) {
    return parameters <= 128 && of(floats + parameters).staged ? parameters : 0;
  }
  /// Most blocks of a backward, each of which has sums of `parameters` gradients of its own.
  static constexpr std::size_t most_blocks(std::size_t parameters) {
    return parameters == 0 ? cuda::multiprocessors * 16
                           : std::clamp<std::size_t>((std::size_t{1} << 21) / parameters, 8, cuda::multiprocessors * 4);
  }
  constexpr std::size_t blocks(std::size_t rows, std::size_t parameters) const {
    return std::min(divide_up(rows, threads), most_blocks(parameters));
  }
};

/// The gradients of a part's tensors, one after the other.
template <class Part>
struct TensorSums {
  static constexpr std::size_t tensors = Part::tensors;
  static constexpr auto first = [] {
    std::array<std::uint32_t, tensors + 1> at{};
    for (std::size_t t = 0; t < tensors; ++t)
      at[t + 1] = at[t] + static_cast<std::uint32_t>(Part::parameters[t].size());
    return at;
  }();
  static constexpr std::size_t size = first[tensors];
};

/// Arrays of pointers and offsets as kernels are given them.
template <class T, std::size_t N>
struct Given {
  T at[N + 1];
};

}  // namespace cuda

/// y = value(x), element by element.
template <class L, class In, class Backend>
struct CudaElementWise : KernelDefaults<float> {
  static constexpr const char* name = "body, element by element";
  using Calls = detail::ElementWiseCalls<L, float>;
  enum { compiled = detail::CompiledFirst<&Calls::forward>::here };
  template <Capability C>
  using Saved = typename detail::NothingSavedBy<keeps_for_backward(C), Calls>::type;
  using MissingBackward = std::conditional_t<SlopeBody<L, float>, detail::NoRefusal, detail::LayerWithoutSlope<L>>;
  static constexpr BackwardNeeds backward_needs = [] {
    if constexpr (requires { L::slope_needs; }) return L::slope_needs;
    return BackwardNeeds{};
  }();
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y, NothingSaved&, float*);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float>, const float*, const float* x, const float* y, const float* dy,
                       float* dx, Gradients<float>, NothingSaved&, float*);
};

/// A position-wise or sample-wise body.
template <class L, class In, class Backend>
struct CudaBody : KernelDefaults<float> {
  using Calls = detail::LayerCalls<L, In, float>;
  enum { compiled = detail::CompiledFirst<&Calls::forward>::here };
  template <Capability C>
  using Saved = typename detail::NothingSavedBy<keeps_for_backward(C), Calls>::type;
  using Out = typename L::template Out<In>;
  using MissingBackward =
      std::conditional_t<BackwardBody<L, In, float>, detail::NoRefusal, detail::LayerWithoutBackward<L>>;
  static constexpr bool position_wise = detail::is_position_wise<L>();
  static constexpr const char* name = position_wise ? "body, a thread a position" : "body, a thread a sample";
  static constexpr std::size_t rows_per_sample = position_wise ? In::positions : 1;
  static constexpr std::size_t width_in = In::elements / rows_per_sample, width_out = Out::elements / rows_per_sample;
  static constexpr bool has_padding = In::rank == 2, mixes_steps = has_padding && !position_wise;
  static constexpr bool asks = requires { L::template scratch<In>; };
  static constexpr std::size_t of_body = detail::body_scratch<L, In>();
  static constexpr BackwardNeeds backward_needs{.output = false};
  using Sums = cuda::TensorSums<Placed<L, In>>;
  static constexpr auto first_sums = Sums::first;
  static constexpr cuda::BodyPlan ahead =
      cuda::BodyPlan::of(cuda::BodyPlan::stride(width_in) + cuda::BodyPlan::stride(width_out));
  static constexpr std::size_t maps_of_back = 2 * cuda::BodyPlan::stride(width_in) + cuda::BodyPlan::stride(width_out);
  static constexpr std::size_t sums_of_thread = cuda::BodyPlan::sums_of_thread(maps_of_back, Sums::size);
  static constexpr std::size_t back_floats = maps_of_back + sums_of_thread;
  static constexpr cuda::BodyPlan back = cuda::BodyPlan::of(back_floats);

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return keeps_for_backward(c) ? back.blocks(samples * rows_per_sample, Sums::size) * (back.threads / 32) * Sums::size
                                 : 0;
  }
  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float*, const float* x, float* y, NothingSaved&,
                      float*);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float*, const float* x, const float*, const float* dy,
                       float* dx, Gradients<float> g, NothingSaved&, float* scratch);
};

/// The integration of a policy's body.
template <class Part, class Backend>
struct CudaPolicyBody : KernelDefaults<float> {
  static constexpr const char* name = "body, a thread a position";
  using P = typename Part::Policy;
  using Own = typename Part::Own;
  using Before = typename Part::Before;
  using Calls = detail::PolicyCalls<P, Own, Before, float>;
  enum { compiled = detail::CompiledFirst<&Calls::forward>::here };
  template <Capability C>
  using Saved = typename detail::NothingSavedBy<keeps_for_backward(C), Calls>::type;
  using Out = typename Part::Out;
  static constexpr std::size_t d = Own::features, width = Out::features, items = Before::count;
  static constexpr std::size_t mixture_weights = Part::mixture_weights;
  static constexpr bool adds_own = Part::adds_own;
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr auto features = [] {
    std::array<std::uint32_t, items + 1> of{};
    for (std::size_t i = 0; i < items; ++i) of[i] = static_cast<std::uint32_t>(Before::features(i));
    return of;
  }();
  /// Columns of a row of all earlier maps, each at an odd stride.
  static constexpr auto column = [] {
    std::array<std::uint32_t, items + 1> at{};
    for (std::size_t i = 0; i < items; ++i)
      at[i + 1] = at[i] + static_cast<std::uint32_t>(cuda::BodyPlan::stride(Before::features(i)));
    return at;
  }();
  static constexpr std::size_t before_width = column[items];
  static constexpr std::size_t most_width = [] {
    std::size_t most = std::max(d, width);
    for (std::size_t i = 0; i < items; ++i) most = std::max(most, static_cast<std::size_t>(Before::features(i)));
    return most;
  }();
  static constexpr bool asks = requires { P::template scratch<Own, Before>; };
  static constexpr std::size_t of_body = detail::policy_scratch<P, Own, Before>();
  static constexpr bool has_backward = PolicyBackwardBody<P, Own, Before, float>;
  using MissingBackward = std::conditional_t<has_backward, detail::NoRefusal, detail::PolicyWithoutBackward<P>>;
  using Sums = cuda::TensorSums<Part>;
  static constexpr auto first_sums = Sums::first;
  static constexpr cuda::BodyPlan ahead =
      cuda::BodyPlan::of(cuda::BodyPlan::stride(d) + cuda::BodyPlan::stride(width) + before_width);
  static constexpr std::size_t maps_of_back =
      cuda::BodyPlan::stride(d) * (d == width ? 1 : 2) + cuda::BodyPlan::stride(width) + 2 * before_width;
  static constexpr std::size_t sums_of_thread = cuda::BodyPlan::sums_of_thread(maps_of_back, Sums::size);
  static constexpr std::size_t back_floats = maps_of_back + sums_of_thread;
  static constexpr cuda::BodyPlan back = cuda::BodyPlan::of(back_floats);

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return keeps_for_backward(c) ? back.blocks(samples * Own::positions, Sums::size) * (back.threads / 32) * Sums::size
                                 : 0;
  }
  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float*, const float* own, const float* const* before,
                      float* z, NothingSaved&, float*);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float*, const float* own, const float* const* before,
                       const float* dz, float* d_own, float* const* d_before, Gradients<float> g, NothingSaved&,
                       float* scratch);
  static void mixture(const Pass& pass, Weights<float> w, const float* own, const float* const* before, float* weights,
                      float*);
};

template <class L, class In, CudaBackend Backend>
  requires ElementWiseBody<L, float>
CudaElementWise<L, In, Backend> select_kernel(rank::Body, Placed<L, In>, Backend);
template <class L, class In, CudaBackend Backend>
  requires(!ElementWiseBody<L, float> && ForwardBody<L, In, float>)
CudaBody<L, In, Backend> select_kernel(rank::Body, Placed<L, In>, Backend);
template <class P, class Own, class Before, CudaBackend Backend>
  requires PolicyBody<Integration<P, Own, Before>, Backend>
CudaPolicyBody<Integration<P, Own, Before>, Backend> select_kernel(rank::Body, Integration<P, Own, Before>, Backend);

}  // namespace aila::inline v0

#ifdef __CUDACC__
#include "body_kernels.cuh"
#endif

#include "../../core/macros_back.hpp"
