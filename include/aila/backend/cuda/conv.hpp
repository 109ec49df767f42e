// Convolutions on a GPU: products whose operands are read from maps where they lie.
//
// y: rows are positions of the output, k goes through taps and features, and a tile of A is gathered from x; taps
// outside the map are zeros. dx: the same over dy, by the phases of the stride: the positions of one phase have the
// same taps, and each is written once. dW: rows are taps and features, k goes through the positions of all samples, and
// blocks share it. Bound by tensor cores. Where the features of a group are a multiple of 32, k goes through 32
// features of all taps before the next: neighbouring taps read the same lines, which are in the first-level cache then.
//
// The weights are put in the order [group, tap, feature in, filter] before, which y reads along filters and dx along
// them, too. Convolutions of one tap are products as they are, windows that lie side by side have a product for dx, and
// those of single features kernels of their own (depthwise.hpp).
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>

#include "../../layer/conv.hpp"
#include "../kernel.hpp"
#include "conv_windows.hpp"
#include "cuda.hpp"
#include "depthwise.hpp"
#include "product.hpp"

namespace aila::inline v0 {
namespace cuda::detail {

constexpr bool is_depthwise(const ConvPlan& c) {
  return c.groups == c.inputs && c.inputs == c.outputs && c.inputs > 1;
}
/// One position in, one out: a product of all positions.
constexpr bool is_product(const ConvPlan& c) {
  const auto one = [](const WindowAxis& a) { return a.kernel == 1 && a.stride == 1 && a.padding == 0; };
  return c.groups == 1 && one(c.y) && one(c.x);
}
/// Windows that lie side by side and cover the map: each position has one tap of one window.
constexpr bool has_patches(const ConvPlan& c) {
  const auto tiled = [](const WindowAxis& a) {
    return a.kernel == a.stride && a.dilation == 1 && a.padding == 0 && a.in % a.kernel == 0;
  };
  return c.groups == 1 && tiled(c.y) && tiled(c.x);
}
/// Floats of scratch for dW and db.
constexpr std::size_t conv_gradient_scratch(const ConvPlan& c, std::size_t samples) {
  return partial_scratch(c.group_inputs() * c.taps(), c.group_outputs(), samples * c.out_positions(), c.groups);
}

#ifdef __CUDACC__

/// Rows: positions of the map that is made; k: taps and features of the map that is read.
struct GatheredOperand {
  static constexpr bool k_runs = true;
  static constexpr bool prepares = false;
  ConvWindows windows;

  __device__ const ConvPhase& phase_of(unsigned copy) const { return windows.phases[copy % windows.phase_count]; }
  __device__ unsigned rows_of(unsigned copy) const { return phase_of(copy).rows; }
  __device__ unsigned k_of(unsigned copy) const { return phase_of(copy).k; }

  struct Shared {
    ConvWindow windows[tile_side];
    std::int64_t to[tile_side];  ///< where the row goes; no_place for none, -2 - that where it is padding
    static constexpr std::int64_t no_place = -1;
  };

  struct Reader {
    const ConvPhase& phase;
    __device__ Reader(const GatheredOperand& o, Shared& shared, unsigned copy, unsigned first_row)
        : phase(o.phase_of(copy)) {
      if (threadIdx.x >= tile_side) return;
      const ConvWindows& w = o.windows;
      const unsigned row = first_row + threadIdx.x, group = copy / w.phase_count;
      ConvWindow window = no_window(w.map);
      std::int64_t to = Shared::no_place;
      if (row < phase.rows) {
        const unsigned sample = phase.positions.divide(row), position = row - sample * phase.positions.by;
        const auto i = static_cast<int>(phase.columns.divide(position));
        const auto j = static_cast<int>(position) - i * static_cast<int>(phase.columns.by);
        const int to_y = phase.y.to + i * phase.y.to_step, to_x = phase.x.to + j * phase.x.to_step;
        const std::int64_t at = (static_cast<std::int64_t>(sample) * w.to_height + to_y) * w.to_width + to_x;
        to = at * static_cast<std::int64_t>(w.to_channels) + static_cast<std::int64_t>(group) * w.to_features;
        int steps = w.map.width;
        if (w.lengths != nullptr) {
          const int length = w.axis.clamp(w.lengths[sample]), out = w.axis.out(length);
          const bool counts = to_x < (w.is_backward ? length : out);
          steps = !counts ? 0 : w.is_backward ? out : length;
          if (!counts) to = -2 - to;
        }
        window = conv_window(w.map, sample, group, phase.y.first + i * phase.y.step, phase.x.first + j * phase.x.step,
                             steps);
      }
      shared.windows[threadIdx.x] = window;
      shared.to[threadIdx.x] = to;
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

/// [group, filter, feature, tap], as the layer has them, to [group, tap, feature, filter], by tiles of 32 x 32.
template <unsigned threads>
__global__ void __launch_bounds__(threads)
    order_weights_kernel(const float* from, float* to, unsigned filters, unsigned features, Divisor taps,
                         unsigned row_tiles, unsigned column_tiles) {
  __shared__ float tile[32][33];
  const unsigned across = threadIdx.x % 32, down = threadIdx.x / 32, size = features * taps.by;
  const unsigned tiles = row_tiles * column_tiles, group = blockIdx.x / tiles, number = blockIdx.x - group * tiles;
  const unsigned row = number / column_tiles * 32, column = number % column_tiles * 32;
  const std::size_t first = static_cast<std::size_t>(group) * filters * size;
  for (unsigned i = down; i < 32; i += threads / 32)
    if (row + i < filters && column + across < size)
      tile[i][across] = from[first + static_cast<std::size_t>(row + i) * size + column + across];
  __syncthreads();
  for (unsigned i = down; i < 32; i += threads / 32)
    if (column + i < size && row + across < filters) {
      const unsigned feature = taps.divide(column + i), tap = column + i - feature * taps.by;
      to[first + (static_cast<std::size_t>(tap) * features + feature) * filters + row + across] = tile[across][i];
    }
}
template <class = void>
void order_weights(const Pass& pass, const ConvPlan& c, const float* from, float* to) {
  const auto filters = static_cast<unsigned>(c.group_outputs()), features = static_cast<unsigned>(c.group_inputs());
  const std::size_t row_tiles = divide_up(filters, 32), column_tiles = divide_up(features * c.taps(), 32);
  launch(pass, &order_weights_kernel<256>, static_cast<unsigned>(c.groups * row_tiles * column_tiles), 256, 0, from, to,
         filters, features, Divisor(c.taps()), row_tiles, column_tiles);
}

/// Tiles of gathered rows, of as many rows as the largest phase has.
template <class Weights>
void start_gathered(const Pass& pass, const ConvPlan& c, const ConvWindows& windows, const Weights& weights,
                    ConvPlaces to) {
  std::size_t rows = 0;
  for (unsigned i = 0; i < windows.phase_count; ++i) rows = std::max<std::size_t>(rows, windows.phases[i].rows);
  const std::size_t copies = c.groups * windows.phase_count;
  to.columns = windows.to_features;
  to.phase_count = windows.phase_count;
  to.wide = is_aligned(to.at) && windows.to_channels % 4 == 0 && windows.to_features % 4 == 0;
  ProductCut cut = cut_product(rows, to.columns, 0, copies);
  cut.k_tiles_each = 1U << 30;  // all
  start_tiles(pass, cut, copies, GatheredOperand{windows}, weights, to);
}

/// y = W x + bias; zeros at padded steps. `weights` as order_weights leaves them.
template <class = void>
void conv_forward(const Pass& pass, const ConvPlan& c, bool is_sequence, const float* weights, const float* bias,
                  const float* x, float* y) {
  OrderedWeights w;
  w.rows = plain_operand<false>(weights, c.group_outputs(), c.group_outputs(), c.group_inputs() * c.taps());
  w.rows.copy = static_cast<std::ptrdiff_t>(c.group_outputs() * c.group_inputs() * c.taps());
  w.order = TapOrder(c.group_inputs(), c.y.kernel, c.x.kernel);
  for_each_part(
      c, pass.samples, is_sequence ? pass.lengths : nullptr,
      [&](std::size_t first, std::size_t samples, const std::int32_t* lengths) {
        ConvPlaces to;
        to.at = y + first * c.out_positions() * c.outputs;
        to.bias = bias;
        start_gathered(
            pass, c, forward_windows(c, is_sequence, samples, lengths, x + first * c.in_positions() * c.inputs), w, to);
      });
}

/// dx = or += the transposed convolution of dy.
template <class = void>
void conv_input_gradient(const Pass& pass, const ConvPlan& c, bool is_sequence, const float* weights, const float* dy,
                         float* dx) {
  if (has_patches(c) && !(is_sequence && pass.lengths != nullptr)) {
    const std::size_t line = c.x.in * c.inputs, run = c.x.kernel * c.inputs, columns = c.y.kernel * run;
    for_each_part(c, pass.samples, nullptr, [&](std::size_t first, std::size_t samples, const std::int32_t*) {
      Places to = places({dx + first * c.in_positions() * c.inputs, run, nullptr, !pass.sets_input_gradient},
                         samples * c.out_positions(), columns);
      to.takes_rows_apart = to.takes_columns_apart = true;
      to.inner = Divisor(c.x.out());
      to.outer_row = c.y.kernel * line;
      to.run = Divisor(run);
      to.outer_column = line;
      to.wide = to.wide && line % 4 == 0;
      multiply(pass, c.outputs, {dy + first * c.out_positions() * c.outputs, c.outputs, 1}, {weights, 1, c.outputs}, to,
               nullptr);
    });
    return;
  }
  TurnedWeights w;
  w.at = weights;
  w.features = static_cast<unsigned>(c.group_inputs());
  w.filters = static_cast<unsigned>(c.group_outputs());
  w.taps = static_cast<unsigned>(c.taps());
  w.tap_columns = static_cast<unsigned>(c.x.kernel);
  w.wide = is_aligned(weights) && c.group_outputs() % 4 == 0;
  for_each_part(c, pass.samples, is_sequence ? pass.lengths : nullptr,
                [&](std::size_t first, std::size_t samples, const std::int32_t* lengths) {
                  ConvPlaces to;
                  to.at = dx + first * c.in_positions() * c.inputs;
                  to.adds = !pass.sets_input_gradient;
                  for_backward_windows(c, is_sequence, samples, lengths, dy + first * c.out_positions() * c.outputs,
                                       [&](const ConvWindows& windows) {
                                         w.phase_count = windows.phase_count;
                                         std::copy_n(windows.phases, windows.phase_count, w.phases);
                                         start_gathered(pass, c, windows, w, to);
                                       });
                });
}

/// dW += dy x, and db += the sum of dy, where it is not null.
template <class = void>
void conv_weight_gradient(const Pass& pass, const ConvPlan& c, bool is_sequence, const float* x, const float* dy,
                          float* dw, float* db, float* scratch) {
  const std::size_t features = c.group_inputs(), filters = c.group_outputs(), taps = c.taps();
  for_each_part(c, pass.samples, is_sequence ? pass.lengths : nullptr,
                [&](std::size_t first, std::size_t samples, const std::int32_t* lengths) {
                  WindowOperand a;
                  a.map = conv_map(x + first * c.in_positions() * c.inputs, c.y.in, c.x.in, c.inputs, features,
                                   is_sequence);
                  a.order = TapOrder(features, c.y.kernel, c.x.kernel);
                  a.positions = Divisor(c.out_positions());
                  a.columns = Divisor(c.x.out());
                  a.stride_y = static_cast<int>(c.y.stride);
                  a.stride_x = static_cast<int>(c.x.stride);
                  a.padding_y = static_cast<int>(c.y.padding);
                  a.padding_x = static_cast<int>(c.x.padding);
                  a.dilation_y = static_cast<int>(c.y.dilation);
                  a.dilation_x = static_cast<int>(c.x.dilation);
                  a.rows = static_cast<unsigned>(features * taps);
                  a.k = static_cast<unsigned>(samples * c.out_positions());
                  a.lengths = lengths;
                  a.axis = step_axis(c.x);
                  auto b = plain_operand<false>(dy + first * c.out_positions() * c.outputs, c.outputs, filters, a.k);
                  b.copy = static_cast<std::ptrdiff_t>(filters);
                  b.wide = b.wide && (c.groups == 1 || filters % 4 == 0);
                  b.valid = {lengths, Divisor(c.x.out()), a.axis};
                  Places to;
                  to.at = dw;
                  to.rows = a.rows;
                  to.columns = static_cast<unsigned>(filters);
                  to.takes_rows_apart = true;
                  to.inner = Divisor(features);
                  to.outer_row = 1;
                  to.row = taps;
                  to.column = features * taps;
                  to.copy = filters * features * taps;
                  to.adds = true;
                  if (db != nullptr) {
                    to.sums = db;
                    to.sums_of = SumsOf::columns;
                    to.sums_copy = filters;
                    to.adds_sums = true;
                  }
                  multiply_tiles(pass, a.k, c.groups, a, b, to, scratch);
                });
}
#endif

}  // namespace cuda::detail

/// What a layer of windows is to this kernel: `template <class In> static constexpr ConvPlan plan` and `has_bias`.
template <class L, class In>
struct CudaConv : KernelDefaults<float> {
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr bool sets_input_gradient = true;
  static constexpr ConvPlan plan = L::template plan<In>;
  static constexpr bool is_sequence = In::rank == 2;
  static constexpr bool depthwise = cuda::detail::is_depthwise(plan);
  static constexpr bool is_product = cuda::detail::is_product(plan);
  static constexpr bool orders_weights = !depthwise && !is_product;
  static constexpr const char* name = depthwise    ? "cuda depthwise convolution"
                                      : is_product ? "cuda convolution of one tap, three products of TF32"
                                                   : "cuda convolution, three products of TF32";

  /// Weights in the order of the kernels: backward finds those of forward.
  template <Capability C>
  struct Saved {
    float* weights = nullptr;
    constexpr void bind(Arena<float>& arena, std::size_t) {
      if constexpr (orders_weights && keeps_for_backward(C)) weights = arena.take(plan.weights());
    }
  };

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    const std::size_t rows = samples * plan.out_positions();
    std::size_t most = orders_weights && !keeps_for_backward(c) ? plan.weights() : 0;
    if (is_product) {
      most = cuda::product_scratch(rows, plan.outputs, plan.inputs);
      if (keeps_for_backward(c)) most = std::max(most, input_gradient_scratch(rows));
    }
    if (c == Capability::train)
      most = std::max(most, depthwise    ? cuda::detail::depthwise_gradient_scratch(plan, samples)
                            : is_product ? input_gradient_scratch(rows) +
                                               cuda::weight_gradient_scratch(rows, plan.inputs, plan.outputs)
                                         : cuda::detail::conv_gradient_scratch(plan, samples));
    return most;
  }
  /// Of one that is a product.
  static constexpr std::size_t input_gradient_scratch(std::size_t rows) {
    return round_up(cuda::product_scratch(rows, plan.inputs, plan.outputs), alignment_elements);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      Saved<C>& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, Saved<C>& saved, float* scratch);
};

#ifdef __CUDACC__
template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaConv<L, In>::forward(const Pass& pass, Weights<float> w, const float*, const float* x, float* y,
                                            Saved<C>& saved, float* scratch) {
  const float* bias = nullptr;
  if constexpr (L::has_bias) bias = w[1];
  if constexpr (depthwise) {
    cuda::detail::depthwise_forward(pass, plan, is_sequence, w[0], bias, x, y);
  } else if constexpr (is_product) {
    const std::size_t rows = pass.samples * plan.out_positions();
    auto to = cuda::detail::places({y, plan.outputs, bias}, rows, plan.outputs);
    if constexpr (is_sequence) to.valid = cuda::detail::valid_steps(pass.lengths, plan.x.in);
    cuda::detail::multiply(pass, plan.inputs, {x, plan.inputs, 1}, {w[0], 1, plan.inputs}, to, scratch);
  } else {
    float* const weights = keeps_for_backward(C) ? saved.weights : scratch;
    cuda::detail::order_weights(pass, plan, w[0], weights);
    cuda::detail::conv_forward(pass, plan, is_sequence, weights, bias, x, y);
  }
}

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaConv<L, In>::backward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                             const float*, const float* dy, float* dx, Gradients<float> g,
                                             Saved<C>& saved, float* scratch) {
  float* dw = nullptr;
  float* db = nullptr;
  if (g) {
    dw = g[0];
    if constexpr (L::has_bias) db = g[1];
  }
  if constexpr (depthwise) {
    if (dw != nullptr)
      cuda::beside(pass, [&](const Pass& on) {
        cuda::detail::depthwise_weight_gradient(on, plan, is_sequence, x, dy, dw, db, scratch);
      });
    if (dx != nullptr) cuda::detail::depthwise_input_gradient(pass, plan, is_sequence, w[0], dy, dx);
  } else if constexpr (is_product) {
    const std::size_t rows = pass.samples * plan.out_positions();
    cuda::detail::ValidSteps valid;
    if constexpr (is_sequence) valid = cuda::detail::valid_steps(pass.lengths, plan.x.in);
    if (dw != nullptr)
      cuda::beside(pass, [&](const Pass& on) {
        cuda::detail::weight_gradient(on, rows, plan.inputs, plan.outputs, x, dy, dw, db, valid,
                                      scratch + input_gradient_scratch(rows));
      });
    if (dx != nullptr) {
      auto to = cuda::detail::places({dx, plan.inputs, nullptr, !pass.sets_input_gradient}, rows, plan.inputs);
      to.valid = valid;
      cuda::detail::multiply(pass, plan.outputs, {dy, plan.outputs, 1}, {w[0], plan.inputs, 1}, to, scratch);
    }
  } else {
    if (dw != nullptr)
      cuda::beside(pass, [&](const Pass& on) {
        cuda::detail::conv_weight_gradient(on, plan, is_sequence, x, dy, dw, db, scratch);
      });
    if (dx != nullptr) cuda::detail::conv_input_gradient(pass, plan, is_sequence, saved.weights, dy, dx);
  }
}
#endif

template <class L, class In>
  requires(L::is_convolution)
CudaConv<L, In> select_kernel(rank::Layer, Placed<L, In>, backend::Cuda);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
