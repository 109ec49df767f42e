// Recurrent layers whose weights do not fit a block. They come from the second-level cache in every step, which bounds
// a step: a weight serves the samples of a block, and so these are as many as shared memory has room for.
#pragma once

#include "../../core/macros_aside.hpp"

#include "recurrent_step.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

template <class Cell, std::size_t Units, bool keeps, bool streams>
__global__ void __launch_bounds__(WideForm<Cell, Units>::threads, 1) forward_wide(const ForwardArguments a) {
  using Form = WideForm<Cell, Units>;
  using Step = StepOf<Cell>;
  using Q = Quad<Form::rows>;
  using Order = SlotOrder<Form::rows, false>;
  constexpr unsigned rows = Form::rows, gates = Cell::gates, sums_of_row = rows < 4 ? 4 : gates;
  float* const state = block_memory();                 // [rows, state_row]
  float* const sums = state + rows * Form::state_row;  // [rows, gates, Units]
  float* const cells = sums + rows * Form::sums_row;   // [rows, Units]
  const unsigned lane = threadIdx.x % 4, share = Q::share(lane);
  const std::size_t first = std::size_t{blockIdx.x} * rows;
  const unsigned longest =
      streams ? static_cast<unsigned>(a.steps) : longest_of<rows>(a.lengths, first, a.samples, a.steps);
  for (unsigned i = threadIdx.x; i < Form::forward_bytes / 4; i += Form::threads) state[i] = 0.0F;
  if constexpr (streams) {
    __syncthreads();
    for (unsigned unit = threadIdx.x; unit < Units; unit += Form::threads) {
      state[unit] = a.state_from[unit];
      if constexpr (Cell::keeps_cells) cells[unit] = a.state_from[Units + unit];
    }
  }
  __syncthreads();

  for (unsigned t = 0; t < longest; ++t) {
    for (unsigned eight = threadIdx.x / 32; eight * 8 < Units; eight += Form::threads / 32) {
      const unsigned unit = eight * 8 + threadIdx.x % 32 / 4, some_unit = min(unit, static_cast<unsigned>(Units) - 1);
      float sum[rows][sums_of_row] = {};
#pragma unroll 2
      for (unsigned chunk = 0; chunk < divide_up(Units, 16); ++chunk) {
        const unsigned column = 16 * chunk + 4 * lane;
        float4 w[gates];
#pragma unroll
        for (unsigned gate = 0; gate < gates; ++gate)
          w[gate] = four_of(a.weight_hh + (gate * Units + some_unit) * Units, column, Units);
#pragma unroll
        for (unsigned row = 0; row < rows; ++row) {
          const float4 h = *reinterpret_cast<const float4*>(state + Order::row(lane, row) * Form::state_row + column);
#pragma unroll
          for (unsigned gate = 0; gate < gates; ++gate) sum[row][gate] = add_product(w[gate], h, sum[row][gate]);
        }
      }
      share_out<rows, false>(lane, sum);
#pragma unroll
      for (unsigned i = 0; i < Q::own; ++i)
#pragma unroll
        for (unsigned k = 0; k < Q::sums; ++k) {
          const unsigned gate = share * Q::sums + k;
          if (unit < Units && gate < gates)
            sums[Q::row(lane, i) * Form::sums_row + gate * Units + unit] =
                sum[4 * i < rows ? 4 * i : 0][k < sums_of_row ? k : 0];
        }
    }
    __syncthreads();
    bool streams_on = true;
    if constexpr (streams) streams_on = a.lengths == nullptr || a.lengths[t] > 0;
    for (unsigned i = threadIdx.x; i < rows * Units; i += Form::threads) {
      const unsigned row = i / Units, unit = i % Units;
      const std::size_t n = first + row, step = n * a.steps + t, at = step * Units + unit;
      if (n >= a.samples) break;
      typename Step::State before;
      before.h = state[row * Form::state_row + unit];
      if constexpr (Cell::keeps_cells) before.c = cells[i];
      float values[4], kept[4];
#pragma unroll
      for (unsigned sum = 0; sum < 4; ++sum) {
        float x = Step::bias(a, false, sum, unit, Units);
        if (sum < gates) x += sums[row * Form::sums_row + sum * Units + unit];
        if (Step::has_input(sum)) x += a.sums[step * a.sums_row + Step::input_gate(sum) * Units + unit];
        values[sum] = Step::activate(sum, x);
      }
      typename Step::State after = Step::next(before, values, kept);
      const bool valid = streams ? streams_on : t < valid_steps(a.lengths, n, a.steps);
      if constexpr (keeps) {
        if (a.before != nullptr) a.before[at] = before.h;
        if (valid) {
          if constexpr (Cell::keeps_cells) a.cells[at] = after.c;
#pragma unroll
          for (unsigned gate = 0; gate < 4; ++gate) a.gates[(step * 4 + gate) * Units + unit] = kept[gate];
        }
      }
      a.y[at] = valid ? after.h : 0.0F;
      if (!valid) {
        after = before;
        if (!streams) after.h = 0.0F;
      }
      state[row * Form::state_row + unit] = after.h;
      if constexpr (Cell::keeps_cells) cells[i] = after.c;
    }
    __syncthreads();
  }

  if constexpr (streams) {
    for (unsigned unit = threadIdx.x; unit < Units; unit += Form::threads) {
      a.state_to[unit] = state[unit];
      if constexpr (Cell::keeps_cells) a.state_to[Units + unit] = cells[unit];
    }
  } else {
    clear_behind(a.y, first, rows, a.samples, a.steps, longest, Units);
    if (keeps && a.before != nullptr) clear_behind(a.before, first, rows, a.samples, a.steps, longest, Units);
  }
}

template <class Cell, std::size_t Units>
__global__ void __launch_bounds__(WideForm<Cell, Units>::threads, 1) backward_wide(const BackwardArguments a) {
  using Form = WideForm<Cell, Units>;
  using Step = StepOf<Cell>;
  using Q = Quad<Form::rows>;
  using Order = SlotOrder<Form::rows, false>;
  constexpr unsigned rows = Form::rows, inner = Cell::gates * Units;
  float* const gradient = block_memory();                   // [rows, gradient_row]
  float* const d_h = gradient + rows * Form::gradient_row;  // [rows, Units]
  float* const carried = d_h + rows * Units;                // [rows, Units]
  const unsigned lane = threadIdx.x % 4, member = threadIdx.x % 16;
  const unsigned place = member / 4;
  const std::size_t first = std::size_t{blockIdx.x} * rows;
  const unsigned longest = longest_of<rows>(a.lengths, first, a.samples, a.steps);
  for (unsigned i = threadIdx.x; i < Form::backward_bytes / 4; i += Form::threads) gradient[i] = 0.0F;
  __syncthreads();

  for (unsigned t = longest; t-- > 0;) {
    for (unsigned eight = threadIdx.x / 32; eight * 8 < Units; eight += Form::threads / 32) {
      const unsigned units_from = eight * 8 + threadIdx.x % 32 / 16 * 4, unit = eight * 8 + threadIdx.x % 32 / 4;
      float4 sums[rows] = {};
      for (unsigned chunk = 0; chunk < divide_up(inner, 64); ++chunk) {
        const unsigned column = 64 * chunk + 4 * member;
        float4 w[4];
#pragma unroll
        for (unsigned k = 0; k < 4; ++k)
          w[k] = column + k < inner ? four_of(a.weight_hh + std::size_t{column + k} * Units, units_from, Units)
                                    : float4{0.0F, 0.0F, 0.0F, 0.0F};
#pragma unroll
        for (unsigned row = 0; row < rows; ++row) {
          const float4 d =
              *reinterpret_cast<const float4*>(gradient + Order::row(lane, row) * Form::gradient_row + column);
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
      float sum[rows];
#pragma unroll
      for (unsigned row = 0; row < rows; ++row) sum[row] = share_out_units(in_order_of(place, sums[row]));
      share_out<rows>(sum);
#pragma unroll
      for (unsigned i = 0; i < Q::own; ++i)
        if (unit < Units && Q::share(lane) == 0) d_h[Q::row(lane, i) * Units + unit] = sum[4 * i < rows ? 4 * i : 0];
    }
    __syncthreads();
    for (unsigned i = threadIdx.x; i < rows * Units; i += Form::threads) {
      const unsigned row = i / Units, unit = i % Units;
      const std::size_t n = first + row, step = n * a.steps + t, at = step * Units + unit;
      if (n >= a.samples) break;
      float* const gate = a.gates + step * 4 * Units + unit;
      float d_sums[4] = {};
      if (t < valid_steps(a.lengths, n, a.steps)) {
        float kept[4];
#pragma unroll
        for (unsigned k = 0; k < 4; ++k) kept[k] = gate[k * Units];
        typename Step::Back back;
        back.carried = carried[i];
        float before;
        if constexpr (Cell::keeps_cells) {
          back.c = a.states[at];
          before = t == 0 ? 0.0F : a.states[at - Units];
        } else {
          before = a.states[at];
        }
        Step::back(back, kept, before, d_h[i] + a.dy[at], d_sums);
        carried[i] = back.carried;
      }
#pragma unroll
      for (unsigned k = 0; k < 4; ++k) {
        gate[k * Units] = d_sums[k];
        if (Step::has_state(k)) gradient[row * Form::gradient_row + Step::state_gate(k) * Units + unit] = d_sums[k];
      }
    }
    __syncthreads();
  }
  clear_behind(a.gates, first, rows, a.samples, a.steps, longest, 4 * Units);
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
