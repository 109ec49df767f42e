// What an executor of plans does itself on a GPU: maps put side by side, added, scaled, reversed in time. Bound by
// memory; sizes are numbers of the program's run.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <vector>

#include "../host/plan_joints.hpp"
#include "cuda.hpp"
#include "launch.hpp"

namespace aila::inline v0::detail {

template <CudaBackend Backend>
struct PlanJoints<Backend> {
  using S = float;
  static constexpr bool own_scratch = true;

  static void clear(const Pass& pass, std::size_t n, S* y);
  template <class L, class In>
  static void map_lengths(const Pass& pass, std::int32_t* to);
  static void add(const Pass& pass, std::size_t n, const S* const* map, std::size_t count, S* y);
  static void subtract(const Pass& pass, std::size_t n, const S* a, const S* b, S* y);
  static void pass_on_negative(const Pass& pass, std::size_t n, const S* dy, S* db, bool sets);
  static void pass_on(const Pass& pass, std::size_t n, const S* from, S* to, bool sets);
  static void place(const Pass& pass, std::size_t rows, const S* from, std::size_t width, S* to, std::size_t width_to);
  static void take(const Pass& pass, std::size_t rows, const S* d_to, std::size_t width_to, S* d_from,
                   std::size_t width, bool sets);
  static void reverse(const Pass& pass, std::size_t steps, std::size_t width, const S* from, std::size_t width_from,
                      S* to, std::size_t width_to, bool sets);
  static void scale(const Pass& pass, std::size_t positions, std::size_t width, const S* x, const S* r, S* y);
  static void scale_back(const Pass& pass, std::size_t positions, std::size_t width, const S* x, const S* r,
                         const S* dy, S* dx, S* dr);

  /// Numbers that a kernel writes and the program reads.
  class ForProgram {
   public:
    S* room(std::size_t count) {
      if (device_.size() < count) device_ = taking("inspect", count, "numbers", [&] { return cuda::Array<S>(count); });
      host_.resize(count);
      return device_.data();
    }
    const S* read(const Pass& pass) {
      static_cast<const cuda::Queue*>(pass.queue)->to_host(device_.data(), host_.size(), host_.data());
      return host_.data();
    }
    /// The pass, with lengths that the program can read.
    Pass pass(Pass pass) {
      if (pass.lengths == nullptr) return pass;
      lengths_.resize(pass.samples);
      static_cast<const cuda::Queue*>(pass.queue)->to_host(pass.lengths, pass.samples, lengths_.data());
      pass.lengths = lengths_.data();
      return pass;
    }

   private:
    cuda::Array<S> device_;
    std::vector<S> host_;
    std::vector<std::int32_t> lengths_;
  };
};

}  // namespace aila::inline v0::detail

#ifdef __CUDACC__
namespace aila::inline v0::cuda {

/// Pass::length on a device.
__device__ inline std::size_t valid_length(const std::int32_t* lengths, std::size_t sample, std::size_t steps) {
  return lengths == nullptr ? steps : steps_within(lengths[sample], steps);
}

struct SumOfMaps {
  static constexpr std::size_t most = 8;
  const float* map[most];
  std::size_t count;
  float* y;
  bool adds;  // to what is there
  __device__ void operator()(std::size_t i) const {
    float sum = adds ? y[i] + map[0][i] : map[0][i];
    for (std::size_t m = 1; m < count; ++m) sum += map[m][i];
    y[i] = sum;
  }
};
struct Difference {
  const float *a, *b;
  float* y;
  __device__ void operator()(std::size_t i) const { y[i] = a[i] - b[i]; }
};
struct AddNegative {
  const float* from;
  float* to;
  bool sets;
  __device__ void operator()(std::size_t i) const { to[i] = sets ? 0.0F - from[i] : to[i] - from[i]; }
};
/// Columns of rows: element i is feature i % width of row i / width.
struct CopyColumns {
  const float* from;
  std::size_t width, width_from;
  float* to;
  std::size_t width_to;
  bool sets;
  __device__ void operator()(std::size_t i) const {
    const std::size_t row = i / width, f = i % width;
    const float value = from[row * width_from + f];
    float& target = to[row * width_to + f];
    target = sets ? value : target + value;
  }
};
struct ReverseSteps {
  const std::int32_t* lengths;
  std::size_t steps, width;
  const float* from;
  std::size_t width_from;
  float* to;
  std::size_t width_to;
  bool sets;
  __device__ void operator()(std::size_t i) const {
    const std::size_t f = i % width, row = i / width, n = row / steps, t = row % steps;
    const std::size_t length = valid_length(lengths, n, steps);
    float& target = to[row * width_to + f];
    if (t < length) {
      const float value = from[(n * steps + length - 1 - t) * width_from + f];
      target = sets ? value : target + value;
    } else if (sets) {
      target = 0;
    }
  }
};
struct ScaleMap {
  std::size_t elements, width;  // of a sample, of a row
  const float *x, *r;
  float* y;
  __device__ void operator()(std::size_t i) const { y[i] = x[i] * r[i / elements * width + i % width]; }
};
/// One thread a sample and feature.
struct ScaleMapBack {
  std::size_t positions, width;
  const float *x, *r, *dy;
  float *dx, *dr;
  __device__ void operator()(std::size_t i) const {
    const std::size_t n = i / width, f = i % width;
    const float factor = r[i];
    float sum = 0;
    for (std::size_t p = 0; p < positions; ++p) {
      const std::size_t at = (n * positions + p) * width + f;
      sum += dy[at] * x[at];
      if (dx != nullptr) dx[at] += dy[at] * factor;
    }
    dr[i] = sum;
  }
};
template <class L, class In>
struct MapLengths {
  const std::int32_t* lengths;
  std::int32_t* to;
  __device__ void operator()(std::size_t n) const {
    to[n] = static_cast<std::int32_t>(length_after<L, In>(valid_length(lengths, n, In::extents[0])));
  }
};

}  // namespace aila::inline v0::cuda

namespace aila::inline v0::detail {

template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::clear(const Pass& pass, std::size_t n, S* y) {
  if (n > 0) cuda::check(cudaMemsetAsync(y, 0, n * sizeof(S), cuda::stream_of(pass)), "cudaMemsetAsync");
}
template <CudaBackend Backend>
template <class L, class In>
[[gnu::used]] void PlanJoints<Backend>::map_lengths(const Pass& pass, std::int32_t* to) {
  cuda::over_elements(pass, pass.samples, cuda::MapLengths<L, In>{pass.lengths, to});
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::add(const Pass& pass, std::size_t n, const S* const* map, std::size_t count,
                                            S* y) {
  for (std::size_t first = 0; first < count; first += cuda::SumOfMaps::most) {
    cuda::SumOfMaps sum{{}, std::min(count - first, cuda::SumOfMaps::most), y, first > 0};
    for (std::size_t m = 0; m < sum.count; ++m) sum.map[m] = map[first + m];
    cuda::over_elements(pass, n, sum);
  }
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::subtract(const Pass& pass, std::size_t n, const S* a, const S* b, S* y) {
  cuda::over_elements(pass, n, cuda::Difference{a, b, y});
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::pass_on_negative(const Pass& pass, std::size_t n, const S* dy, S* db,
                                                         bool sets) {
  if (db != nullptr) cuda::over_elements(pass, n, cuda::AddNegative{dy, db, sets});
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::pass_on(const Pass& pass, std::size_t n, const S* from, S* to, bool sets) {
  if (to != nullptr) cuda::over_elements(pass, n, cuda::SumOfMaps{{from}, 1, to, !sets});
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::place(const Pass& pass, std::size_t rows, const S* from, std::size_t width,
                                              S* to, std::size_t width_to) {
  cuda::over_elements(pass, rows * width, cuda::CopyColumns{from, width, width, to, width_to, true});
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::take(const Pass& pass, std::size_t rows, const S* d_to, std::size_t width_to,
                                             S* d_from, std::size_t width, bool sets) {
  if (d_from != nullptr)
    cuda::over_elements(pass, rows * width, cuda::CopyColumns{d_to, width, width_to, d_from, width, sets});
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::reverse(const Pass& pass, std::size_t steps, std::size_t width, const S* from,
                                                std::size_t width_from, S* to, std::size_t width_to, bool sets) {
  if (to != nullptr)
    cuda::over_elements(pass, pass.samples * steps * width,
                        cuda::ReverseSteps{pass.lengths, steps, width, from, width_from, to, width_to, sets});
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::scale(const Pass& pass, std::size_t positions, std::size_t width, const S* x,
                                              const S* r, S* y) {
  cuda::over_elements(pass, pass.samples * positions * width, cuda::ScaleMap{positions * width, width, x, r, y});
}
template <CudaBackend Backend>
[[gnu::used]] void PlanJoints<Backend>::scale_back(const Pass& pass, std::size_t positions, std::size_t width,
                                                   const S* x, const S* r, const S* dy, S* dx, S* dr) {
  cuda::over_elements(pass, pass.samples * width, cuda::ScaleMapBack{positions, width, x, r, dy, dx, dr});
}

}  // namespace aila::inline v0::detail
#endif

#include "../../core/macros_back.hpp"
