// What a workspace clears behind a sample's length, on a GPU.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../host/padding.hpp"
#include "cuda.hpp"
#include "joints.hpp"
#include "launch.hpp"

namespace aila::inline v0 {

struct CudaPaddedSteps {
  template <class In, class Element>
  static void clear_input(const Pass& pass, Element* x);
  template <class L, class In, class Element>
  static void clear_after(const Pass& pass, Element* map);
};
template <CudaBackend Kernels>
struct PaddedSteps<Kernels> : CudaPaddedSteps {};

#ifdef __CUDACC__
namespace cuda {
/// Zeros at the padded steps of a map of Out, the output of L on In.
template <class L, class In, class Out, class Element>
struct ClearSteps {
  const std::int32_t* lengths;
  Element* map;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t row = Out::elements / Out::extents[0];
    const std::size_t n = i / Out::elements, t = i % Out::elements / row;
    if (t >= length_after<L, In>(valid_length(lengths, n, In::extents[0]))) map[i] = Element(0);
  }
};
/// The same of a network's input: of a sample that has no valid step, what is finite of the first stays.
template <class In, class Element>
struct ClearInput {
  const std::int32_t* lengths;
  Element* x;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t row = In::elements / In::extents[0];
    const std::size_t n = i / In::elements, t = i % In::elements / row;
    const std::size_t length = valid_length(lengths, n, In::extents[0]);
    if (t < length) return;
    if (t == 0 && x[i] - x[i] == Element(0)) return;
    x[i] = Element(0);
  }
};
}  // namespace cuda

template <class In, class Element>
[[gnu::used]] void CudaPaddedSteps::clear_input(const Pass& pass, Element* x) {
  if constexpr (detail::has_steps<In>)
    if (pass.lengths != nullptr)
      cuda::over_elements(pass, pass.samples * In::elements, cuda::ClearInput<In, Element>{pass.lengths, x});
}
template <class L, class In, class Element>
[[gnu::used]] void CudaPaddedSteps::clear_after(const Pass& pass, Element* map) {
  using Out = typename L::template Out<In>;
  if constexpr (detail::has_steps<In> && detail::has_steps<Out>)
    if (pass.lengths != nullptr)
      cuda::over_elements(pass, pass.samples * Out::elements, cuda::ClearSteps<L, In, Out, Element>{pass.lengths, map});
}
#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
