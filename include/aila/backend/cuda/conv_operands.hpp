// The operands of convolutions as products: tiles are gathered from maps where they lie, weights are read in the order
// of the taps.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>

#include "conv_windows.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::detail {

/// The rows of a tile: the window of each, and where it goes; a thread prepares the row of its number.
template <unsigned count>
struct GatheredRows {
  static constexpr std::int64_t no_place = -1;
  ConvWindow windows[count];
  std::int64_t to[count];  ///< no_place for none, -2 - that where it is padding

  __device__ void prepare(const ConvWindows& w, const ConvPhase& phase, unsigned group, unsigned first_row) {
    const unsigned row = first_row + threadIdx.x;
    ConvWindow window = no_window(w.map);
    std::int64_t place = no_place;
    if (row < phase.rows) {
      const unsigned sample = phase.positions.divide(row), position = row - sample * phase.positions.by;
      const auto i = static_cast<int>(phase.columns.divide(position));
      const auto j = static_cast<int>(position) - i * static_cast<int>(phase.columns.by);
      const int to_y = phase.y.to + i * phase.y.to_step, to_x = phase.x.to + j * phase.x.to_step;
      const std::int64_t at = (static_cast<std::int64_t>(sample) * w.to_height + to_y) * w.to_width + to_x;
      place = at * static_cast<std::int64_t>(w.to_channels) + static_cast<std::int64_t>(group) * w.to_features;
      int steps = w.map.width;
      if (w.lengths != nullptr) {
        const int length = w.axis.clamp(w.lengths[sample]), out = w.axis.out(length);
        const bool counts = to_x < (w.is_backward ? length : out);
        steps = !counts ? 0 : w.is_backward ? out : length;
        if (!counts) place = -2 - place;
      }
      window =
          conv_window(w.map, sample, group, phase.y.first + i * phase.y.step, phase.x.first + j * phase.x.step, steps);
    }
    windows[threadIdx.x] = window;
    to[threadIdx.x] = place;
  }
};

/// Rows: positions of the map that is made; k: taps and features of the map that is read.
struct GatheredOperand {
  static constexpr bool k_runs = true;
  static constexpr bool prepares = false;
  ConvWindows windows;

  __device__ const ConvPhase& phase_of(unsigned copy) const { return windows.phases[copy % windows.phase_count]; }
  __device__ unsigned rows_of(unsigned copy) const { return phase_of(copy).rows; }
  __device__ unsigned k_of(unsigned copy) const { return phase_of(copy).k; }

  using Shared = GatheredRows<tile_side>;

  struct Reader {
    const ConvPhase& phase;
    __device__ Reader(const GatheredOperand& o, Shared& shared, unsigned copy, unsigned first_row)
        : phase(o.phase_of(copy)) {
      if (threadIdx.x < tile_side) shared.prepare(o.windows, phase, copy / o.windows.phase_count, first_row);
    }

    __device__ void load(const GatheredOperand& o, const Shared& shared, float* tile, unsigned k_first) const {
      const ConvMap& map = o.windows.map;
      const unsigned id = anew(threadIdx.x), part = map.wide ? id % 8 * 4 : id % tile_k;
      const TapOrder::Place place = phase.order.at(k_first, part);
      const auto row_of_tap = static_cast<int>(phase.order.columns.divide(place.tap));
      const int tap_y = row_of_tap * phase.y.tap_step;
      const int tap_x = (static_cast<int>(place.tap) - row_of_tap * phase.x.taps) * phase.x.tap_step;
      const std::int64_t delta =
          (static_cast<std::int64_t>(tap_y) * map.width + tap_x) * static_cast<std::int64_t>(map.channels) +
          place.feature;
      const bool in_k = k_first + part < phase.k;
      if (map.wide) {
        constexpr unsigned pass = tile_threads / 8;
        float* const to = tile + tile_offset<true>(id / 8, part);  // the same bit of the row in every pass
#pragma unroll
        for (unsigned i = 0; i < tile_side / pass; ++i) {
          const ConvWindow window = shared.windows[id / 8 + i * pass];
          const bool some = in_k && window.has(map, tap_y, tap_x);
          copy_16_cached(to + i * pass * tile_k, some ? map.at + (window.offset + delta) : map.at, some ? 16 : 0);
        }
      } else {
        constexpr unsigned pass = tile_threads / tile_k;
#pragma unroll 1
        for (unsigned i = 0; i < tile_side / pass; ++i) {
          const unsigned row = id / tile_k + i * pass;
          const ConvWindow window = shared.windows[row];
          const bool some = in_k && window.has(map, tap_y, tap_x);
          copy_4(tile + tile_offset<true>(row, part), some ? map.at + (window.offset + delta) : map.at, some ? 4 : 0);
        }
      }
    }
  };
};

/// Weights [taps, features, filters] of each group, filters as B's columns; k in the order of the taps.
struct OrderedWeights {
  static constexpr bool k_runs = false;
  static constexpr bool prepares = false;
  PlainOperand<false> rows;
  TapOrder order;
  using Shared = NothingShared;
  struct Reader {
    PlainOperand<false>::Reader reader;
    __device__ Reader(const OrderedWeights& o, const NothingShared& shared, unsigned copy, unsigned first_row)
        : reader(o.rows, shared, copy, first_row) {}
    __device__ void load(const OrderedWeights& o, const NothingShared& shared, float* tile, unsigned k) const {
      if (o.order.in_blocks) {
        const TapOrder::Place place = o.order.at(k, 0);
        k = place.tap * o.order.features.by + place.feature;
      }
      reader.load(o.rows, shared, tile, k);
    }
  };
};

/// The same with features as B's columns; k goes through the taps of a phase and filters.
struct TurnedWeights {
  static constexpr bool k_runs = true;
  static constexpr bool prepares = false;
  const float* at = nullptr;
  unsigned features = 0, filters = 0, taps = 0, tap_columns = 1;  ///< of the kernel
  bool wide = false;
  ConvPhase phases[phases_at_once];
  unsigned phase_count = 1;
  using Shared = NothingShared;
  struct Reader {
    const ConvPhase& phase;
    const float* at;
    unsigned first;
    __device__ Reader(const TurnedWeights& o, const NothingShared&, unsigned copy, unsigned first_row)
        : phase(o.phases[copy % o.phase_count]),
          at(o.at + static_cast<std::size_t>(copy / o.phase_count) * o.taps * o.features * o.filters),
          first(first_row) {}
    __device__ void load(const TurnedWeights& o, const NothingShared&, float* tile, unsigned k_first) const {
      const unsigned id = threadIdx.x, part = o.wide ? id % 8 * 4 : id % tile_k;
      const TapOrder::Place place = phase.order.at(k_first, part);
      const auto tap = static_cast<int>(place.tap),
                 row_of_tap = static_cast<int>(phase.order.columns.divide(place.tap));
      const int tap_y = phase.y.kernel_first + row_of_tap * phase.y.kernel_step;
      const int tap_x = phase.x.kernel_first + (tap - row_of_tap * phase.x.taps) * phase.x.kernel_step;
      const auto in_kernel = static_cast<std::size_t>(tap_y) * o.tap_columns + static_cast<std::size_t>(tap_x);
      const bool in_k = k_first + part < phase.k;
      const unsigned pass = o.wide ? tile_threads / 8 : tile_threads / tile_k, row = id / (tile_threads / pass);
      const float* from = at + (in_kernel * o.features + first + row) * o.filters + place.feature;
      const std::size_t step = static_cast<std::size_t>(pass) * o.filters;
      if (o.wide) {
        float* const to = tile + tile_offset<true>(row, part);
#pragma unroll
        for (unsigned i = 0; i < tile_side / (tile_threads / 8); ++i, from += step) {
          const bool some = in_k && first + row + i * (tile_threads / 8) < o.features;
          copy_16(to + i * (tile_threads / 8) * tile_k, some ? from : o.at, some ? 16 : 0);
        }
      } else {
#pragma unroll 1
        for (unsigned i = 0; i < tile_side / (tile_threads / tile_k); ++i, from += step) {
          const unsigned its_row = row + i * (tile_threads / tile_k);
          const bool some = in_k && first + its_row < o.features;
          copy_4(tile + tile_offset<true>(its_row, part), some ? from : o.at, some ? 4 : 0);
        }
      }
    }
  };
};

/// Rows of the map that is made, where the operand A says.
struct ConvPlaces {
  float* at = nullptr;
  unsigned columns = 0, phase_count = 1;  ///< filters of a group
  const float* bias = nullptr;
  bool adds = false;
  bool wide = false;
  /// The same for what these windows make.
  ConvPlaces of(const ConvWindows& windows) const {
    ConvPlaces to = *this;
    to.columns = windows.to_features;
    to.phase_count = windows.phase_count;
    to.wide = is_aligned(at) && windows.to_channels % 4 == 0 && windows.to_features % 4 == 0;
    return to;
  }
  __device__ float bias_at(unsigned copy, unsigned j) const {
    return bias != nullptr ? bias[copy / phase_count * columns + j] : 0;
  }
  __device__ std::size_t column_offset(unsigned j) const { return j; }
  template <class Shared>
  __device__ RowPlace row_place(const Shared& shared, unsigned, unsigned, unsigned row) const {
    const std::int64_t place = shared.to[row];
    if (place == Shared::no_place || (place < 0 && adds)) return {};
    return {at + (place < 0 ? -2 - place : place), place >= 0, 0};
  }
};

/// Rows: taps and features of x; k: positions of all samples.
struct WindowOperand {
  static constexpr bool k_runs = false;
  static constexpr bool prepares = true;
  ConvMap map;
  TapOrder order;  // never in blocks
  Divisor positions, columns;
  int stride_y = 1, stride_x = 1, padding_y = 0, padding_x = 0, dilation_y = 1, dilation_x = 1;
  unsigned rows = 0, k = 0;
  const std::int32_t* lengths = nullptr;
  StepAxis axis;

  __device__ unsigned rows_of(unsigned) const { return rows; }
  __device__ unsigned k_of(unsigned) const { return k; }

  /// The windows of four tiles: one that is read, and those that the next three begin with.
  struct Shared {
    ConvWindow windows[4][tile_k];
  };

  struct Reader {
    static_assert(tile_stages <= 3 && tile_threads >= tile_stages * tile_k);
    unsigned group, first;
    __device__ Reader(const WindowOperand&, const Shared&, unsigned copy, unsigned first_row)
        : group(copy), first(first_row) {}
    __device__ void prepare_one(const WindowOperand& o, Shared& shared, unsigned k) const {
      ConvWindow window = no_window(o.map);
      if (k < o.k) {
        const unsigned sample = o.positions.divide(k), position = k - sample * o.positions.by;
        const auto i = static_cast<int>(o.columns.divide(position));
        const auto j = static_cast<int>(position) - i * static_cast<int>(o.columns.by);
        int steps = o.map.width;
        if (o.lengths != nullptr) {
          steps = o.axis.clamp(o.lengths[sample]);
          if (j >= o.axis.out(steps)) steps = 0;
        }
        window = conv_window(o.map, sample, group, i * o.stride_y - o.padding_y, j * o.stride_x - o.padding_x, steps);
      }
      shared.windows[k / tile_k % 4][k % tile_k] = window;
    }
    __device__ void prepare_first(const WindowOperand& o, Shared& shared, unsigned k) const {
      if (threadIdx.x < tile_stages * tile_k) prepare_one(o, shared, k + threadIdx.x);
    }
    __device__ void prepare(const WindowOperand& o, Shared& shared, unsigned k) const {
      const unsigned id = anew(threadIdx.x);
      if (id < tile_k) prepare_one(o, shared, k + id);
    }
    __device__ void load(const WindowOperand& o, const Shared& shared, float* tile, unsigned k_first) const {
      const ConvMap& map = o.map;
      const ConvWindow* const windows = shared.windows[k_first / tile_k % 4];
      // The tap is worked out for each tile: there are no registers to keep it in.
      const unsigned id = anew(threadIdx.x), row = first + (map.wide ? id % (tile_side / 4) * 4 : id % tile_side);
      const unsigned tap = o.order.features.divide(row), feature = row - tap * o.order.features.by;
      const unsigned row_of_tap = o.order.columns.divide(tap);
      const int tap_y = static_cast<int>(row_of_tap) * o.dilation_y;
      const int tap_x = static_cast<int>(tap - row_of_tap * o.order.columns.by) * o.dilation_x;
      const std::int64_t delta =
          (static_cast<std::int64_t>(tap_y) * map.width + tap_x) * static_cast<std::int64_t>(map.channels) + feature;
      const bool counts = row < o.rows;
      if (map.wide) {
        constexpr unsigned across = tile_side / 4, pass = tile_threads / across;
#pragma unroll
        for (unsigned i = 0; i < tile_k / pass; ++i) {
          const unsigned line = id / across + i * pass;
          const ConvWindow window = windows[line];
          const bool some = counts && window.has(map, tap_y, tap_x);
          copy_16_cached(tile + tile_offset<false>(id % across * 4, line),
                         some ? map.at + (window.offset + delta) : map.at, some ? 16 : 0);
        }
      } else {
        constexpr unsigned pass = tile_threads / tile_side;
#pragma unroll 1
        for (unsigned i = 0; i < tile_k / pass; ++i) {
          const unsigned line = id / tile_side + i * pass;
          const ConvWindow window = windows[line];
          const bool some = counts && window.has(map, tap_y, tap_x);
          copy_4(tile + tile_offset<false>(id % tile_side, line), some ? map.at + (window.offset + delta) : map.at,
                 some ? 4 : 0);
        }
      }
    }
  };
};

}  // namespace aila::inline v0::cuda::detail

#endif

#include "../../core/macros_back.hpp"
