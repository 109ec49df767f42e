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
  float high[Tiles][4], low[Tiles][4];

  template <class F>
  __device__ void load(unsigned group, unsigned member, F&& four) {
#pragma unroll
    for (unsigned tile = 0; tile < Tiles; tile += 2)
#pragma unroll
      for (unsigned second = 0; second < 2; ++second) {
        const float4 w = four(group + 8 * second, Fragments::column(tile, member, 0));
        const Parts parts[4] = {parts_to_keep(w.x), parts_to_keep(w.y), parts_to_keep(w.z), parts_to_keep(w.w)};
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
  __device__ void add(const WeightTiles<Tiles>& a, unsigned tile, float high0, float high1, float low0, float low1) {
    multiply_tiles(high, a.high[tile], high0, high1);
    multiply_tiles(low_high, a.low[tile], high0, high1);
    multiply_tiles(high_low, a.high[tile], low0, low1);
  }
  __device__ float sum(unsigned i) const { return high[i] + (low_high[i] + high_low[i]); }
};
/// A number in two parts in shared memory, `to_low` apart.
inline __device__ void store_parts(Shared at, std::size_t to_low, float x) {
  const Parts parts = parts_of(x);
  at.store(parts.high);
  (at + to_low).store(parts.low);
}

template <class Cell, std::size_t Units, bool keeps>
__global__ void __launch_bounds__(TensorForm<Units>::threads, 1) forward_tensor(const ForwardArguments a) {
  using Form = TensorForm<Units>;
  using Step = StepOf<Cell>;
  constexpr unsigned rows = Form::rows, depth = Form::depth, tiles = Form::forward_tiles;
  constexpr EightRows state_rows = Form::state, sum_rows = Form::sums;
  const Shared state = held(shared_memory()), ring = state + Form::forward_ring;  // state: [buffer, part]
  const unsigned lane = threadIdx.x % 32, group = lane / 4, member = lane % 4, unit = threadIdx.x / 32 * 8 + group;
  const std::size_t first = std::size_t{blockIdx.x} * rows;
  const unsigned longest = longest_of<rows>(a.lengths, first, a.samples, a.steps);

  for (unsigned i = threadIdx.x; i < Form::forward_ring; i += Form::threads) (state + i).store(0.0F);
  RingCopies<rows * Units, Form::threads, 4, true> copies(
      [&](unsigned piece, const float*& from, unsigned& to, int& step) {
        const unsigned row = piece / Units, column = piece % Units * 4;
        step = static_cast<int>(a.sums_row);
        from = a.sums + min(first + row, a.samples - 1) * a.steps * a.sums_row + column;
        to = static_cast<unsigned>(sum_rows.at(row)) + column;
      });
  const auto copy = [&](unsigned t) {
    if (t < longest) copies.start(ring + t % depth * sum_rows.size());
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
  float* gates_at[2];
  StepOutputs<Cell, 8, keeps, true> outputs[2];
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    const std::size_t n = first + Fragments::row(member, j);
    const bool counts = n < a.samples;
    length[j] = held(counts ? valid_steps(a.lengths, n, a.steps) : 0U);
    gates_at[j] = held(keeps ? a.gates + n * a.steps * 4 * Units + unit : nullptr);
    outputs[j].set(a, 0, n * a.steps * Units + unit, counts);
  }
  // Of its second sample a thread's places are as far behind those of the first as row 1 is behind row 0.
  const Shared read_at = held(state + (state_rows.at(group) + Fragments::column(0, member, 0)));
  const Shared write_at = held(state + (state_rows.at(Fragments::row(member, 0)) + unit));
  const Shared sums_at = held(ring + (sum_rows.at(Fragments::row(member, 0)) + unit));
  wait_for_copies<depth - 2>();
  __syncthreads();

#pragma unroll 1
  for (unsigned t = 0; t < longest; ++t) {
    copy(t + depth - 1);
    const Shared from = read_at + t % 2 * 2 * state_rows.size();
    PartSums sums[2];
#pragma unroll
    for (unsigned tile = 0; tile < tiles; tile += 2) {
      const float4 high = (from + 8 * tile).load_four(), low = (from + (8 * tile + state_rows.size())).load_four();
#pragma unroll
      for (unsigned pair = 0; pair < 2; ++pair) sums[pair].add(weights[pair], tile, high.x, high.y, low.x, low.y);
#pragma unroll
      for (unsigned pair = 0; pair < 2; ++pair) sums[pair].add(weights[pair], tile + 1, high.z, high.w, low.z, low.w);
    }
    const Shared to = write_at + (t + 1) % 2 * 2 * state_rows.size(), slot = sums_at + t % depth * sum_rows.size();
#pragma unroll
    for (unsigned j = 0; j < 2; ++j) {
      float values[4], kept[4];
#pragma unroll
      for (unsigned gate = 0; gate < 4; ++gate)
        values[gate] = Step::activate(
            gate, (slot + (sum_rows.at(j) + gate * Units)).load() + sums[gate / 2].sum(gate % 2 * 2 + j));
      const typename Step::State after = Step::next(carried[j], values, kept);
      const bool valid = t < length[j];
      const float y = valid ? after.h : 0.0F;
      outputs[j].put(0, std::size_t{t} * Units, y, carried[j].h, after.c);
      carried[j] = after.with(y);
      store_parts(to + state_rows.at(j), state_rows.size(), y);
      if constexpr (keeps)
        if (valid) {
          float* const gate_at = gates_at[j] + std::size_t{t} * 4 * Units;
#pragma unroll
          for (unsigned gate = 0; gate < 4; ++gate) write(gate_at + gate * Units, kept[gate]);
        }
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
  const Shared gradient = held(shared_memory()), ring = gradient + Form::backward_ring;  // gradient: [buffer, part]
  const Shared exchange = gradient + Form::exchange;
  const unsigned lane = threadIdx.x % 32, group = lane / 4, member = lane % 4, warp = threadIdx.x / 32;
  const unsigned unit = warp * 8 + group, pair = warp / 2, half = warp % 2;
  const std::size_t first = std::size_t{blockIdx.x} * rows;
  const unsigned longest = longest_of<rows>(a.lengths, first, a.samples, a.steps);

  for (unsigned i = threadIdx.x; i < Form::exchange; i += Form::threads) (gradient + i).store(0.0F);
  auto copies = copies_of_kept<Cell, Units, rows, Form::threads, true>(a, first, longest, Units,
                                                                       [&](unsigned row) { return kept_rows.at(row); });
  const auto copy = [&](unsigned done) {
    if (done < longest) copies.start(ring + done % depth * kept_rows.size(), done + 1 == longest);
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
  float* gates_at[2];
  unsigned writes[2];  // so many steps
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    const std::size_t n = first + Fragments::row(member, j);
    const bool counts = n < a.samples;
    writes[j] = held(counts ? longest : 0U);
    length[j] = held(counts ? valid_steps(a.lengths, n, a.steps) : 0U);
    gates_at[j] = held(a.gates + n * a.steps * 4 * Units + unit);
    if (length[j] > 0) back[j].c = a.states[(n * a.steps + length[j] - 1) * Units + unit];
  }
  float bias_sums[4] = {};
  // The first warp of two goes on with the first eight units, the second with the others.
  const Shared given = held(exchange + threadIdx.x * 2), taken = held(exchange + (threadIdx.x ^ 32U) * 2);
  const Shared read_at =
      held(gradient + (gradient_rows.at(group) + half * 2 * Units + Fragments::column(0, member, 0)));
  const Shared write_at = held(gradient + (gradient_rows.at(Fragments::row(member, 0)) + unit));
  const Shared kept_from = held(ring + (kept_rows.at(Fragments::row(member, 0)) + unit));
  wait_for_copies<depth - 2>();
  __syncthreads();

#pragma unroll 1
  for (unsigned done = 0; done < longest; ++done) {
    const unsigned t = longest - 1 - done;
    copy(done + depth - 1);
    const Shared from = read_at + done % 2 * 2 * gradient_rows.size();
    PartSums even, odd;
#pragma unroll
    for (unsigned tile = 0; tile < tiles; tile += 2) {
      const float4 high = (from + 8 * tile).load_four(), low = (from + (8 * tile + gradient_rows.size())).load_four();
      even.add(weights, tile, high.x, high.y, low.x, low.y);
      odd.add(weights, tile + 1, high.z, high.w, low.z, low.w);
    }
    float mine[2];
#pragma unroll
    for (unsigned i = 0; i < 2; ++i) {
      const float of_first = even.sum(i) + odd.sum(i), of_second = even.sum(i + 2) + odd.sum(i + 2);
      mine[i] = half == 0 ? of_first : of_second;
      (given + i).store(half == 0 ? of_second : of_first);
    }
    pair_of_warps_meets(pair);

    const Shared to = write_at + (done + 1) % 2 * 2 * gradient_rows.size();
    const Shared slot = kept_from + done % depth * kept_rows.size();
#pragma unroll
    for (unsigned j = 0; j < 2; ++j) {
      const Shared kept_at = slot + kept_rows.at(j);
      const float d_h = mine[j] + (taken + j).load();
      float kept[4], d_sums[4];
#pragma unroll
      for (unsigned k = 0; k < 4; ++k) kept[k] = (kept_at + k * Units).load();
      float before = (kept_at + Form::before * Units).load();
      if (t == 0) before = 0.0F;
      typename Step::Back after = back[j];
      Step::back(after, kept, before, d_h + (kept_at + Form::output * Units).load(), d_sums);
      const bool valid = t < length[j];
      if (valid) back[j] = after;
      float* const gate = gates_at[j] + std::size_t{t} * 4 * Units;
#pragma unroll
      for (unsigned k = 0; k < 4; ++k) {
        const float d = valid ? d_sums[k] : 0.0F;
        bias_sums[k] += d;
        if (t < writes[j]) write(gate + k * Units, d);
        store_parts(to + (gradient_rows.at(j) + k * Units), gradient_rows.size(), d);
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
