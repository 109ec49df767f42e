// Embedding on a GPU: copies of rows, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/embedding.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

/// How many entries of gradients there are may not depend on tokens, which only the device sees: backward gives one for
/// each step of each sample, in this order, with row -1 and zeros for those that took nothing.
template <std::size_t Width, class In>
struct CudaEmbedding : KernelDefaults<float> {
  static constexpr const char* name = "cuda embedding";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr std::size_t stride = round_up(Width, alignment_elements);

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const std::int32_t* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const std::int32_t* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <std::size_t Width, class... Options, class In>
CudaEmbedding<Width, In> select_kernel(rank::Layer, Placed<Embedding<Width, Options...>, In>, backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

/// The row that step number i takes, or -1.
template <class In>
__device__ std::int32_t row_taken(const StepsOf<In>& valid, const std::int32_t* tokens, std::size_t rows,
                                  std::size_t i) {
  if (!valid.has(i)) return -1;
  const std::int32_t token = tokens[i];
  return token >= 0 && static_cast<std::size_t>(token) < rows ? token : -1;
}

template <std::size_t Width, class In>
struct TakeRows {
  StepsOf<In> valid;
  const std::int32_t* tokens;
  const float* table;
  std::size_t rows;
  float* y;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(Width), vectors = Width / v,
                          stride = round_up(Width, alignment_elements) / v;
    const std::int32_t row = row_taken(valid, tokens, rows, i / vectors);
    as_vectors<v>(y)[i] =
        row < 0 ? RowVector<v>{} : as_vectors<v>(table)[static_cast<std::size_t>(row) * stride + i % vectors];
  }
};

/// The gradients in whole vectors of a row of the table, zeros behind its end.
template <std::size_t Width, class In>
struct RowsTaken {
  StepsOf<In> valid;
  const std::int32_t* tokens;
  std::size_t rows;
  const float* dy;
  std::int32_t* taken;
  float* values;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t vectors = round_up(Width, alignment_elements) / 4;
    const std::size_t step = i / vectors, first = i % vectors * 4;
    const std::int32_t row = row_taken(valid, tokens, rows, step);
    RowVector<4> value{};
    if (row >= 0) {
      if constexpr (Width % 4 == 0) {
        if (first < Width) value = *as_vectors<4>(dy + step * Width + first);
      } else {
#pragma unroll
        for (std::size_t f = 0; f < 4; ++f)
          if (first + f < Width) value.at[f] = dy[step * Width + first + f];
      }
    }
    as_vectors<4>(values)[i] = value;
    if (first == 0) taken[step] = row;
  }
};

}  // namespace cuda

template <std::size_t Width, class In>
template <Capability C>
[[gnu::used]] void CudaEmbedding<Width, In>::forward(const Pass& pass, Weights<float>, const float*,
                                                     const std::int32_t* x, float* y, NothingSaved&, float*) {
  const TableRef table = pass.tables == nullptr ? TableRef{} : *pass.tables;
  cuda::over_elements(
      pass, pass.samples * In::positions * (Width / cuda::vector_width(Width)),
      cuda::TakeRows<Width, In>{cuda::StepsOf<In>(pass), x, static_cast<const float*>(table.rows), table.count, y});
}

template <std::size_t Width, class In>
template <Capability C>
[[gnu::used]] void CudaEmbedding<Width, In>::backward(const Pass& pass, Weights<float>, const float*,
                                                      const std::int32_t* x, const float*, const float* dy, float*,
                                                      Gradients<float> g, NothingSaved&, float*) {
  if (!g || pass.row_gradients == nullptr || pass.row_gradients->rows == nullptr || pass.tables == nullptr) return;
  RowGradients& taken = *pass.row_gradients;
  cuda::over_elements(pass, pass.samples * In::positions * (stride / 4),
                      cuda::RowsTaken<Width, In>{cuda::StepsOf<In>(pass), x, pass.tables->count, dy, taken.rows,
                                                 static_cast<float*>(taken.values)});
  taken.count = pass.samples * In::positions;
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
