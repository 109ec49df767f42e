// How the threads of a block share a step of a recurrent layer: sizes and places, for the host and for the device.
//
// A block takes a few samples through all their steps, and the recurrent weights stay in its registers; what does not
// fit lies in shared memory. There are two forms. For up to eight samples, multiplications in float32: a unit has four
// neighbouring threads, each of which multiplies every fourth vector of the state with the weights of all gates; then
// the four share out their sums, so that each has those of its own samples, and no thread waits for another's gates.
// For eight samples where tensor cores can do it, products of numbers in two parts: see TensorForm.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>

#include "../../core/arena.hpp"
#include "launch.hpp"

namespace aila::inline v0::cuda::recurrent {

/// Bytes of shared memory that a block may have on all of them.
inline constexpr std::size_t most_shared = 160 * 1024;

/// The smallest number from n on that is `bank` modulo the 32 banks of shared memory.
constexpr std::size_t at_bank(std::size_t n, std::size_t bank) {
  return n + (bank + 32 - n % 32) % 32;
}

constexpr std::size_t most_registers(std::size_t threads) {
  return std::min<std::size_t>(255, 65536 / threads / 8 * 8);
}

/// How many samples' weights of a layer of so many units are worth their registers; 0: they do not fit a block.
constexpr std::size_t most_rows(std::size_t units) {
  return units <= 64 ? 8 : units <= 96 ? 4 : units <= 128 ? 2 : 0;
}

/// Samples of a block: few, as long as the device has room for all blocks.
constexpr std::size_t rows_for(std::size_t samples, std::size_t units) {
  std::size_t rows = 1;
  while (rows < most_rows(units) && divide_up(samples, rows) > multiprocessors) rows *= 2;
  return rows;
}
/// No fewer than the blocks of so many samples, or of fewer.
constexpr std::size_t most_blocks(std::size_t samples, std::size_t units) {
  return std::max(std::min(samples, multiprocessors), divide_up(samples, most_rows(units)));
}

/// What the four threads of a unit have of `Rows` samples, once sums are shared out. With fewer than four samples
/// several threads have the same one, and of its four sums a part each.
template <std::size_t Rows>
struct Quad {
  static constexpr unsigned own = Rows >= 4 ? Rows / 4 : 1;     ///< samples of a thread
  static constexpr unsigned shares = Rows >= 4 ? 1 : 4 / Rows;  ///< threads of a sample
  static constexpr unsigned sums = 4 / shares;                  ///< sums of a thread
  static constexpr unsigned row(unsigned lane, unsigned i) { return Rows >= 4 ? lane + 4 * i : lane % Rows; }
  static constexpr unsigned share(unsigned lane) { return Rows >= 4 ? 0 : lane / Rows; }
  static constexpr unsigned lane(unsigned share, unsigned row) { return share * Rows + row; }  // of fewer than four
};

/// Which sample and which sum number `slot` of a thread's is, before sums are shared out: ordered so that all threads
/// give away the same slots and keep the same, and need not choose. Sums only where there are four, and to share.
template <std::size_t Rows, bool orders_sums>
struct SlotOrder {
  static constexpr unsigned row(unsigned lane, unsigned slot) {
    return Rows >= 4 ? slot ^ lane : Rows == 2 ? slot ^ (lane & 1U) : 0;
  }
  static constexpr unsigned sum(unsigned lane, unsigned slot) {
    return Rows >= 4 || !orders_sums ? slot : Rows == 2 ? slot ^ (lane & 2U) : slot ^ lane;
  }
};

/// Threads of a block: four a unit, in whole warps.
template <std::size_t Units>
inline constexpr std::size_t threads_of = round_up(4 * round_up(Units, 4), 32);

/// Steps that are on their way from global memory or are used: more, where a step is short and takes little room.
constexpr std::size_t ring_depth(std::size_t slot, bool shares_weights) {
  return shares_weights ? 2 : slot * 8 <= 6 * 1024 ? 8 : 4;
}

/// Forward for Rows samples. With InputChunks, so many times 16 inputs are multiplied in the step itself; with none,
/// their part of the sums comes from global memory. Sizes in floats.
///
/// Rows in shared memory begin eight banks apart: of four rows, eight neighbouring units each are in all banks, and so
/// are the vectors of four threads of a unit, each in another row.
template <class Cell, std::size_t Units, std::size_t Rows, std::size_t InputChunks>
struct ForwardForm {
  static constexpr std::size_t threads = threads_of<Units>, gates = Cell::gates;
  static constexpr std::size_t state_chunks = divide_up(Units, 16);
  static constexpr std::size_t room =
      (most_registers(threads) - 56 - Rows * 4 * (InputChunks > 0 ? 2 : 1)) / (4 * gates);  ///< chunks, in registers
  static constexpr bool all_in_registers = state_chunks + InputChunks <= room;
  static constexpr std::size_t resident = std::min(state_chunks, room);
  static constexpr std::size_t sums = InputChunks > 0 || Rows < 4 ? 4 : gates;  ///< of a sample

  static constexpr std::size_t weights_size = (state_chunks - resident) * gates * threads * 4;
  static constexpr std::size_t state_at = weights_size, state_row = at_bank(16 * state_chunks, 8);
  static constexpr std::size_t ring_at = state_at + 2 * Rows * state_row;
  static constexpr std::size_t gate_stride = at_bank(Units, 8);
  static constexpr std::size_t ring_row = InputChunks > 0 ? 16 * InputChunks : at_bank(gates* gate_stride, 8);
  static constexpr std::size_t slot = Rows * ring_row, depth = ring_depth(slot, weights_size > 0);
  static constexpr std::size_t bytes = 4 * (ring_at + depth * slot);

  /// The first of the four columns that a thread multiplies in a chunk; and of a vector of a row in shared memory.
  static constexpr unsigned column(unsigned lane, unsigned chunk) { return 16 * chunk + 4 * lane; }
};

/// Forward for one sample a block, of cells with four gates: two threads a unit, see recurrent_pair.hpp.
template <std::size_t Units>
struct PairForm {
  static constexpr bool possible = Units % 16 == 0 && Units <= 80;  ///< 2 Units numbers of weights in registers
  static constexpr std::size_t threads = 2 * Units, chunks = Units / 8;
  static constexpr std::size_t state_row = round_up(Units, 32), ring_at = 2 * state_row;
  static constexpr std::size_t gate_stride = at_bank(Units, 16), slot = 4 * gate_stride, depth = 8;
  static constexpr std::size_t bytes = 4 * (ring_at + depth * slot);
};

/// Backward for Rows samples: groups of 16 threads have four units, each thread multiplies every 16th vector of the
/// gates' gradients, and again the sums are shared out so that a unit's gradient lands in its four threads.
template <class Cell, std::size_t Units, std::size_t Rows>
struct BackwardForm {
  static constexpr std::size_t threads = threads_of<Units>, inner = Cell::gates * Units;
  static constexpr std::size_t chunks = divide_up(inner, 64);
  static constexpr std::size_t room = (most_registers(threads) - 56 - 4 * Rows) / 16;
  static constexpr std::size_t resident = std::min(chunks, room);

  static constexpr std::size_t weights_size = (chunks - resident) * 16 * threads;
  static constexpr std::size_t gradient_at = weights_size, gradient_row = at_bank(64 * chunks, 8);
  static constexpr std::size_t ring_at = gradient_at + 2 * Rows * gradient_row;
  /// A sample's step: what forward kept of four gates, the state before, and the gradient of the output.
  static constexpr std::size_t segments = 6, before = 4, output = 5;
  static constexpr std::size_t gate_stride = at_bank(Units, 8), ring_row = at_bank(segments * gate_stride, 8);
  static constexpr std::size_t slot = Rows * ring_row, depth = ring_depth(slot, weights_size > 0);
  static constexpr std::size_t bytes = 4 * (ring_at + depth * slot);

  static constexpr unsigned column(unsigned lane, unsigned chunk) { return 64 * chunk + 4 * lane; }
};

/// Eight samples on tensor cores: mma m16n8k8, sums over k of a [16, 8] b [8, 8], with numbers as the sum of two of
/// TF32: a_high b_high + a_low b_high + a_high b_low. A thread is known by group = lane / 4 and member = lane % 4.
/// Registers 0 and 1 of a and of the sums are rows `group` and `group + 8` (of the sums 0, 1 and 2, 3), and so a
/// thread gets all gates of a unit where these rows are gates of one.
///
/// The order of k is free as long as a and b have the same: a thread's numbers of two neighbouring k-tiles are four
/// neighbouring columns, which it reads as one vector.
struct Fragments {
  /// The column that register `half` (0, 1) of b, and half of a (registers 2 half, 2 half + 1), stands for in a k-tile.
  static constexpr unsigned column(unsigned tile, unsigned member, unsigned half) {
    return 16 * (tile / 2) + 4 * member + 2 * (tile % 2) + half;
  }
  /// The sample of a thread's number j, j + 2 of the sums.
  static constexpr unsigned row(unsigned member, unsigned j) { return 2 * member + j; }
};

/// Eight rows of `width` in shared memory, so that neither vectors of neighbouring rows, nor neighbours in every other
/// row, meet at a bank.
struct EightRows {
  std::size_t width;
  constexpr std::size_t odd() const { return at_bank(width, 16); }
  constexpr std::size_t pair() const { return at_bank(odd() + width, 8); }
  constexpr std::size_t size() const { return 4 * pair(); }
  constexpr std::size_t at(std::size_t row) const { return row / 2 * pair() + row % 2 * odd(); }
};

/// The form for tensor cores of layers with four gates. Forward, a warp has eight units: two tiles of rows, [i, f] and
/// [g, o]. Backward, two warps have 16 units, each half of the gates, and then each half of the units. Either way a
/// thread has unit 8 warp + group, and the samples Fragments::row(member, 0) and (member, 1).
template <std::size_t Units>
struct TensorForm {
  static constexpr bool possible = Units % 16 == 0 && Units <= 64;
  static constexpr std::size_t rows = 8, threads = 4 * Units, warps = Units / 8, depth = 4;
  static constexpr EightRows state{Units}, sums{4 * Units};
  static constexpr std::size_t forward_tiles = Units / 8;
  static constexpr std::size_t forward_ring = 4 * state.size();  ///< two buffers of two parts
  static constexpr std::size_t forward_bytes = 4 * (forward_ring + depth * sums.size());

  static constexpr EightRows gradient{4 * Units}, kept{6 * Units};
  static constexpr std::size_t backward_tiles = Units / 4, before = 4, output = 5;
  static constexpr std::size_t exchange = 4 * gradient.size(), backward_ring = exchange + 2 * threads;
  static constexpr std::size_t backward_bytes = 4 * (backward_ring + depth * kept.size());
};

/// Layers whose weights do not fit a block: they come from the second-level cache in every step, for as many samples
/// as shared memory has room for.
template <class Cell, std::size_t Units>
struct WideForm {
  static constexpr std::size_t threads = 512;
  static constexpr std::size_t state_row = at_bank(round_up(Units, 16), 8);
  static constexpr std::size_t sums_row = Cell::gates * Units, gradient_row = at_bank(round_up(sums_row, 64), 8);
  static constexpr std::size_t forward_row = state_row + sums_row + Units;
  static constexpr std::size_t backward_row = gradient_row + 2 * Units;
  static constexpr std::size_t row_bytes = 4 * std::max(forward_row, backward_row);
  static constexpr std::size_t rows = 8 * row_bytes <= most_shared   ? 8
                                      : 4 * row_bytes <= most_shared ? 4
                                      : 2 * row_bytes <= most_shared ? 2
                                                                     : 1;
  static constexpr std::size_t forward_bytes = 4 * rows * forward_row, backward_bytes = 4 * rows * backward_row;
};

}  // namespace aila::inline v0::cuda::recurrent

#include "../../core/macros_back.hpp"
