// The end of a training step on a GPU: the norm of the gradient, whether all is finite, and the optimiser's update,
// each a kernel over pieces of the canonical array.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../../backend/cuda/block_sum.hpp"
#include "../../backend/cuda/cuda.hpp"
#include "../../backend/cuda/launch.hpp"
#include "../../backend/cuda/rows.hpp"
#include "../pieces.hpp"

namespace aila::inline v0::cuda {

/// What a step comes to, written by the device.
struct StepState {
  double loss = 0;
  double norm = 0;  ///< of the gradient, before it is clipped
  float scale = 1;  ///< of gradients, by clipping
  bool finite = false;
};

struct UpdatePiece {
  enum class Sort : std::uint8_t { trained, statistics, held };
  std::uint32_t begin = 0, end = 0;
  std::uint32_t rule = 0;  ///< of a trained one, its number among the classes
  Sort sort = Sort::trained;
};

/// Pieces of at most 2048 elements, and the ways in which ranges are updated.
struct UpdatePlan {
  struct Class {
    double factor;
    bool decays;
  };
  std::vector<UpdatePiece> pieces;
  std::vector<Class> classes;

  static UpdatePlan of(const aila::detail::TrainingPieces& from) {
    UpdatePlan plan;
    using Sort = UpdatePiece::Sort;
    for (const auto& piece : from.changed)
      plan.cut(piece, piece.kind == ParameterKind::buffer ? Sort::statistics : Sort::trained);
    for (const auto& piece : from.held) plan.cut(piece, Sort::held);
    if (plan.classes.empty()) plan.classes.push_back({1, false});
    return plan;
  }

 private:
  void cut(const aila::detail::Piece& piece, UpdatePiece::Sort sort) {
    constexpr std::size_t most = 2048;
    std::size_t rule = 0;
    while (rule < classes.size() && (classes[rule].factor != piece.factor || classes[rule].decays != piece.decays))
      ++rule;
    if (rule == classes.size()) classes.push_back({piece.factor, piece.decays});
    for (std::size_t at = piece.begin; at < piece.end; at += most)
      pieces.push_back({.begin = static_cast<std::uint32_t>(at),
                        .end = static_cast<std::uint32_t>(std::min(at + most, piece.end)),
                        .rule = static_cast<std::uint32_t>(rule),
                        .sort = sort});
  }
};

struct UpdateArrays {
  float* gradient = nullptr;
  double* norms = nullptr;       ///< squares, of each piece; behind them of tables
  std::size_t tables = 0;        ///< of which each has one
  unsigned* counter = nullptr;   ///< of blocks, see is_last_block
  const double* loss = nullptr;  ///< summed over the samples
  std::size_t samples = 0;
  double clip_norm = 0;
  StepState* state = nullptr;
};

#ifdef __CUDACC__
/// What the step comes to, by one block: the sums of `count` pieces and of tables, in one order.
template <unsigned Threads>
__device__ void judge_step(std::uint32_t count, const UpdateArrays& of) {
  double sum = 0;
  for (std::size_t i = threadIdx.x; i < count + of.tables; i += Threads) sum += __ldcg(of.norms + i);
  sum = sum_of_block<Threads>(sum);
  if (threadIdx.x > 0) return;
  StepState state;
  state.loss = *of.loss / static_cast<double>(of.samples);
  state.norm = sqrt(sum);
  state.finite = isfinite(state.loss) && isfinite(state.norm);
  const double factor = of.clip_norm > 0 ? of.clip_norm / (state.norm + 1e-6) : 1.0;  // as clip_factor
  state.scale = static_cast<float>(factor < 1 ? factor : 1.0);
  *of.state = state;
}
/// Squares of what is trained; of statistics whether they are finite (0, or no number); what is held becomes zero. The
/// last block judges the step. A block a piece; one where there is none.
template <unsigned Threads>
__global__ void sum_pieces_kernel(const UpdatePiece* pieces, std::uint32_t count, UpdateArrays of) {
  const UpdatePiece piece = blockIdx.x < count ? pieces[blockIdx.x] : UpdatePiece{};
  double sum = 0;
  for (std::uint32_t i = piece.begin + threadIdx.x; i < piece.end; i += Threads) {
    const double g = of.gradient[i];
    if (piece.sort == UpdatePiece::Sort::held)
      of.gradient[i] = 0;
    else
      sum += piece.sort == UpdatePiece::Sort::trained ? g * g : g - g;
  }
  sum = sum_of_block<Threads>(sum);
  if (threadIdx.x == 0 && blockIdx.x < count) of.norms[blockIdx.x] = sum;
  if (is_last_block(of.counter)) judge_step<Threads>(count, of);
}
template <class Rule, std::size_t Moments>
struct MomentArrays {
  float* at[Moments + 1];
};
template <unsigned Threads, class Rule, std::size_t Moments>
__global__ void update_pieces_kernel(const UpdatePiece* pieces, const Rule* rules, UpdateArrays of, float* parameters,
                                     MomentArrays<Rule, Moments> moments) {
  if (!of.state->finite) return;
  const UpdatePiece piece = pieces[blockIdx.x];
  if (piece.sort == UpdatePiece::Sort::held) return;
  const Rule rule = rules[piece.rule];
  const float scale = of.state->scale;
  for (std::uint32_t i = piece.begin + threadIdx.x; i < piece.end; i += Threads) {
    if (piece.sort == UpdatePiece::Sort::statistics) {
      parameters[i] += of.gradient[i];
      continue;
    }
    float parameter = parameters[i];
    float values[Moments + 1];
    for (std::size_t m = 0; m < Moments; ++m) values[m] = moments.at[m][i];
    rule(parameter, of.gradient[i] * scale, values);
    for (std::size_t m = 0; m < Moments; ++m) moments.at[m][i] = values[m];
    parameters[i] = parameter;
  }
}
#endif

/// Behind the sums of tables.
template <class Q>
[[gnu::used]] void sum_pieces(Q& queue, const UpdatePiece* pieces, std::size_t count, const UpdateArrays& of);
template <class Rule, std::size_t Moments, class Q>
[[gnu::used]] void update_pieces(Q& queue, const UpdatePiece* pieces, std::size_t count, const Rule* rules,
                                 const UpdateArrays& of, float* parameters, float* const* moments);

#ifdef __CUDACC__
inline Pass pass_on(const Queue& queue) {
  Pass pass;
  pass.queue = const_cast<Queue*>(&queue);
  return pass;
}
template <class Q>
void sum_pieces(Q& queue, const UpdatePiece* pieces, std::size_t count, const UpdateArrays& of) {
  launch(pass_on(queue), &sum_pieces_kernel<256>, static_cast<unsigned>(std::max<std::size_t>(count, 1)), 256, 0,
         pieces, count, of);
}
template <class Rule, std::size_t Moments, class Q>
void update_pieces(Q& queue, const UpdatePiece* pieces, std::size_t count, const Rule* rules, const UpdateArrays& of,
                   float* parameters, float* const* moments) {
  MomentArrays<Rule, Moments> arrays{};
  for (std::size_t m = 0; m < Moments; ++m) arrays.at[m] = moments[m];
  launch(pass_on(queue), &update_pieces_kernel<256, Rule, Moments>, static_cast<unsigned>(count), 256, 0, pieces, rules,
         of, parameters, arrays);
}
#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
