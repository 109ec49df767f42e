// Recurrent layers with all weights in a block, multiplied in float32: forward and backward through a few samples.
//
// Bound by the chain of steps where there are few samples, and by multiplications (128 a clock) for eight. What a step
// reads of global memory is asked for some steps before.
#pragma once

#include "../../core/macros_aside.hpp"

#include "recurrent_step.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

/// Copies a step's inputs, or their part of the sums, of the block's samples.
template <class Form, std::size_t Gates, std::size_t Units, std::size_t Rows, std::size_t InputChunks>
__device__ void copy_inputs(const ForwardArguments& a, std::size_t first, unsigned t, float* slot) {
  const auto sample = [&](unsigned row) { return min(first + row, a.samples - 1); };
  if constexpr (InputChunks > 0) {
    constexpr unsigned columns = 16 * InputChunks;
    if (a.inputs % 4 == 0) {
      for (unsigned i = threadIdx.x; i < Rows * columns / 4; i += Form::threads) {
        const unsigned row = i / (columns / 4), column = i % (columns / 4) * 4;
        if (column < a.inputs)
          copy_aside<16>(slot + row * columns + column, a.x + (sample(row) * a.steps + t) * a.inputs + column);
      }
    } else {
      for (unsigned i = threadIdx.x; i < Rows * columns; i += Form::threads) {
        const unsigned row = i / columns, column = i % columns;
        if (column < a.inputs)
          copy_aside<4>(slot + row * columns + column, a.x + (sample(row) * a.steps + t) * a.inputs + column);
      }
    }
  } else {
    constexpr unsigned vector = Units % 4 == 0 ? 4 : 1, vectors = Units / vector;
#pragma unroll
    for (unsigned i = threadIdx.x; i < Rows * Gates * vectors; i += Form::threads) {
      const unsigned row = i / (Gates * vectors), gate = i / vectors % Gates, unit = i % vectors * vector;
      copy_aside<4 * vector>(slot + row * Form::ring_row + gate * Form::gate_stride + unit,
                             a.sums + (sample(row) * a.steps + t) * a.sums_row + gate * Units + unit);
    }
  }
}

template <class Cell, std::size_t Units, std::size_t Rows, std::size_t InputChunks, bool keeps, bool streams>
__global__ void __launch_bounds__(threads_of<Units>, 1) forward_rows(const ForwardArguments a) {
  using Form = ForwardForm<Cell, Units, Rows, InputChunks>;
  using Step = StepOf<Cell>;
  using Q = Quad<Rows>;
  static_assert(!streams || Rows == 1);
  constexpr unsigned gates = Cell::gates, depth = Form::depth, ahead = InputChunks > 0 ? 2 : 1;
  float* const memory = block_memory();
  float* const state = memory + Form::state_at;
  float* const ring = memory + Form::ring_at;
  const unsigned unit = threadIdx.x / 4, lane = threadIdx.x % 4, share = Q::share(lane);
  const bool has_unit = unit < Units;
  const unsigned some_unit = has_unit ? unit : Units - 1;
  const std::size_t first = std::size_t{blockIdx.x} * Rows;
  const unsigned longest =
      streams ? static_cast<unsigned>(a.steps) : longest_of<Rows>(a.lengths, first, a.samples, a.steps);

  for (unsigned i = threadIdx.x; i < Form::bytes / 4 - Form::state_at; i += Form::threads) state[i] = 0.0F;
  __syncthreads();
  const auto copy = [&](unsigned t) {
    if (t < longest) copy_inputs<Form, gates, Units, Rows, InputChunks>(a, first, t, ring + t % depth * Form::slot);
    end_copies();
  };
#pragma unroll
  for (unsigned t = 0; t < depth - 1; ++t) copy(t);

  constexpr unsigned chunks = Form::state_chunks, resident = Form::resident;
  float4 weights[gates][resident > 0 ? resident : 1], input_weights[gates][InputChunks > 0 ? InputChunks : 1];
  float4* const more_weights = reinterpret_cast<float4*>(memory) + threadIdx.x;
#pragma unroll
  for (unsigned gate = 0; gate < gates; ++gate) {
    const std::size_t row = gate * Units + some_unit;
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      const float4 w = four_of(a.weight_hh + row * Units, Form::column(lane, chunk), Units);
      if (chunk < resident)
        weights[gate][chunk < resident ? chunk : 0] = w;
      else
        more_weights[((chunk - resident) * gates + gate) * Form::threads] = w;
    }
#pragma unroll
    for (unsigned chunk = 0; chunk < InputChunks; ++chunk)
      input_weights[gate][chunk] = four_of(a.weight_ih + row * a.inputs, Form::column(lane, chunk), a.inputs);
  }
  float bias[Q::sums];
#pragma unroll
  for (unsigned i = 0; i < Q::sums; ++i)
    bias[i] = Step::bias(a, InputChunks > 0, share * Q::sums + i, some_unit, Units);

  typename Step::State carried[Q::own];
  unsigned length[Q::own];
  std::size_t at[Q::own];  // of the thread's unit in y
  bool stores[Q::own];
#pragma unroll
  for (unsigned i = 0; i < Q::own; ++i) {
    const std::size_t n = first + Q::row(lane, i);
    stores[i] = has_unit && n < a.samples;
    length[i] = n < a.samples && !streams ? valid_steps(a.lengths, n, a.steps) : 0;
    at[i] = n * a.steps * Units + unit;
  }
  if constexpr (streams)
    if (has_unit) {
      carried[0].h = a.carried[unit];
      if constexpr (Cell::keeps_cells) carried[0].c = a.carried[Units + unit];
      if (share == 0) state[unit] = carried[0].h;
    }

  /// The inputs' part of a step's sums, computed in the step before: nothing waits for it.
  float next[Rows][Form::sums] = {};
  const auto add_inputs = [&](unsigned t) {
    const float* const slot = ring + t % depth * Form::slot;
#pragma unroll
    for (unsigned chunk = 0; chunk < InputChunks; ++chunk)
#pragma unroll
      for (unsigned row = 0; row < Rows; ++row) {
        const float4 x = *reinterpret_cast<const float4*>(slot + row * Form::ring_row + Form::column(lane, chunk));
#pragma unroll
        for (unsigned gate = 0; gate < gates; ++gate) {
          float& sum = next[row][Step::input_sum(gate)];
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
    if constexpr (streams) streams_on = a.lengths == nullptr || a.lengths[t] > 0;
    float sums[Rows][Form::sums];
#pragma unroll
    for (unsigned row = 0; row < Rows; ++row)
#pragma unroll
      for (unsigned i = 0; i < Form::sums; ++i) {
        sums[row][i] = next[row][i];
        next[row][i] = 0.0F;
      }
    const float4* const from = reinterpret_cast<const float4*>(state + t % 2 * Rows * Form::state_row);
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      float4 h[Rows];
#pragma unroll
      for (unsigned row = 0; row < Rows; ++row) h[row] = from[(row * Form::state_row + Form::column(lane, chunk)) / 4];
#pragma unroll
      for (unsigned gate = 0; gate < gates; ++gate) {
        const float4 w = chunk < resident ? weights[gate][chunk < resident ? chunk : 0]
                                          : more_weights[((chunk - resident) * gates + gate) * Form::threads];
#pragma unroll
        for (unsigned row = 0; row < Rows; ++row) sums[row][gate] = add_product(w, h[row], sums[row][gate]);
      }
    }
    if constexpr (InputChunks > 0) add_inputs(t + 1);
    share_out<Rows, Form::sums>(lane, sums);

    float* const to = state + (t + 1) % 2 * Rows * Form::state_row;
    const float* const slot = ring + t % depth * Form::slot;
#pragma unroll
    for (unsigned i = 0; i < Q::own; ++i) {
      const unsigned row = Q::row(lane, i);
      float own[Q::sums], all[4], kept[4];
#pragma unroll
      for (unsigned k = 0; k < Q::sums; ++k) {
        const unsigned sum = share * Q::sums + k;
        float x = bias[k];
        if (k < Form::sums) x += sums[4 * i][k < Form::sums ? k : 0];
        if constexpr (InputChunks == 0)
          if (Step::has_input(sum))
            x += slot[row * Form::ring_row + Step::input_gate(sum) * Form::gate_stride + some_unit];
        own[k] = Step::activate(sum, x);
      }
      gather<Rows>(lane, own, all);
      const typename Step::State after = Step::next(carried[i], all, kept);
      const bool valid = streams ? streams_on : t < length[i];
      if constexpr (keeps)
        if (stores[i] && share == Q::shares - 1) {
          if (a.before != nullptr) a.before[at[i]] = carried[i].h;
          if constexpr (Cell::keeps_cells)
            if (valid) a.cells[at[i]] = after.c;
        }
      if (valid)
        carried[i] = after;
      else if (!streams)
        carried[i].h = 0.0F;
      if (has_unit && share == 0) to[row * Form::state_row + unit] = carried[i].h;
      if (stores[i] && share == 0) a.y[at[i]] = valid ? carried[i].h : 0.0F;
      if constexpr (keeps)
        if (stores[i] && valid) {
          float* const gate = a.gates + 4 * (at[i] - unit) + unit;
#pragma unroll
          for (unsigned k = 0; k < Q::sums; ++k) {
            const unsigned sum = share * Q::sums + k;
            gate[sum * Units] = pick(kept, sum);
          }
        }
      at[i] += Units;
    }
    wait_for_copies<depth - 1 - ahead>();
    __syncthreads();
  }

  if constexpr (streams) {
    if (has_unit && share == 0) {
      a.carried[unit] = carried[0].h;
      if constexpr (Cell::keeps_cells) a.carried[Units + unit] = carried[0].c;
    }
  } else {
    clear_behind(a.y, first, Rows, a.samples, a.steps, longest, Units);
    if (keeps && a.before != nullptr) clear_behind(a.before, first, Rows, a.samples, a.steps, longest, Units);
  }
}

/// Copies what backward reads of a step: `to(row)` is a sample's place, where a number of a gate, of the state before
/// and of dy stands `stride` numbers behind the one before.
template <class Cell, std::size_t Units, std::size_t Rows, std::size_t Threads, class To>
__device__ void copy_kept(const BackwardArguments& a, std::size_t first, unsigned t, std::size_t stride, To&& to) {
  constexpr unsigned vector = Units % 4 == 0 ? 4 : 1, vectors = Units / vector, of_gates = Rows * 4 * vectors;
  constexpr unsigned all = of_gates + 2 * Rows * vectors;
#pragma unroll
  for (unsigned i = threadIdx.x; i < all; i += Threads) {
    const bool of_gate = i < of_gates;
    const unsigned rest = of_gate ? i : i - of_gates;
    const unsigned segment = of_gate ? rest / vectors % 4 : 4 + rest / vectors % 2;
    const unsigned row = rest / (vectors * (of_gate ? 4 : 2)), unit = rest % vectors * vector;
    const std::size_t at = min(first + row, a.samples - 1) * a.steps + t;
    const float* from;
    if (of_gate) {
      from = a.gates + (at * 4 + segment) * Units + unit;
    } else if (segment == 5) {
      from = a.dy + at * Units + unit;
    } else {
      if (Cell::keeps_cells && t == 0) continue;
      from = a.states + (Cell::keeps_cells ? at - 1 : at) * Units + unit;
    }
    copy_aside<4 * vector>(to(row) + segment * stride + unit, from);
  }
}

template <class Cell, std::size_t Units, std::size_t Rows>
__global__ void __launch_bounds__(threads_of<Units>, 1) backward_rows(const BackwardArguments a) {
  using Form = BackwardForm<Cell, Units, Rows>;
  using Step = StepOf<Cell>;
  using Q = Quad<Rows>;
  constexpr unsigned depth = Form::depth, chunks = Form::chunks, resident = Form::resident;
  float* const memory = block_memory();
  float* const gradient = memory + Form::gradient_at;
  float* const ring = memory + Form::ring_at;
  const unsigned unit = threadIdx.x / 4, lane = threadIdx.x % 4, share = Q::share(lane);
  const bool has_unit = unit < Units;
  const unsigned some_unit = has_unit ? unit : Units - 1;
  const std::size_t first = std::size_t{blockIdx.x} * Rows;
  const unsigned longest = longest_of<Rows>(a.lengths, first, a.samples, a.steps);

  for (unsigned i = threadIdx.x; i < Form::ring_at - Form::gradient_at; i += Form::threads) gradient[i] = 0.0F;
  const auto copy = [&](unsigned done) {
    if (done < longest) {
      float* const slot = ring + done % depth * Form::slot;
      copy_kept<Cell, Units, Rows, Form::threads>(a, first, longest - 1 - done, Form::gate_stride,
                                                  [&](unsigned row) { return slot + row * Form::ring_row; });
    }
    end_copies();
  };
#pragma unroll
  for (unsigned done = 0; done < depth - 1; ++done) copy(done);

  // Rows of W_hh are those of gates: this thread's, the columns of four units.
  const unsigned member = threadIdx.x % 16, units_from = threadIdx.x / 16 * 4;
  float4 weights[resident > 0 ? resident : 1][4];
  float4* const more_weights = reinterpret_cast<float4*>(memory) + threadIdx.x;
#pragma unroll
  for (unsigned chunk = 0; chunk < chunks; ++chunk)
#pragma unroll
    for (unsigned k = 0; k < 4; ++k) {
      const std::size_t row = Form::column(member, chunk) + k;
      const float4 w =
          row < Form::inner ? four_of(a.weight_hh + row * Units, units_from, Units) : float4{0.0F, 0.0F, 0.0F, 0.0F};
      if (chunk < resident)
        weights[chunk < resident ? chunk : 0][k] = w;
      else
        more_weights[((chunk - resident) * 4 + k) * Form::threads] = w;
    }

  typename Step::Back back[Q::own];
  unsigned length[Q::own];
  std::size_t at[Q::own];  // of the thread's unit in the gates of the step
  bool stores[Q::own];
#pragma unroll
  for (unsigned i = 0; i < Q::own; ++i) {
    const std::size_t n = first + Q::row(lane, i);
    stores[i] = has_unit && n < a.samples;
    length[i] = n < a.samples ? valid_steps(a.lengths, n, a.steps) : 0;
    at[i] = (n * a.steps + longest) * 4 * Units + unit;
    if constexpr (Cell::keeps_cells)
      if (length[i] > 0) back[i].c = a.states[(n * a.steps + length[i] - 1) * Units + some_unit];
  }
  float bias_sums[Q::sums] = {};
  wait_for_copies<depth - 2>();
  __syncthreads();

#pragma unroll 1
  for (unsigned done = 0; done < longest; ++done) {
    const unsigned t = longest - 1 - done;
    copy(done + depth - 1);
    const float4* const from = reinterpret_cast<const float4*>(gradient + done % 2 * Rows * Form::gradient_row);
    float4 sums[Rows] = {};
#pragma unroll
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      float4 w[4];
#pragma unroll
      for (unsigned k = 0; k < 4; ++k)
        w[k] = chunk < resident ? weights[chunk < resident ? chunk : 0][k]
                                : more_weights[((chunk - resident) * 4 + k) * Form::threads];
#pragma unroll
      for (unsigned row = 0; row < Rows; ++row) {
        const float4 d = from[(row * Form::gradient_row + Form::column(member, chunk)) / 4];
        const float of[4] = {d.x, d.y, d.z, d.w};
#pragma unroll
        for (unsigned k = 0; k < 4; ++k) {
          sums[row].x = fmaf(of[k], w[k].x, sums[row].x);
          sums[row].y = fmaf(of[k], w[k].y, sums[row].y);
          sums[row].z = fmaf(of[k], w[k].z, sums[row].z);
          sums[row].w = fmaf(of[k], w[k].w, sums[row].w);
        }
      }
    }
    // The 16 threads of a group: a unit to every four of them, and there as forward shares out.
    const bool upper_units = (member & 8U) != 0, second_unit = (member & 4U) != 0;
    float d_h[Rows];
#pragma unroll
    for (unsigned row = 0; row < Rows; ++row) {
      const float even = share_sum(sums[row].x, sums[row].z, upper_units, 8);
      const float odd = share_sum(sums[row].y, sums[row].w, upper_units, 8);
      d_h[row] = share_sum(even, odd, second_unit, 4);
    }
    share_out<Rows>(lane, d_h);

    float* const to = gradient + (done + 1) % 2 * Rows * Form::gradient_row;
    const float* const slot = ring + done % depth * Form::slot;
#pragma unroll
    for (unsigned i = 0; i < Q::own; ++i) {
      const unsigned row = Q::row(lane, i);
      const float* const kept_at = slot + row * Form::ring_row + some_unit;
      float kept[4], d_sums[4] = {};
#pragma unroll
      for (unsigned k = 0; k < 4; ++k) kept[k] = kept_at[k * Form::gate_stride];
      const float before = Cell::keeps_cells && t == 0 ? 0.0F : kept_at[Form::before * Form::gate_stride];
      if (t < length[i])
        Step::back(back[i], kept, before, d_h[4 * i < Rows ? 4 * i : 0] + kept_at[Form::output * Form::gate_stride],
                   d_sums);
      at[i] -= 4 * Units;
#pragma unroll
      for (unsigned k = 0; k < Q::sums; ++k) {
        const unsigned sum = share * Q::sums + k;
        const float d = pick(d_sums, sum);
        bias_sums[k] += d;
        if (stores[i]) a.gates[at[i] + sum * Units] = d;
        if (has_unit && Step::has_state(sum)) to[row * Form::gradient_row + Step::state_gate(sum) * Units + unit] = d;
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
