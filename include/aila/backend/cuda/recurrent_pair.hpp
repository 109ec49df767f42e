// LSTM layers with all weights in a block, forward through one sample: where there are so few samples that each has a
// multiprocessor of its own, and only the length of a step's chain counts.
//
// A unit has two neighbouring threads. Each multiplies every other vector of the state with the weights of all four
// gates; then they share out the sums, one has gates i and g, the other f and o, and what each makes of its two is all
// that the other needs: c = i g + f c. That is half of the threads that recurrent_rows.hpp has, hence half of the
// instructions beside the multiplications, and one exchange less. What a step leaves in global memory is written in the
// next one, while that waits for the state.
#pragma once

#include "../../core/macros_aside.hpp"

#include "recurrent_step.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

template <class Cell, std::size_t Units, bool keeps>
__global__ void __launch_bounds__(PairForm<Units>::threads, 1) forward_pair(const ForwardArguments a) {
  using Form = PairForm<Units>;
  static_assert(Cell::gates == 4 && Cell::keeps_cells);
  constexpr unsigned chunks = Form::chunks, depth = Form::depth, units = Units;
  const Shared state = shared_memory(), ring = state + Form::ring_at;
  const unsigned unit = threadIdx.x / 2, lane = threadIdx.x % 2;
  const std::size_t n = blockIdx.x;
  const unsigned length = valid_steps(a.lengths, n, a.steps);

  const std::size_t state_at = n * 2 * Units + unit;
  float h = 0.0F, c = 0.0F, h_before = 0.0F, own[2] = {};
  if (a.state_from != nullptr) {
    h = a.state_from[state_at];
    c = a.state_from[state_at + Units];
  }
  if (lane == 0) (state + unit).store(h);
  RingCopies<units, Form::threads, 4, true> copies([&](unsigned piece, const float*& from, unsigned& to, int& step) {
    from = a.sums + n * a.steps * a.sums_row + 4 * piece;
    to = piece / (units / 4) * static_cast<unsigned>(Form::gate_stride) + piece % (units / 4) * 4;
    step = static_cast<int>(a.sums_row);
  });
  const auto copy = [&](unsigned t, Shared slot) {
    if (t < length) copies.start(slot);
    end_copies();
  };
#pragma unroll
  for (unsigned t = 0; t < depth - 1; ++t) copy(t, ring + t * Form::slot);

  // Slots 0 and 1 are the thread's own gates, 2 and 3 those of its neighbour.
  float4 weights[4][chunks];
#pragma unroll
  for (unsigned slot = 0; slot < 4; ++slot) {
    const float* const row = a.weight_hh + ((lane ^ slot / 2) + slot % 2 * 2) * Units * Units + unit * Units;
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk)
      weights[slot][chunk] = *reinterpret_cast<const float4*>(row + 8 * chunk + 4 * lane);
  }

  const bool first = lane == 0;
  const std::size_t at = n * a.steps * Units + unit;
  // What the thread writes of a step: c, i and g, or y, the state before, f and o.
  float* map = held((first ? a.cells : a.y) + at);
  float* before = held(a.before + at);
  float* gate = held(keeps ? a.gates + n * a.steps * 4 * Units + lane * Units + unit : nullptr);
  const bool writes_map = keeps || !first, writes_before = keeps && !first && a.before != nullptr;
  const auto put = [&] {
    if (writes_map) write(map, first ? c : h);
    map += Units;
    if constexpr (keeps) {
      if (writes_before) write(before, h_before);
      before += Units;
      write(gate, own[0]);
      write(gate + 2 * units, own[1]);
      gate += 4 * Units;
    }
  };
  // Places of a step, each worked out from that of the step before: behind a barrier every instruction counts. Of the
  // two buffers of the state one is read and one is written: a place and its other one have a constant sum.
  const unsigned step = 4 * static_cast<unsigned>(Form::slot), all = depth * step;
  const auto next_slot = [&](unsigned offset) { return offset + step < all ? offset + step : 0; };
  unsigned used = held(0U), copied = held((depth - 1) * step);  // slots of the ring, in bytes
  const Shared inputs = held(ring + (lane * Form::gate_stride + unit));
  Shared from = held(state + 4 * lane), to = held(state + (Form::state_row + unit));
  const unsigned both_from = held(2 * from.at + 4 * static_cast<unsigned>(Form::state_row));
  const unsigned both_to = held(2 * to.at - 4 * static_cast<unsigned>(Form::state_row));
  wait_for_copies<depth - 2>();
  __syncthreads();

#pragma unroll 1
  for (unsigned t = 0; t < length; ++t) {
    const Shared input{inputs.at + used};
    float4 of_state[chunks];
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk) of_state[chunk] = (from + 8 * chunk).load_four();
    const float x[2] = {input.load(), (input + 2 * Form::gate_stride).load()};
    if (t > 0) put();
    copy(t + depth - 1, {ring.at + copied});
    // A scheduler has one warp: two sums a gate, so that none waits for the multiplication before.
    float sums[4][2] = {};
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk)
#pragma unroll
      for (unsigned slot = 0; slot < 4; ++slot)
        sums[slot][chunk % 2] = add_product(weights[slot][chunk], of_state[chunk], sums[slot][chunk % 2]);
    const float given[2] = {from_lane_xor(sums[2][0] + sums[2][1], 1), from_lane_xor(sums[3][0] + sums[3][1], 1)};
    own[0] = squash((sums[0][0] + sums[0][1]) + x[0] + given[0], false);
    own[1] = squash((sums[1][0] + sums[1][1]) + x[1] + given[1], first);
    const float mine = own[0] * (first ? own[1] : c);
    c = mine + from_lane_xor(mine, 1);
    h_before = h;
    h = own[1] * squash(c, true);  // of the thread that has gate o
    if (!first) to.store(h);
    from.at = both_from - from.at;
    to.at = both_to - to.at;
    used = next_slot(used);
    copied = next_slot(copied);
    wait_for_copies<depth - 2>();
    __syncthreads();
  }
  if (length > 0) put();
  if (a.state_to != nullptr) write(a.state_to + state_at + (first ? Units : 0), first ? c : h);
  clear_behind(a.y, n, 1, a.samples, a.steps, length, Units);
  if (keeps && a.before != nullptr) clear_behind(a.before, n, 1, a.samples, a.steps, length, Units);
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
