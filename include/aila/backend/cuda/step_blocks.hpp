// Blocks of the steps of several sequences on a GPU: steps that go there and come back, and the last ones of all.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../kernel.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0::cuda {

/// Which steps of a batch of sequences a block has.
struct BlockOfSteps {
  std::size_t samples, all, first, steps;
  /// In maps [samples, all] of so many vectors a step, the place of vector i of the block.
  constexpr std::size_t place(std::size_t i, std::size_t vectors) const {
    const std::size_t of_sample = steps * vectors;
    return (i / of_sample * all + first) * vectors + i % of_sample;
  }
};
/// Where block number `block` of so many begins.
constexpr std::size_t first_step_of(std::size_t block, std::size_t steps, std::size_t blocks) {
  return block * steps / blocks;
}
/// The last valid steps of samples, which are in different blocks: of some maps [samples, steps, ...] of each block,
/// the rows [samples, ...].
struct LastRows {
  static constexpr std::size_t most = 64;  ///< maps
  std::size_t samples = 0, steps = 0, blocks = 0;
  const std::int32_t* lengths = nullptr;  ///< null: all
  std::size_t distance = 0;               ///< floats from a map to the same of the next block
  std::size_t count = 0, width = 0;       ///< maps, and floats of a row of all
  const float* from[most] = {};           ///< of the first block
  float* to[most] = {};
  std::size_t end[most] = {};  ///< of a map in a row of all

  void add(const float* map, std::size_t features, float* rows) {
    from[count] = map;
    to[count] = rows;
    end[count++] = width += features;
  }
};
template <class = void>
[[gnu::used]] void take_last_rows(const Pass& pass, const LastRows& rows);

/// Steps to and from a block: x [samples, all, Width] and [samples, steps, Width], of what takes a float's room.
template <std::size_t Width>
struct StepCopies {
  static void take(const Pass& pass, const BlockOfSteps& block, const float* x, float* to);
  /// Zeros at steps that are not valid.
  static void put(const Pass& pass, const BlockOfSteps& block, const float* from, float* to);
};
/// Of lengths in whole sequences, those within the block and, for each of its steps, whether it is valid.
template <class = void>
[[gnu::used]] void take_lengths(const Pass& pass, const BlockOfSteps& block, const std::int32_t* lengths,
                                std::int32_t* to, std::int32_t* valid);

#ifdef __CUDACC__
template <std::size_t v>
struct TakeSteps {
  BlockOfSteps block;
  std::size_t vectors;  // of a step
  const float* x;
  float* to;
  __device__ void operator()(std::size_t i) const { as_vectors<v>(to)[i] = as_vectors<v>(x)[block.place(i, vectors)]; }
};
template <std::size_t v>
struct PutSteps {
  BlockOfSteps block;
  std::size_t vectors;
  const std::int32_t* valid;
  const float* from;
  float* to;
  __device__ void operator()(std::size_t i) const {
    const bool counts = valid == nullptr || valid[i / vectors] > 0;
    as_vectors<v>(to)[block.place(i, vectors)] = counts ? as_vectors<v>(from)[i] : RowVector<v>{};
  }
};
struct TakeLengths {
  BlockOfSteps block;
  const std::int32_t* lengths;
  std::int32_t* to;
  std::int32_t* valid;
  __device__ void operator()(std::size_t i) const {
    const std::size_t n = i / block.steps, t = i % block.steps;
    const std::size_t length = steps_within(lengths[n], block.all);
    valid[i] = block.first + t < length ? 1 : 0;
    if (t == 0) to[n] = length < block.first ? 0 : static_cast<std::int32_t>(min(length - block.first, block.steps));
  }
};
template <std::size_t Width>
[[gnu::used]] void StepCopies<Width>::take(const Pass& pass, const BlockOfSteps& block, const float* x, float* to) {
  constexpr std::size_t v = vector_width(Width), vectors = Width / v;
  over_elements(pass, block.samples * block.steps * vectors, TakeSteps<v>{block, vectors, x, to});
}
template <std::size_t Width>
[[gnu::used]] void StepCopies<Width>::put(const Pass& pass, const BlockOfSteps& block, const float* from, float* to) {
  constexpr std::size_t v = vector_width(Width), vectors = Width / v;
  over_elements(pass, block.samples * block.steps * vectors, PutSteps<v>{block, vectors, pass.lengths, from, to});
}
struct TakeLastRows {
  LastRows rows;
  __device__ void operator()(std::size_t i) const {
    const std::size_t n = i / rows.width, column = i % rows.width;
    const std::size_t length = rows.lengths == nullptr ? rows.steps : steps_within(rows.lengths[n], rows.steps);
    const std::size_t step = length > 0 ? length - 1 : 0;
    std::size_t block = 0, map = 0;
    while (first_step_of(block + 1, rows.steps, rows.blocks) <= step) ++block;
    while (rows.end[map] <= column) ++map;
    const std::size_t before = map == 0 ? 0 : rows.end[map - 1], features = rows.end[map] - before;
    const std::size_t first = first_step_of(block, rows.steps, rows.blocks),
                      end = first_step_of(block + 1, rows.steps, rows.blocks);
    const std::size_t row = n * (end - first) + step - first;
    rows.to[map][n * features + column - before] =
        rows.from[map][block * rows.distance + row * features + column - before];
  }
};
template <class>
void take_last_rows(const Pass& pass, const LastRows& rows) {
  over_elements(pass, rows.samples * rows.width, TakeLastRows{rows});
}
template <class>
void take_lengths(const Pass& pass, const BlockOfSteps& block, const std::int32_t* lengths, std::int32_t* to,
                  std::int32_t* valid) {
  over_elements(pass, block.samples * block.steps, TakeLengths{block, lengths, to, valid});
}
#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
