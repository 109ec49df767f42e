// Average pooling of an earlier map of a stack to a later layer's positions, on a GPU: a thread has a vector of
// features of one position, of To in forward and of From in backward.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../host/pooling.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

namespace cuda {

/// Which positions of From are in the window of one of To.
template <class From, class To>
struct PoolingWindows {
  static constexpr std::size_t axes = From::rank - 1, taps = From::positions / To::positions;
  /// Position number `tap` of the window of position q.
  static constexpr std::size_t from(std::size_t q, std::size_t tap) {
    constexpr auto in = From::extents;
    constexpr auto out = To::extents;
    std::size_t position = 0, stride = 1;
    for (std::size_t axis = axes; axis-- > 0;) {
      const std::size_t ratio = in[axis] / out[axis];
      position += (q % out[axis] * ratio + tap % ratio) * stride;
      stride *= in[axis];
      q /= out[axis];
      tap /= ratio;
    }
    return position;
  }
  /// The position in whose window p is.
  static constexpr std::size_t to(std::size_t p) {
    constexpr auto in = From::extents;
    constexpr auto out = To::extents;
    std::size_t position = 0, stride = 1;
    for (std::size_t axis = axes; axis-- > 0;) {
      position += p % in[axis] / (in[axis] / out[axis]) * stride;
      stride *= out[axis];
      p /= in[axis];
    }
    return position;
  }
  /// Valid steps of the window of step q of To in a sample of so many.
  static constexpr std::size_t valid(std::size_t q, std::size_t length) {
    const std::size_t first = q * taps;
    return length <= first ? 0 : length - first < taps ? length - first : taps;
  }
};

}  // namespace cuda

template <class From, class To>
struct Pooling<From, To, backend::Cuda> {
  /// `pass` has the lengths of From. backward adds, or where it `sets` writes all of dx.
  static void forward(const Pass& pass, const float* x, float* y);
  static void backward(const Pass& pass, const float* dy, float* dx, bool sets);
};

#ifdef __CUDACC__

namespace cuda {

template <class From, class To>
struct PoolingForward {
  StepsOf<From> lengths;
  const float* x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    using Windows = PoolingWindows<From, To>;
    constexpr std::size_t v = vector_width(From::features), vectors = From::features / v;
    const std::size_t vector = i % vectors, q = i / vectors % To::positions, sample = i / (vectors * To::positions);
    // Only steps have lengths, and theirs are the first of a window.
    const std::size_t taps = lengths.all() ? Windows::taps : Windows::valid(q, lengths.of(sample));
    const RowVector<v>* const from = as_vectors<v>(x) + sample * From::positions * vectors + vector;
    RowVector<v> sum{};
    for (std::size_t tap = 0; tap < taps; ++tap) add_to(sum, from[Windows::from(q, tap) * vectors]);
    const float share = taps > 0 ? 1.0F / static_cast<float>(taps) : 0.0F;
#pragma unroll
    for (std::size_t f = 0; f < v; ++f) sum.at[f] *= share;
    as_vectors<v>(y)[i] = sum;
  }
};

template <class From, class To>
struct PoolingBackward {
  StepsOf<From> lengths;
  const float* dy;
  float* dx;
  bool sets;
  __device__ void operator()(std::size_t i) const {
    using Windows = PoolingWindows<From, To>;
    constexpr std::size_t v = vector_width(From::features), vectors = From::features / v;
    const std::size_t vector = i % vectors, p = i / vectors % From::positions, sample = i / (vectors * From::positions);
    const std::size_t q = Windows::to(p);
    std::size_t taps = Windows::taps;
    if (!lengths.all()) {
      const std::size_t length = lengths.of(sample);
      if (p >= length) {
        if (sets) as_vectors<v>(dx)[i] = {};
        return;
      }
      taps = Windows::valid(q, length);
    }
    const float share = 1.0F / static_cast<float>(taps);
    RowVector<v> d = as_vectors<v>(dy)[(sample * To::positions + q) * vectors + vector];
#pragma unroll
    for (std::size_t f = 0; f < v; ++f) d.at[f] *= share;
    store_or_add(as_vectors<v>(dx) + i, d, !sets);
  }
};

}  // namespace cuda

template <class From, class To>
[[gnu::used]] void Pooling<From, To, backend::Cuda>::forward(const Pass& pass, const float* x, float* y) {
  cuda::over_elements(pass, pass.samples * To::positions * From::features / cuda::vector_width(From::features),
                      cuda::PoolingForward<From, To>{cuda::StepsOf<From>(pass), x, y});
}
template <class From, class To>
[[gnu::used]] void Pooling<From, To, backend::Cuda>::backward(const Pass& pass, const float* dy, float* dx, bool sets) {
  cuda::over_elements(pass, pass.samples * From::elements / cuda::vector_width(From::features),
                      cuda::PoolingBackward<From, To>{cuda::StepsOf<From>(pass), dy, dx, sets});
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
