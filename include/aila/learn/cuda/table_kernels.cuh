// The device code of a table's training step; see table_step.hpp, which includes this where nvcc compiles.
#pragma once

#include <cub/device/device_radix_sort.cuh>

namespace aila::inline v0::cuda {

/// Takings of one row are summed in runs of so many, and then the runs.
inline constexpr std::size_t takings_of_run = 32;

struct CountUp {
  std::int32_t* to;
  __device__ void operator()(std::size_t i) const { to[i] = static_cast<std::int32_t>(i); }
};

/// Takings as they are sorted: rows ascending as unsigned numbers, so that -1, which is no row, comes last.
struct SortedTakings {
  const std::int32_t* rows;
  std::size_t count;
  __device__ bool is_row(std::size_t i) const { return i < count && rows[i] >= 0; }
  __device__ bool is_first(std::size_t i) const { return is_row(i) && (i == 0 || rows[i - 1] != rows[i]); }
  /// Where the takings of i's row begin.
  __device__ std::size_t first(std::size_t i) const {
    const auto row = static_cast<std::uint32_t>(rows[i]);
    std::size_t low = 0, high = i;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (static_cast<std::uint32_t>(rows[middle]) < row)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }
};
/// The taking that a warp looks at.
__device__ inline std::size_t taking_of_warp() {
  return (static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
}

template <int = 0>  // as a template it may be in several units of a program
__global__ void sum_runs_kernel(SortedTakings of, const std::int32_t* order, const float* values, std::size_t width,
                                std::size_t stride, float* sums) {
  const std::size_t i = taking_of_warp();
  if (!of.is_row(i) || (i - of.first(i)) % takings_of_run != 0) return;
  for (std::size_t f = threadIdx.x % 32; f < width; f += 32) {
    float sum = 0;
    for (std::size_t k = i; k < i + takings_of_run && of.is_row(k) && of.rows[k] == of.rows[i]; ++k)
      sum += values[static_cast<std::size_t>(order[k]) * stride + f];
    sums[i * stride + f] = sum;
  }
}
template <int = 0>
__global__ void sum_rows_kernel(SortedTakings of, std::size_t width, std::size_t stride, float* sums, double* norms) {
  const std::size_t i = taking_of_warp();
  if (i >= of.count) return;
  double squares = 0;
  if (of.is_first(i))
    for (std::size_t f = threadIdx.x % 32; f < width; f += 32) {
      float sum = sums[i * stride + f];
      for (std::size_t k = i + takings_of_run; of.is_row(k) && of.rows[k] == of.rows[i]; k += takings_of_run)
        sum += sums[k * stride + f];
      sums[i * stride + f] = sum;
      squares += static_cast<double>(sum) * sum;
    }
  for (int lane = 16; lane > 0; lane /= 2) squares += __shfl_xor_sync(0xffffffffU, squares, lane);
  if (threadIdx.x % 32 == 0) norms[i + 1] = squares;
}
template <unsigned Threads>
__global__ void sum_norms_kernel(std::size_t count, double* norms, double* norm) {
  double sum = 0;
  for (std::size_t i = threadIdx.x; i < count; i += Threads) sum += norms[i + 1];
  sum = sum_of_block<Threads>(sum);
  if (threadIdx.x == 0) norms[0] = *norm = sum;
}
template <class Rule, std::size_t Moments>
__global__ void update_rows_kernel(SortedTakings of, std::size_t width, std::size_t stride, const float* sums,
                                   const Rule* rule, const StepState* state, float* rows,
                                   MomentArrays<Rule, Moments> moments) {
  const std::size_t i = taking_of_warp();
  if (!state->finite || !of.is_first(i)) return;
  for (std::size_t f = threadIdx.x % 32; f < width; f += 32) {
    const std::size_t at = static_cast<std::size_t>(of.rows[i]) * stride + f;
    float parameter = rows[at];
    float values[Moments + 1];
    for (std::size_t m = 0; m < Moments; ++m) values[m] = moments.at[m][at];
    (*rule)(parameter, sums[i * stride + f] * state->scale, values);
    for (std::size_t m = 0; m < Moments; ++m) moments.at[m][at] = values[m];
    rows[at] = parameter;
  }
}

/// Sorts `count` takings; without memory it only says how many bytes that needs.
inline std::size_t sort_takings(void* memory, std::size_t bytes, std::size_t count, const std::int32_t* rows,
                                std::int32_t* sorted_rows, const std::int32_t* order, std::int32_t* sorted_order,
                                cudaStream_t stream) {
  const auto unsigned_rows = [](auto* p) { return reinterpret_cast<std::uint32_t*>(const_cast<std::int32_t*>(p)); };
  check(cub::DeviceRadixSort::SortPairs(memory, bytes, unsigned_rows(rows), unsigned_rows(sorted_rows), order,
                                        sorted_order, static_cast<int>(count), 0, 32, stream),
        "cub::DeviceRadixSort");
  return bytes;
}

}  // namespace aila::inline v0::cuda

namespace aila::inline v0::detail {

template <Optimiser Rule>
[[gnu::used]] std::size_t CudaTableStep<Rule>::sort_bytes(std::size_t most) {
  const std::int32_t* none = nullptr;
  return cuda::sort_takings(nullptr, 0, most, none, nullptr, none, nullptr, nullptr) + 16;
}
template <Optimiser Rule>
[[gnu::used]] void CudaTableStep<Rule>::sum(const cuda::Queue& queue, std::size_t count, double* norm) {
  if (factor_ == 0) return queue.clear(1, norm);
  const Pass pass = cuda::pass_on(queue);
  cuda::over_elements(pass, count, cuda::CountUp{order_.data()});
  cuda::sort_takings(sort_memory_.data(), sort_memory_.size(), count, rows_.data(), sorted_rows_.data(), order_.data(),
                     sorted_order_.data(), queue.stream());
  const cuda::SortedTakings takings{sorted_rows_.data(), count};
  const auto blocks = static_cast<unsigned>(cuda::divide_up(count, 8));
  cuda::launch(pass, &cuda::sum_runs_kernel<>, blocks, 256, 0, takings, sorted_order_.data(), values_.data(), width_,
               stride_, sums_.data());
  cuda::launch(pass, &cuda::sum_rows_kernel<>, blocks, 256, 0, takings, width_, stride_, sums_.data(), norms_.data());
  cuda::launch(pass, &cuda::sum_norms_kernel<512>, 1, 512, 0, count, norms_.data(), norm);
  count_ = count;
}
template <Optimiser Rule>
[[gnu::used]] void CudaTableStep<Rule>::update(const cuda::Queue& queue, Table<float>& table,
                                               const cuda::StepState* state) {
  if (factor_ == 0) return;
  rule_.send(queue);
  cuda::MomentArrays<RuleOfElement, Rule::moments> arrays{};
  for (std::size_t m = 0; m < Rule::moments; ++m) arrays.at[m] = moments_[m].data();
  cuda::launch(cuda::pass_on(queue), &cuda::update_rows_kernel<RuleOfElement, Rule::moments>,
               static_cast<unsigned>(cuda::divide_up(count_, 8)), 256, 0,
               cuda::SortedTakings{sorted_rows_.data(), count_}, width_, stride_, sums_.data(), rule_.device(), state,
               table.device_to_write(), arrays);
}

}  // namespace aila::inline v0::detail
