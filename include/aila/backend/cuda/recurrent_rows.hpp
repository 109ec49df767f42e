// Recurrent layers with all weights in a block, multiplied in float32: forward and backward through a few samples.
//
// Bound by the chain of steps and by what a warp issues where there are few samples, by multiplications (128 a clock)
// for eight. What a step reads of global memory is asked for some steps before.
#pragma once

#include "../../core/macros_aside.hpp"

#include "recurrent_step.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

/// What a thread writes of a sample's step beside gates: of y, the states before and the cells those that are its
/// share.
template <class Cell, std::size_t Rows, bool keeps, bool holds>
struct StepOutputs {
  using Q = Quad<Rows>;
  static constexpr unsigned all = !keeps ? 1 : Cell::keeps_cells ? 3 : 2, each = divide_up(all, Q::shares);
  float* at[each];
  unsigned writes;  ///< a bit for each of them

  static __device__ unsigned number(unsigned share, unsigned i) { return share + i * Q::shares; }
  /// `from` is where the sample begins in each of the three.
  __device__ void set(const ForwardArguments& a, unsigned share, std::size_t from, bool counts) {
    writes = 0;
#pragma unroll
    for (unsigned i = 0; i < each; ++i) {
      const unsigned which = number(share, i);
      float* const map = which == 0 ? a.y : which == 1 ? a.before : a.cells;
      if (counts && which < all && map != nullptr) writes |= 1U << i;
      at[i] = held_if<holds>(map + from);
    }
    writes = held_if<holds>(writes);
  }
  __device__ void put(unsigned share, std::size_t offset, float y, float before, float cell) const {
    const float values[3] = {y, before, cell};
#pragma unroll
    for (unsigned i = 0; i < each; ++i)
      if ((writes >> i & 1U) != 0) write(at[i] + offset, pick(values, number(share, i)));
  }
};

/// InputVector is how many inputs are copied at once: 4, or 1 where rows of inputs are not multiples of that.
template <class Cell, std::size_t Units, std::size_t Rows, std::size_t InputChunks, std::size_t InputVector, bool keeps,
          bool streams>
__global__ void __launch_bounds__(threads_of<Units>, 1) forward_rows(const ForwardArguments a) {
  using Form = ForwardForm<Cell, Units, Rows, InputChunks>;
  using Step = StepOf<Cell>;
  using Q = Quad<Rows>;
  using Order = SlotOrder<Rows, Cell::gates == 4>;
  static_assert(!streams || Rows == 1);
  constexpr bool holds = Form::resident == Form::state_chunks;
  constexpr unsigned gates = Cell::gates, depth = Form::depth, ahead = InputChunks > 0 ? 2 : 1;
  const Shared memory = held(shared_memory()), state = memory + Form::state_at, ring = memory + Form::ring_at;
  const unsigned unit = threadIdx.x / 4, lane = threadIdx.x % 4, share = Q::share(lane);
  const bool has_unit = Form::threads == 4 * Units || unit < Units;
  const unsigned some_unit = has_unit ? unit : Units - 1;
  const std::size_t first = std::size_t{blockIdx.x} * Rows;
  const unsigned longest =
      streams ? static_cast<unsigned>(a.steps) : longest_of<Rows>(a.lengths, first, a.samples, a.steps);

  for (unsigned i = threadIdx.x; i < Form::bytes / 4 - Form::state_at; i += Form::threads) (state + i).store(0.0F);
  __syncthreads();
  constexpr unsigned vector = InputChunks > 0 ? InputVector : Units % 4 == 0 ? 4 : 1;
  constexpr unsigned vectors = InputChunks > 0 ? 16 * InputChunks / vector : Units / vector;
  RingCopies<Rows*(InputChunks > 0 ? 1 : gates) * vectors, Form::threads, vector, holds> copies(
      [&](unsigned piece, const float*& from, unsigned& to, int& step) {
        const unsigned column = piece % vectors * vector;
        if constexpr (InputChunks > 0) {
          const unsigned row = piece / vectors;
          step = static_cast<int>(a.inputs);
          from = a.x + min(first + row, a.samples - 1) * a.steps * a.inputs + column;
          if (column < a.inputs) to = row * Form::ring_row + column;
        } else {
          const unsigned row = piece / (gates * vectors), gate = piece / vectors % gates;
          step = static_cast<int>(a.sums_row);
          from = a.sums + min(first + row, a.samples - 1) * a.steps * a.sums_row + gate * Units + column;
          to = row * Form::ring_row + gate * Form::gate_stride + column;
        }
      });
  const auto copy = [&](unsigned t) {
    if (t < longest) copies.start(ring + t % depth * Form::slot);
    end_copies();
  };
#pragma unroll
  for (unsigned t = 0; t < depth - 1; ++t) copy(t);

  // Of the gate in each slot.
  constexpr unsigned chunks = Form::state_chunks, resident = Form::resident;
  float4 weights[gates][resident > 0 ? resident : 1], input_weights[gates][InputChunks > 0 ? InputChunks : 1];
  const Shared more_weights = memory + 4 * threadIdx.x;
#pragma unroll
  for (unsigned gate = 0; gate < gates; ++gate) {
    const std::size_t row = Order::sum(lane, gate) * Units + some_unit;
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      const float4 w = four_of(a.weight_hh + row * Units, Form::column(lane, chunk), Units);
      if (chunk < resident)
        weights[gate][chunk < resident ? chunk : 0] = w;
      else
        (more_weights + ((chunk - resident) * gates + gate) * Form::threads * 4).store_four(w);
    }
#pragma unroll
    for (unsigned chunk = 0; chunk < InputChunks; ++chunk)
      input_weights[gate][chunk] = four_of(a.weight_ih + row * a.inputs, Form::column(lane, chunk), a.inputs);
  }
  float bias[Q::sums] = {};
  if constexpr (Step::has_bias(InputChunks > 0)) {
#pragma unroll
    for (unsigned i = 0; i < Q::sums; ++i)
      bias[i] = Step::bias(a, InputChunks > 0, share * Q::sums + i, some_unit, Units);
  }

  typename Step::State carried[Q::own];
  unsigned length[Q::own];  // of which this thread keeps gates
  float* gates_at[Q::own];  // of the thread's unit in the gates of the first step
  StepOutputs<Cell, Rows, keeps, holds> outputs[Q::own];
#pragma unroll
  for (unsigned i = 0; i < Q::own; ++i) {
    const std::size_t n = first + Q::row(lane, i);
    const bool counts = has_unit && n < a.samples;
    length[i] = held_if<holds>(counts && !streams ? valid_steps(a.lengths, n, a.steps) : 0U);
    gates_at[i] =
        held_if<holds>(keeps ? a.gates + n * a.steps * 4 * Units + (share * Q::sums * Units + unit) : nullptr);
    outputs[i].set(a, share, n * a.steps * Units + unit, counts);
  }
  [[maybe_unused]] const std::size_t state_at = first * (Cell::keeps_cells ? 2 : 1) * Units + unit;
  if constexpr (streams)
    if (has_unit && a.state_from != nullptr) {
      carried[0].h = a.state_from[state_at];
      if constexpr (Cell::keeps_cells) carried[0].c = a.state_from[state_at + Units];
      if (share == 0) (state + unit).store(carried[0].h);
    }
  unsigned row_at[Rows];  // of the sample of each slot
#pragma unroll
  for (unsigned slot = 0; slot < Rows; ++slot)
    row_at[slot] =
        held_if<holds>(Order::row(lane, slot) * static_cast<unsigned>(Form::state_row) + Form::column(lane, 0));

  /// The inputs' part of a step's sums, computed in the step before: nothing waits for it.
  float next[Rows][Form::sums] = {};
  const auto add_inputs = [&](unsigned t) {
    const Shared from = ring + (t % depth * Form::slot + Form::column(lane, 0));
#pragma unroll
    for (unsigned chunk = 0; chunk < InputChunks; ++chunk)
#pragma unroll
      for (unsigned slot = 0; slot < Rows; ++slot) {
        const float4 x = (from + (Order::row(lane, slot) * Form::ring_row + 16 * chunk)).load_four();
#pragma unroll
        for (unsigned gate = 0; gate < gates; ++gate) {
          float& sum = next[slot][Step::input_sum(gate)];
          sum = add_product(input_weights[gate][chunk], x, sum);
        }
      }
  };
  wait_for_copies<depth - 1 - ahead>();
  __syncthreads();
  if constexpr (InputChunks > 0) add_inputs(0);

#pragma unroll 1
  for (unsigned t = 0; t < longest; ++t) {
    copy(t + depth - 1);
    [[maybe_unused]] bool streams_on = true;
    if constexpr (streams) streams_on = a.lengths == nullptr || a.lengths[first * a.steps + t] > 0;
    float sums[Rows][Form::sums];
#pragma unroll
    for (unsigned slot = 0; slot < Rows; ++slot)
#pragma unroll
      for (unsigned i = 0; i < Form::sums; ++i) {
        sums[slot][i] = next[slot][i];
        next[slot][i] = 0.0F;
      }
    const Shared from = state + t % 2 * Rows * Form::state_row;
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      float4 h[Rows];
#pragma unroll
      for (unsigned slot = 0; slot < Rows; ++slot) h[slot] = (from + row_at[slot] + 16 * chunk).load_four();
#pragma unroll
      for (unsigned gate = 0; gate < gates; ++gate) {
        const float4 w = chunk < resident
                             ? weights[gate][chunk < resident ? chunk : 0]
                             : (more_weights + ((chunk - resident) * gates + gate) * Form::threads * 4).load_four();
#pragma unroll
        for (unsigned slot = 0; slot < Rows; ++slot) sums[slot][gate] = add_product(w, h[slot], sums[slot][gate]);
      }
    }
    if constexpr (InputChunks > 0) add_inputs(t + 1);
    share_out<Rows, Cell::gates == 4>(lane, sums);

    const Shared to = state + ((t + 1) % 2 * Rows * Form::state_row + unit);
    const Shared slot = ring + (t % depth * Form::slot + some_unit);
#pragma unroll
    for (unsigned i = 0; i < Q::own; ++i) {
      const unsigned row = Q::row(lane, i);
      float own[Q::sums], all[4], kept[4];
#pragma unroll
      for (unsigned k = 0; k < Q::sums; ++k) {
        const unsigned sum = share * Q::sums + k;
        float x = k < Form::sums ? sums[4 * i][k < Form::sums ? k : 0] : 0.0F;
        if constexpr (Step::has_bias(InputChunks > 0)) x += bias[k];
        if constexpr (InputChunks == 0)
          if (Step::has_input(sum))
            x += (slot + (row * Form::ring_row + Step::input_gate(sum) * Form::gate_stride)).load();
        own[k] = Step::activate(sum, x);
      }
      gather<Rows>(lane, own, all);
      typename Step::State after = Step::next(carried[i], all, kept);
      const bool valid = streams ? streams_on : t < length[i];
      float cell = 0.0F;
      if constexpr (Cell::keeps_cells) cell = after.c;
      const float y = valid ? after.h : 0.0F;
      outputs[i].put(share, std::size_t{t} * Units, y, carried[i].h, cell);
      if constexpr (streams)
        carried[i] = valid ? after : carried[i];
      else
        carried[i] = after.with(y);
      if (has_unit && share == 0) (to + row * Form::state_row).store(carried[i].h);
      if constexpr (keeps)
        if (valid) {
          float* const gate = gates_at[i] + std::size_t{t} * 4 * Units;
#pragma unroll
          for (unsigned k = 0; k < Q::sums; ++k) write(gate + k * Units, pick(kept, share * Q::sums + k));
        }
    }
    wait_for_copies<depth - 1 - ahead>();
    __syncthreads();
  }

  if constexpr (streams) {
    if (has_unit && share == 0) {
      a.state_to[state_at] = carried[0].h;
      if constexpr (Cell::keeps_cells) a.state_to[state_at + Units] = carried[0].c;
    }
  } else {
    clear_behind(a.y, first, Rows, a.samples, a.steps, longest, Units);
    if (keeps && a.before != nullptr) clear_behind(a.before, first, Rows, a.samples, a.steps, longest, Units);
  }
}

/// What backward reads of a step, in pieces that are copied at once: first those of gates.
template <class Cell, std::size_t Units, std::size_t Rows>
struct KeptPieces {
  static constexpr unsigned vector = Units % 4 == 0 ? 4 : 1, vectors = Units / vector;
  static constexpr unsigned of_gates = Rows * 4 * vectors, all = of_gates + 2 * Rows * vectors;
};
/// Their copies, from the last step of `longest` on, for Rows samples of which `row_at(row)` is the place in a slot:
/// four gates, the state before and dy, `stride` floats apart. Of a cell there is none before the first step.
template <class Cell, std::size_t Units, std::size_t Rows, std::size_t Threads, bool holds, class F>
__device__ auto copies_of_kept(const BackwardArguments& a, std::size_t first, unsigned longest, std::size_t stride,
                               F&& row_at) {
  using Pieces = KeptPieces<Cell, Units, Rows>;
  using Copies = RingCopies<Pieces::all, Threads, Pieces::vector, holds>;
  return Copies([&](unsigned piece, const float*& from, unsigned& to, int& step) {
    const bool of_gate = piece < Pieces::of_gates;
    const unsigned rest = of_gate ? piece : piece - Pieces::of_gates, segments = of_gate ? 4 : 2;
    const unsigned segment = rest / Pieces::vectors % segments + (of_gate ? 0 : 4);
    const unsigned row = rest / (Pieces::vectors * segments), column = rest % Pieces::vectors * Pieces::vector;
    const bool of_cell = Cell::keeps_cells && segment == 4;
    const std::size_t at = min(first + row, a.samples - 1) * a.steps + longest;
    to = static_cast<unsigned>(row_at(row) + segment * stride) + column + (of_cell ? Copies::not_first : 0);
    step = -(of_gate ? 4 : 1) * static_cast<int>(Units);
    from = of_gate ? a.gates + at * 4 * Units + segment * Units + column
                   : (segment == 4 ? a.states : a.dy) + at * Units + column;
    from += of_cell ? 2 * step : step;
  });
}

template <class Cell, std::size_t Units, std::size_t Rows>
__global__ void __launch_bounds__(threads_of<Units>, 1) backward_rows(const BackwardArguments a) {
  using Form = BackwardForm<Cell, Units, Rows>;
  using Step = StepOf<Cell>;
  using Q = Quad<Rows>;
  using Order = SlotOrder<Rows, false>;
  constexpr unsigned depth = Form::depth, chunks = Form::chunks, resident = Form::resident;
  constexpr bool holds = resident == chunks;
  const Shared memory = held(shared_memory()), gradient = memory + Form::gradient_at, ring = memory + Form::ring_at;
  const unsigned unit = threadIdx.x / 4, lane = threadIdx.x % 4, share = Q::share(lane);
  const bool has_unit = Form::threads == 4 * Units || unit < Units;
  const unsigned some_unit = has_unit ? unit : Units - 1;
  const std::size_t first = std::size_t{blockIdx.x} * Rows;
  const unsigned longest = longest_of<Rows>(a.lengths, first, a.samples, a.steps);

  for (unsigned i = threadIdx.x; i < Form::ring_at - Form::gradient_at; i += Form::threads) (gradient + i).store(0.0F);
  auto copies = copies_of_kept<Cell, Units, Rows, Form::threads, holds>(
      a, first, longest, Form::gate_stride, [](unsigned row) { return row * Form::ring_row; });
  const auto copy = [&](unsigned done) {
    if (done < longest) copies.start(ring + done % depth * Form::slot, done + 1 == longest);
    end_copies();
  };
#pragma unroll
  for (unsigned done = 0; done < depth - 1; ++done) copy(done);

  // Rows of W_hh are those of gates: this thread's, the columns of four units.
  const unsigned member = threadIdx.x % 16, units_from = threadIdx.x / 16 * 4, place = member / 4;
  float4 weights[resident > 0 ? resident : 1][4];
  const Shared more_weights = memory + 4 * threadIdx.x;
#pragma unroll
  for (unsigned chunk = 0; chunk < chunks; ++chunk)
#pragma unroll
    for (unsigned k = 0; k < 4; ++k) {
      const std::size_t row = Form::column(member, chunk) + k;
      const float4 w = in_order_of(place, row < Form::inner ? four_of(a.weight_hh + row * Units, units_from, Units)
                                                            : float4{0.0F, 0.0F, 0.0F, 0.0F});
      if (chunk < resident)
        weights[chunk < resident ? chunk : 0][k] = w;
      else
        (more_weights + ((chunk - resident) * 4 + k) * Form::threads * 4).store_four(w);
    }

  typename Step::Back back[Q::own];
  unsigned length[Q::own];
  float* gates_at[Q::own];  // of the thread's unit in the gates of the first step
  unsigned writes[Q::own];  // so many steps
#pragma unroll
  for (unsigned i = 0; i < Q::own; ++i) {
    const std::size_t n = first + Q::row(lane, i);
    const bool counts = has_unit && n < a.samples;
    writes[i] = held_if<holds>(counts ? longest : 0U);
    length[i] = held_if<holds>(counts ? valid_steps(a.lengths, n, a.steps) : 0U);
    gates_at[i] = held_if<holds>(a.gates + n * a.steps * 4 * Units + (share * Q::sums * Units + unit));
    if constexpr (Cell::keeps_cells)
      if (length[i] > 0) back[i].c = a.states[(n * a.steps + length[i] - 1) * Units + unit];
  }
  unsigned row_at[Rows];  // of the sample of each slot
#pragma unroll
  for (unsigned slot = 0; slot < Rows; ++slot)
    row_at[slot] =
        held_if<holds>(Order::row(lane, slot) * static_cast<unsigned>(Form::gradient_row) + Form::column(member, 0));
  float bias_sums[Q::sums] = {};
  wait_for_copies<depth - 2>();
  __syncthreads();

#pragma unroll 1
  for (unsigned done = 0; done < longest; ++done) {
    const unsigned t = longest - 1 - done;
    copy(done + depth - 1);
    const Shared from = gradient + done % 2 * Rows * Form::gradient_row;
    float4 sums[Rows] = {};
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      float4 w[4];
#pragma unroll
      for (unsigned k = 0; k < 4; ++k)
        w[k] = chunk < resident ? weights[chunk < resident ? chunk : 0][k]
                                : (more_weights + ((chunk - resident) * 4 + k) * Form::threads * 4).load_four();
#pragma unroll
      for (unsigned slot = 0; slot < Rows; ++slot) {
        const float4 d = (from + row_at[slot] + 64 * chunk).load_four();
        const float of[4] = {d.x, d.y, d.z, d.w};
#pragma unroll
        for (unsigned k = 0; k < 4; ++k) {
          sums[slot].x = fmaf(of[k], w[k].x, sums[slot].x);
          sums[slot].y = fmaf(of[k], w[k].y, sums[slot].y);
          sums[slot].z = fmaf(of[k], w[k].z, sums[slot].z);
          sums[slot].w = fmaf(of[k], w[k].w, sums[slot].w);
        }
      }
    }
    float d_h[Rows];
#pragma unroll
    for (unsigned slot = 0; slot < Rows; ++slot) d_h[slot] = share_out_units(sums[slot]);
    share_out<Rows>(d_h);

    const Shared to = gradient + ((done + 1) % 2 * Rows * Form::gradient_row + unit);
    const Shared slot = ring + (done % depth * Form::slot + some_unit);
#pragma unroll
    for (unsigned i = 0; i < Q::own; ++i) {
      const unsigned row = Q::row(lane, i);
      const Shared kept_at = slot + row * Form::ring_row;
      float kept[4], d_sums[4];
#pragma unroll
      for (unsigned k = 0; k < 4; ++k) kept[k] = (kept_at + k * Form::gate_stride).load();
      float before = (kept_at + Form::before * Form::gate_stride).load();
      if (Cell::keeps_cells && t == 0) before = 0.0F;
      const float dy = (kept_at + Form::output * Form::gate_stride).load();
      typename Step::Back after = back[i];
      Step::back(after, kept, before, d_h[4 * i < Rows ? 4 * i : 0] + dy, d_sums);
      const bool valid = t < length[i];
      if (valid) back[i] = after;
      float* const gate = gates_at[i] + std::size_t{t} * 4 * Units;
#pragma unroll
      for (unsigned k = 0; k < Q::sums; ++k) {
        const unsigned sum = share * Q::sums + k;
        const float d = valid ? pick(d_sums, sum) : 0.0F;
        bias_sums[k] += d;
        if (t < writes[i]) write(gate + k * Units, d);
        if (has_unit && Step::has_state(sum))
          (to + (row * Form::gradient_row + Step::state_gate(sum) * Units)).store(d);
      }
    }
    wait_for_copies<depth - 2>();
    __syncthreads();
  }

  if (a.bias_sums != nullptr) {
    // Over the block's samples; then the thread with this lane has the sum of this number.
#pragma unroll
    for (unsigned k = 0; k < Q::sums; ++k) {
      if (Rows > 1) bias_sums[k] += from_lane_xor(bias_sums[k], 1);
      if (Rows > 2) bias_sums[k] += from_lane_xor(bias_sums[k], 2);
    }
    if (has_unit) a.bias_sums[(std::size_t{blockIdx.x} * 4 + lane) * Units + unit] = pick(bias_sums, lane % Q::sums);
  }
  clear_behind(a.gates, first, Rows, a.samples, a.steps, longest, 4 * Units);
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
