// Recurrent layers of four gates with all weights in a block, eight samples on tensor cores: see TensorForm.
//
// A product of three parts is off by some 1e-7 of the sum of its terms' sizes. A step costs the tensor cores 384 tiles
// for 64 units, where multiplications in float32 cost 1024 clocks.
#pragma once

#include "../../core/macros_aside.hpp"

#include "recurrent_rows.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

/// Tiles of weights in registers: four(row, column) are four neighbours in a row of the [16, 8 Tiles] that a warp
/// multiplies.
template <unsigned Tiles>
struct WeightTiles {
  std::uint32_t high[Tiles][4], low[Tiles][4];

  template <class F>
  __device__ void load(unsigned group, unsigned member, F&& four) {
#pragma unroll
    for (unsigned tile = 0; tile < Tiles; tile += 2)
#pragma unroll
      for (unsigned second = 0; second < 2; ++second) {
        const float4 w = four(group + 8 * second, Fragments::column(tile, member, 0));
        const Parts parts[4] = {parts_of(w.x), parts_of(w.y), parts_of(w.z), parts_of(w.w)};
#pragma unroll
        for (unsigned i = 0; i < 4; ++i) {
          high[tile + i / 2][second + 2 * (i % 2)] = parts[i].high;
          low[tile + i / 2][second + 2 * (i % 2)] = parts[i].low;
        }
      }
  }
};
/// Sums of the three products, apart so that they need not wait for one another.
struct PartSums {
  float high[4] = {}, low_high[4] = {}, high_low[4] = {};
  template <unsigned Tiles>
  __device__ void add(const WeightTiles<Tiles>& a, unsigned tile, std::uint32_t high0, std::uint32_t high1,
                      std::uint32_t low0, std::uint32_t low1) {
    multiply_tiles(high, a.high[tile], high0, high1);
    multiply_tiles(low_high, a.low[tile], high0, high1);
    multiply_tiles(high_low, a.high[tile], low0, low1);
  }
  __device__ float sum(unsigned i) const { return high[i] + (low_high[i] + high_low[i]); }
};
/// Four columns of a row of eight: what a thread reads for two tiles.
struct FourColumns {
  uint4 high, low;
  static __device__ FourColumns read(const std::uint32_t* high_row, std::size_t to_low, unsigned member,
                                     unsigned pair_of_tiles) {
    const std::uint32_t* const at = high_row + Fragments::column(2 * pair_of_tiles, member, 0);
    return {*reinterpret_cast<const uint4*>(at), *reinterpret_cast<const uint4*>(at + to_low)};
  }
};

template <class Cell, std::size_t Units, bool keeps>
__global__ void __launch_bounds__(TensorForm<Units>::threads, 1) forward_tensor(const ForwardArguments a) {
  using Form = TensorForm<Units>;
  using Step = StepOf<Cell>;
  constexpr unsigned rows = Form::rows, depth = Form::depth, tiles = Form::forward_tiles;
  constexpr EightRows state_rows = Form::state, sum_rows = Form::sums;
  auto* const state = reinterpret_cast<std::uint32_t*>(block_memory());  // [buffer, part]
  float* const ring = block_memory() + Form::forward_ring;
  const unsigned lane = threadIdx.x % 32, group = lane / 4, member = lane % 4, unit = threadIdx.x / 32 * 8 + group;
  const std::size_t first = std::size_t{blockIdx.x} * rows;
  const unsigned longest = longest_of<rows>(a.lengths, first, a.samples, a.steps);

  for (unsigned i = threadIdx.x; i < Form::forward_ring; i += Form::threads) state[i] = 0;
  const auto copy = [&](unsigned t) {
    if (t < longest) {
      float* const slot = ring + t % depth * sum_rows.size();
#pragma unroll
      for (unsigned i = threadIdx.x; i < rows * Units; i += Form::threads) {
        const unsigned row = i / Units, column = i % Units * 4;
        copy_aside<16>(slot + sum_rows.at(row) + column,
                       a.sums + (min(first + row, a.samples - 1) * a.steps + t) * a.sums_row + column);
      }
    }
    end_copies();
  };
#pragma unroll
  for (unsigned t = 0; t < depth - 1; ++t) copy(t);

  WeightTiles<tiles> weights[2];
#pragma unroll
  for (unsigned pair = 0; pair < 2; ++pair)
    weights[pair].load(group, member, [&](unsigned row, unsigned column) {
      return four_of(a.weight_hh + ((2 * pair + row / 8) * Units + unit) * Units, column, Units);
    });

  typename Step::State carried[2];
  unsigned length[2];
  std::size_t at[2];
  bool stores[2];
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    const std::size_t n = first + Fragments::row(member, j);
    stores[j] = n < a.samples;
    length[j] = stores[j] ? valid_steps(a.lengths, n, a.steps) : 0;
    at[j] = n * a.steps * Units + unit;
  }
  wait_for_copies<depth - 2>();
  __syncthreads();

#pragma unroll 1
  for (unsigned t = 0; t < longest; ++t) {
    copy(t + depth - 1);
    const std::uint32_t* const from = state + t % 2 * 2 * state_rows.size() + state_rows.at(group);
    PartSums sums[2];
#pragma unroll
    for (unsigned two = 0; two < tiles / 2; ++two) {
      const FourColumns h = FourColumns::read(from, state_rows.size(), member, two);
#pragma unroll
      for (unsigned pair = 0; pair < 2; ++pair)
        sums[pair].add(weights[pair], 2 * two, h.high.x, h.high.y, h.low.x, h.low.y);
#pragma unroll
      for (unsigned pair = 0; pair < 2; ++pair)
        sums[pair].add(weights[pair], 2 * two + 1, h.high.z, h.high.w, h.low.z, h.low.w);
    }
    std::uint32_t* const to = state + (t + 1) % 2 * 2 * state_rows.size() + unit;
    const float* const slot = ring + t % depth * sum_rows.size() + unit;
#pragma unroll
    for (unsigned j = 0; j < 2; ++j) {
      const unsigned row = Fragments::row(member, j);
      float values[4], kept[4];
#pragma unroll
      for (unsigned gate = 0; gate < 4; ++gate)
        values[gate] =
            Step::activate(gate, slot[sum_rows.at(row) + gate * Units] + sums[gate / 2].sum(gate % 2 * 2 + j));
      const typename Step::State after = Step::next(carried[j], values, kept);
      const bool valid = t < length[j];
      if constexpr (keeps)
        if (stores[j]) {
          if (a.before != nullptr) a.before[at[j]] = carried[j].h;
          if (valid) {
            a.cells[at[j]] = after.c;
            float* const gate_at = a.gates + 4 * (at[j] - unit) + unit;
#pragma unroll
            for (unsigned gate = 0; gate < 4; ++gate) gate_at[gate * Units] = kept[gate];
          }
        }
      if (valid)
        carried[j] = after;
      else
        carried[j].h = 0.0F;
      const Parts parts = parts_of(carried[j].h);
      to[state_rows.at(row)] = parts.high;
      to[state_rows.at(row) + state_rows.size()] = parts.low;
      if (stores[j]) a.y[at[j]] = carried[j].h;
      at[j] += Units;
    }
    wait_for_copies<depth - 2>();
    __syncthreads();
  }
  clear_behind(a.y, first, rows, a.samples, a.steps, longest, Units);
  if (keeps && a.before != nullptr) clear_behind(a.before, first, rows, a.samples, a.steps, longest, Units);
}

template <class Cell, std::size_t Units>
__global__ void __launch_bounds__(TensorForm<Units>::threads, 1) backward_tensor(const BackwardArguments a) {
  using Form = TensorForm<Units>;
  using Step = StepOf<Cell>;
  constexpr unsigned rows = Form::rows, depth = Form::depth, tiles = Form::backward_tiles;
  constexpr EightRows gradient_rows = Form::gradient, kept_rows = Form::kept;
  float* const memory = block_memory();
  auto* const gradient = reinterpret_cast<std::uint32_t*>(memory);  // [buffer, part]
  float2* const exchange = reinterpret_cast<float2*>(memory + Form::exchange);
  float* const ring = memory + Form::backward_ring;
  const unsigned lane = threadIdx.x % 32, group = lane / 4, member = lane % 4, warp = threadIdx.x / 32;
  const unsigned unit = warp * 8 + group, pair = warp / 2, half = warp % 2;
  const std::size_t first = std::size_t{blockIdx.x} * rows;
  const unsigned longest = longest_of<rows>(a.lengths, first, a.samples, a.steps);

  for (unsigned i = threadIdx.x; i < Form::exchange; i += Form::threads) gradient[i] = 0;
  const auto copy = [&](unsigned done) {
    if (done < longest) {
      float* const slot = ring + done % depth * kept_rows.size();
      copy_kept<Cell, Units, rows, Form::threads>(a, first, longest - 1 - done, Units,
                                                  [&](unsigned row) { return slot + kept_rows.at(row); });
    }
    end_copies();
  };
#pragma unroll
  for (unsigned done = 0; done < depth - 1; ++done) copy(done);

  // Of the transposed weights: rows are 16 units of two warps, columns this warp's half of the gates.
  WeightTiles<tiles> weights;
  weights.load(group, member, [&](unsigned row, unsigned column) {
    const float* const at = a.weight_hh + (half * 2 * Units + column) * Units + 16 * pair + row;
    return float4{at[0], at[Units], at[2 * Units], at[3 * Units]};
  });

  typename Step::Back back[2];
  unsigned length[2];
  std::size_t at[2];
  bool stores[2];
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    const std::size_t n = first + Fragments::row(member, j);
    stores[j] = n < a.samples;
    length[j] = stores[j] ? valid_steps(a.lengths, n, a.steps) : 0;
    at[j] = (n * a.steps + longest) * 4 * Units + unit;
    if (length[j] > 0) back[j].c = a.states[(n * a.steps + length[j] - 1) * Units + unit];
  }
  float bias_sums[4] = {};
  wait_for_copies<depth - 2>();
  __syncthreads();

#pragma unroll 1
  for (unsigned done = 0; done < longest; ++done) {
    const unsigned t = longest - 1 - done;
    copy(done + depth - 1);
    const std::uint32_t* const from =
        gradient + done % 2 * 2 * gradient_rows.size() + gradient_rows.at(group) + half * 2 * Units;
    PartSums even, odd;
#pragma unroll
    for (unsigned two = 0; two < tiles / 2; ++two) {
      const FourColumns d = FourColumns::read(from, gradient_rows.size(), member, two);
      even.add(weights, 2 * two, d.high.x, d.high.y, d.low.x, d.low.y);
      odd.add(weights, 2 * two + 1, d.high.z, d.high.w, d.low.z, d.low.w);
    }
    float mine[4];
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) mine[i] = even.sum(i) + odd.sum(i);
    // The first warp of two goes on with the first eight units, the second with the others.
    exchange[threadIdx.x] = half == 0 ? float2{mine[2], mine[3]} : float2{mine[0], mine[1]};
    pair_of_warps_meets(pair);
    const float2 other = exchange[threadIdx.x ^ 32U];
    const float d_h[2] = {(half == 0 ? mine[0] : mine[2]) + other.x, (half == 0 ? mine[1] : mine[3]) + other.y};

    std::uint32_t* const to = gradient + (done + 1) % 2 * 2 * gradient_rows.size() + unit;
    const float* const slot = ring + done % depth * kept_rows.size() + unit;
#pragma unroll
    for (unsigned j = 0; j < 2; ++j) {
      const unsigned row = Fragments::row(member, j);
      const float* const kept_at = slot + kept_rows.at(row);
      float kept[4], d_sums[4] = {};
#pragma unroll
      for (unsigned k = 0; k < 4; ++k) kept[k] = kept_at[k * Units];
      const float before = t == 0 ? 0.0F : kept_at[Form::before * Units];
      if (t < length[j]) Step::back(back[j], kept, before, d_h[j] + kept_at[Form::output * Units], d_sums);
      at[j] -= 4 * Units;
#pragma unroll
      for (unsigned k = 0; k < 4; ++k) {
        bias_sums[k] += d_sums[k];
        if (stores[j]) a.gates[at[j] + k * Units] = d_sums[k];
        const Parts parts = parts_of(d_sums[k]);
        to[gradient_rows.at(row) + k * Units] = parts.high;
        to[gradient_rows.at(row) + k * Units + gradient_rows.size()] = parts.low;
      }
    }
    wait_for_copies<depth - 2>();
    __syncthreads();
  }

  if (a.bias_sums != nullptr) {
#pragma unroll
    for (unsigned k = 0; k < 4; ++k) {
      bias_sums[k] += from_lane_xor(bias_sums[k], 1);
      bias_sums[k] += from_lane_xor(bias_sums[k], 2);
    }
    a.bias_sums[(std::size_t{blockIdx.x} * 4 + member) * Units + unit] = pick(bias_sums, member);
  }
  clear_behind(a.gates, first, rows, a.samples, a.steps, longest, 4 * Units);
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
