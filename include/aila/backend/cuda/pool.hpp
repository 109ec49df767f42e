// Pools on a GPU: a thread has a vector of features of one position, of the output in forward and of the input in
// backward, so that each number is written once. Bound by memory. What a maximum's gradient goes to is kept as the
// number of a tap: backward reads neither input nor output.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <type_traits>

#include "../../layer/pool.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

namespace cuda {

/// The windows of a pool on In as numbers that kernels are compiled for.
template <class L, class In>
struct PoolPlan {
  using Layer = L;
  using Map = In;
  static constexpr WindowPlan plan = L::template window<In>;
  static_assert(plan.x.dilation == 1 && plan.y.dilation == 1);
  static constexpr std::size_t v = vector_width(In::features), vectors = In::features / v;
  static constexpr std::size_t in_rows = plan.y.in, in_columns = plan.x.in;
  static constexpr std::size_t out_rows = plan.y.out(), out_columns = plan.x.out();
  static constexpr std::size_t height = plan.y.kernel, width = plan.x.kernel, taps = height * width;
  static constexpr std::size_t row_stride = plan.y.stride, column_stride = plan.x.stride;
  static constexpr std::size_t row_padding = plan.y.padding, column_padding = plan.x.padding;
  static constexpr std::size_t in_vectors = in_rows * in_columns * vectors;
  static constexpr std::size_t out_vectors = out_rows * out_columns * vectors;

  /// The number of a tap, or `none`.
  using Tap = std::conditional_t<(taps < 0xff), std::uint8_t,
                                 std::conditional_t<(taps < 0xffff), std::uint16_t, std::uint32_t>>;
  static constexpr Tap none = static_cast<Tap>(~Tap{0});
  struct alignas(v * sizeof(Tap)) Taps {
    Tap at[v];
  };

  /// Columns of the output that a sample has whose input has so many.
  static constexpr std::size_t columns_out(std::size_t columns_in) {
    constexpr WindowAxis axis = plan.x;
    return axis.out(columns_in);
  }
  /// f(vector of the input, tap) for the taps of an output position that lie inside the map, in their order.
  template <class F>
  static constexpr void over_taps(std::size_t sample, std::size_t row, std::size_t column, std::size_t columns_in,
                                  F&& f) {
    for (std::size_t i = 0; i < height; ++i) {
      const std::size_t y = row * row_stride + i;  // in the map with its padding
      if (y < row_padding || y >= in_rows + row_padding) continue;
      for (std::size_t j = 0; j < width; ++j) {
        const std::size_t x = column * column_stride + j;
        if (x < column_padding || x >= columns_in + column_padding) continue;
        f((sample * in_rows + (y - row_padding)) * in_columns + (x - column_padding), i * width + j);
      }
    }
  }
  /// f(position of the output, tap) for the windows in which an input position lies.
  template <class F>
  static constexpr void over_windows(std::size_t sample, std::size_t row, std::size_t column, std::size_t columns_out,
                                     F&& f) {
    constexpr std::size_t most_rows = divide_up(height, row_stride), most_columns = divide_up(width, column_stride);
    const std::size_t last_row = (row + row_padding) / row_stride;
    const std::size_t last_column = (column + column_padding) / column_stride;
    for (std::size_t i = 0; i < most_rows && i <= last_row; ++i) {
      const std::size_t y = last_row - i, tap_row = row + row_padding - y * row_stride;
      if (y >= out_rows || tap_row >= height) continue;
      for (std::size_t j = 0; j < most_columns && j <= last_column; ++j) {
        const std::size_t x = last_column - j, tap_column = column + column_padding - x * column_stride;
        if (x >= columns_out || tap_column >= width) continue;
        f((sample * out_rows + y) * out_columns + x, tap_row * width + tap_column);
      }
    }
  }
};

}  // namespace cuda

template <class L, class In>
struct CudaMaxPool : KernelDefaults<float> {
  static constexpr const char* name = "cuda max pool";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;
  using Plan = cuda::PoolPlan<L, In>;

  /// Of each output the tap that it is from.
  template <Capability C>
  struct Saved {
    float* taps = nullptr;
    constexpr void bind([[maybe_unused]] Arena<float>& arena, [[maybe_unused]] std::size_t samples) {
      if constexpr (keeps_for_backward(C))
        taps = arena.take(cuda::divide_up(samples * Plan::out_vectors * sizeof(typename Plan::Taps), sizeof(float)));
    }
  };

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      Saved<C>& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, Saved<C>& saved, float* scratch);
};

template <class L, class In>
struct CudaAveragePool : KernelDefaults<float> {
  static constexpr const char* name = "cuda average pool";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;
  using Plan = cuda::PoolPlan<L, In>;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <class In>
struct CudaGlobalMaxPool : KernelDefaults<float> {
  static constexpr const char* name = "cuda global max pool";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;

  /// Of each output the position that it is from.
  template <Capability C>
  struct Saved {
    float* positions = nullptr;
    constexpr void bind([[maybe_unused]] Arena<float>& arena, [[maybe_unused]] std::size_t samples) {
      if constexpr (keeps_for_backward(C)) positions = arena.take(samples * In::features);
    }
  };

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      Saved<C>& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, Saved<C>& saved, float* scratch);
};

template <class L, class In>
  requires(L::is_max_pool)
CudaMaxPool<L, In> select_kernel(rank::Layer, Placed<L, In>, backend::Cuda);
template <class L, class In>
  requires(L::is_average_pool)
CudaAveragePool<L, In> select_kernel(rank::Layer, Placed<L, In>, backend::Cuda);
template <class In>
CudaGlobalMaxPool<In> select_kernel(rank::Layer, Placed<GlobalMaxPool, In>, backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

/// Where a thread stands in a map of vectors [samples, rows, columns, vectors].
template <std::size_t rows, std::size_t columns, std::size_t vectors>
struct PoolPlace {
  std::size_t sample, row, column, vector;
  __device__ explicit PoolPlace(std::size_t i)
      : sample(i / (rows * columns * vectors)),
        row(i / (columns * vectors) % rows),
        column(i / vectors % columns),
        vector(i % vectors) {}
};

/// Without `keeps` the taps are not kept.
template <class Plan, bool keeps>
struct MaxPoolForward {
  StepsOf<typename Plan::Map> valid;
  const float* x;
  float* y;
  typename Plan::Taps* taps;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = Plan::v;
    const PoolPlace<Plan::out_rows, Plan::out_columns, Plan::vectors> at(i);
    const std::size_t columns = valid.all() ? Plan::in_columns : valid.of(at.sample);
    RowVector<v> best{};
    typename Plan::Taps from;
#pragma unroll
    for (std::size_t f = 0; f < v; ++f) from.at[f] = Plan::none;
    if (valid.all() || at.column < Plan::columns_out(columns)) {
      bool first = true;
      Plan::over_taps(at.sample, at.row, at.column, columns, [&](std::size_t position, std::size_t tap) {
        const RowVector<v> next = as_vectors<v>(x)[position * Plan::vectors + at.vector];
#pragma unroll
        for (std::size_t f = 0; f < v; ++f) {
          const bool is_number = next.at[f] == next.at[f];  // what is none stays, and wins
          if (!is_number || first || next.at[f] > best.at[f]) {
            best.at[f] = next.at[f];
            from.at[f] = is_number ? static_cast<typename Plan::Tap>(tap) : Plan::none;
          }
        }
        first = false;
      });
    }
    as_vectors<v>(y)[i] = best;
    if constexpr (keeps) taps[i] = from;
  }
};

template <class Plan>
struct AveragePoolForward {
  StepsOf<typename Plan::Map> valid;
  const float* x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = Plan::v;
    constexpr float share = 1.0F / static_cast<float>(Plan::taps);
    const PoolPlace<Plan::out_rows, Plan::out_columns, Plan::vectors> at(i);
    const std::size_t columns = valid.all() ? Plan::in_columns : valid.of(at.sample);
    RowVector<v> sum{};
    if (valid.all() || at.column < Plan::columns_out(columns))
      Plan::over_taps(at.sample, at.row, at.column, columns, [&](std::size_t position, std::size_t) {
        add_to(sum, as_vectors<v>(x)[position * Plan::vectors + at.vector]);
      });
#pragma unroll
    for (std::size_t f = 0; f < v; ++f) sum.at[f] *= share;
    as_vectors<v>(y)[i] = sum;
  }
};

/// Each input position collects what the windows give that it lies in.
template <class Plan, bool of_maximum>
struct PoolBackward {
  StepsOf<typename Plan::Map> valid;
  const typename Plan::Taps* taps;
  const float* dy;
  float* dx;
  bool adds;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = Plan::v;
    const PoolPlace<Plan::in_rows, Plan::in_columns, Plan::vectors> at(i);
    const std::size_t columns = valid.all() ? Plan::in_columns : valid.of(at.sample);
    const bool counts = at.column < columns;
    if (!counts && adds) return;
    RowVector<v> sum{};
    if (counts) {
      Plan::over_windows(at.sample, at.row, at.column, Plan::columns_out(columns),
                         [&](std::size_t position, std::size_t tap) {
                           const std::size_t window = position * Plan::vectors + at.vector;
                           const RowVector<v> up = as_vectors<v>(dy)[window];
                           if constexpr (of_maximum) {
                             const typename Plan::Taps from = taps[window];
#pragma unroll
                             for (std::size_t f = 0; f < v; ++f)
                               if (from.at[f] == tap) sum.at[f] += up.at[f];
                           } else {
                             add_to(sum, up);
                           }
                         });
      if constexpr (!of_maximum) {
        constexpr float share = 1.0F / static_cast<float>(Plan::taps);
#pragma unroll
        for (std::size_t f = 0; f < v; ++f) sum.at[f] *= share;
      }
    }
    store_or_add(as_vectors<v>(dx) + i, sum, adds);
  }
};

/// The greatest of some positions and the first that has it; of none, or where it is no number, the position -1.
struct Greatest {
  float value;
  std::int32_t position;
};
/// Of two parts of the positions, in any order; a position of -1 with a number says that there was none.
__device__ inline Greatest greater_of(const Greatest& a, const Greatest& b) {
  if (a.value != a.value) return a;
  if (b.value != b.value) return b;
  if (b.position < 0) return a;
  if (a.position < 0 || b.value > a.value) return b;
  return b.value == a.value && b.position < a.position ? b : a;
}

template <std::size_t v>
struct GreatestVector {
  Greatest at[v];
};

template <class In, bool keeps>
__global__ void __launch_bounds__(SamplePlan<In>::threads)
    global_max_pool(StepsOf<In> valid, const float* __restrict__ x, float* __restrict__ y,
                    std::int32_t* __restrict__ positions) {
  using Plan = SamplePlan<In>;
  constexpr std::size_t v = Plan::v;
  constexpr unsigned chunk = Plan::chunk, lanes = Plan::lanes;
  __shared__ GreatestVector<v> shared[Plan::threads];
  const unsigned lane = threadIdx.x / chunk;
  const std::size_t sample = blockIdx.x / static_cast<unsigned>(Plan::chunks);
  const std::size_t vector = blockIdx.x % static_cast<unsigned>(Plan::chunks) * chunk + threadIdx.x % chunk;
  const bool has = vector < Plan::vectors;
  GreatestVector<v> best;
#pragma unroll
  for (std::size_t f = 0; f < v; ++f) best.at[f] = {0, -1};
  const std::size_t count = has ? valid.of(sample) : 0;
  const RowVector<v>* const from = as_vectors<v>(x) + sample * In::positions * Plan::vectors + vector;
#pragma unroll 4
  for (std::size_t p = lane; p < count; p += lanes) {
    const RowVector<v> next = from[p * Plan::vectors];
#pragma unroll
    for (std::size_t f = 0; f < v; ++f) best.at[f] = greater_of(best.at[f], {next.at[f], static_cast<std::int32_t>(p)});
  }
  shared[threadIdx.x] = best;
  combine_lanes(shared, lane, lanes, chunk, [](GreatestVector<v>& a, const GreatestVector<v>& b) {
#pragma unroll
    for (std::size_t f = 0; f < v; ++f) a.at[f] = greater_of(a.at[f], b.at[f]);
  });
  if (lane > 0 || !has) return;
#pragma unroll
  for (std::size_t f = 0; f < v; ++f) {
    const Greatest of = shared[threadIdx.x].at[f];
    const std::size_t to = (sample * Plan::vectors + vector) * v + f;
    y[to] = of.value;
    if constexpr (keeps) positions[to] = of.value == of.value ? of.position : -1;
  }
}

template <class In>
struct GlobalMaxPoolBackward {
  const std::int32_t* positions;
  const float* dy;
  float* dx;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), vectors = In::features / v;
    const std::size_t row = i / vectors, of = row / In::positions * In::features + i % vectors * v;
    const auto position = static_cast<std::int32_t>(row % In::positions);
    RowVector<v> to;
#pragma unroll
    for (std::size_t f = 0; f < v; ++f) to.at[f] = positions[of + f] == position ? dy[of + f] : 0.0F;
    as_vectors<v>(dx)[i] = to;
  }
};
/// Where dx is added to, it is one number of each feature.
template <class In>
struct GlobalMaxPoolAdd {
  const std::int32_t* positions;
  const float* dy;
  float* dx;
  __device__ void operator()(std::size_t i) const {
    const std::int32_t position = positions[i];
    if (position < 0) return;
    const std::size_t sample = i / In::features;
    dx[(sample * In::positions + static_cast<std::size_t>(position)) * In::features + i % In::features] += dy[i];
  }
};

}  // namespace cuda

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaMaxPool<L, In>::forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y,
                                               Saved<C>& saved, float*) {
  using Taps = typename Plan::Taps;
  cuda::over_elements(pass, pass.samples * Plan::out_vectors,
                      cuda::MaxPoolForward<Plan, keeps_for_backward(C)>{cuda::StepsOf<In>(pass), x, y,
                                                                        reinterpret_cast<Taps*>(saved.taps)});
}
template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaMaxPool<L, In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                                const float*, const float* dy, float* dx, Gradients<float>,
                                                Saved<C>& saved, float*) {
  if (dx == nullptr) return;
  using Taps = typename Plan::Taps;
  cuda::over_elements(pass, pass.samples * Plan::in_vectors,
                      cuda::PoolBackward<Plan, true>{cuda::StepsOf<In>(pass), reinterpret_cast<const Taps*>(saved.taps),
                                                     dy, dx, !pass.sets_input_gradient});
}

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaAveragePool<L, In>::forward(const Pass& pass, Weights<float>, const float*, const float* x,
                                                   float* y, NothingSaved&, float*) {
  cuda::over_elements(pass, pass.samples * Plan::out_vectors,
                      cuda::AveragePoolForward<Plan>{cuda::StepsOf<In>(pass), x, y});
}
template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaAveragePool<L, In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                                    const float*, const float* dy, float* dx, Gradients<float>,
                                                    NothingSaved&, float*) {
  if (dx == nullptr) return;
  cuda::over_elements(
      pass, pass.samples * Plan::in_vectors,
      cuda::PoolBackward<Plan, false>{cuda::StepsOf<In>(pass), nullptr, dy, dx, !pass.sets_input_gradient});
}

template <class In>
template <Capability C>
[[gnu::used]] void CudaGlobalMaxPool<In>::forward(const Pass& pass, Weights<float>, const float*, const float* x,
                                                  float* y, Saved<C>& saved, float*) {
  using Plan = cuda::SamplePlan<In>;
  cuda::launch(pass, &cuda::global_max_pool<In, keeps_for_backward(C)>,
               static_cast<unsigned>(pass.samples * Plan::chunks), static_cast<unsigned>(Plan::threads), 0,
               cuda::StepsOf<In>(pass), x, y, reinterpret_cast<std::int32_t*>(saved.positions));
}
template <class In>
template <Capability C>
[[gnu::used]] void CudaGlobalMaxPool<In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                                   const float*, const float* dy, float* dx, Gradients<float>,
                                                   Saved<C>& saved, float*) {
  if (dx == nullptr) return;
  const auto* const positions = reinterpret_cast<const std::int32_t*>(saved.positions);
  if (pass.sets_input_gradient)
    cuda::over_elements(pass, pass.samples * In::elements / cuda::vector_width(In::features),
                        cuda::GlobalMaxPoolBackward<In>{positions, dy, dx});
  else
    cuda::over_elements(pass, pass.samples * In::features, cuda::GlobalMaxPoolAdd<In>{positions, dy, dx});
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
