// Convolutions on a GPU: products whose operands are read from maps where they lie.
//
// y: rows are positions of the output, k goes through taps and features, and a tile of A is gathered from x; taps
// outside the map are zeros. dx: the same over dy, by the phases of the stride: the positions of one phase have the
// same taps, and each is written once. dW: rows are taps and features, k goes through the positions of all samples, and
// blocks share it. Bound by tensor cores. Where the features of a group are a multiple of 32, k goes through 32
// features of all taps before the next: neighbouring taps read the same lines, which are in the first-level cache then.
//
// The weights are put in the order [group, tap, feature in, filter] before, which y reads along filters and dx along
// them, too; where many features meet, four warps multiply together, see conv_wide.hpp. Convolutions of one tap are
// products as they are, windows that lie side by side have a product for dx, and those of single features kernels of
// their own (depthwise.hpp), as have those of few terms in all (conv_few.hpp).
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>

#include "../../layer/conv.hpp"
#include "../kernel.hpp"
#include "conv_few.hpp"
#include "conv_operands.hpp"
#include "conv_wide_gradient.hpp"
#include "cuda.hpp"
#include "depthwise.hpp"
#include "product.hpp"

namespace aila::inline v0 {
namespace cuda::detail {

/// Floats of scratch for dW and db.
constexpr std::size_t conv_gradient_scratch(const ConvPlan& c, std::size_t samples) {
  return partial_scratch(c.group_inputs() * c.taps(), c.group_outputs(), samples * c.out_positions(), c.groups);
}

/// Which kernels a convolution may have, beside tiles of tensor cores.
struct ConvForms {
  bool wide = false, few = false;
};

#ifdef __CUDACC__

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
                    const ConvPlaces& places) {
  const std::size_t copies = c.groups * windows.phase_count;
  const ConvPlaces to = places.of(windows);
  ProductCut cut = cut_product(windows.most_rows(), to.columns, 0, copies);
  cut.k_tiles_each = 1U << 30;  // all
  start_tiles(pass, cut, copies, GatheredOperand{windows}, weights, to);
}

/// Weights as kernels read them: in the order of taps, and images of those of which four warps multiply together;
/// where kernels read the one or the other is null.
struct ConvWeights {
  const float* ordered = nullptr;
  const float* images = nullptr;
};

/// y = W x + bias; zeros at padded steps.
template <ConvForms forms>
void conv_forward(const Pass& pass, const ConvPlan& c, bool is_sequence, const ConvWeights& weights, const float* bias,
                  const float* x, float* y) {
  OrderedWeights w;
  w.rows = plain_operand<false>(weights.ordered, c.group_outputs(), c.group_outputs(), c.group_inputs() * c.taps());
  w.rows.copy = static_cast<std::ptrdiff_t>(c.group_outputs() * c.group_inputs() * c.taps());
  w.order = TapOrder(c.group_inputs(), c.y.kernel, c.x.kernel);
  for_each_part(c, pass.samples, is_sequence ? pass.lengths : nullptr,
                [&](std::size_t first, std::size_t samples, const std::int32_t* lengths) {
                  ConvPlaces to;
                  to.at = y + first * c.out_positions() * c.outputs;
                  to.bias = bias;
                  const ConvWindows windows =
                      forward_windows(c, is_sequence, samples, lengths, x + first * c.in_positions() * c.inputs);
                  if constexpr (forms.wide)
                    if (weights.images != nullptr)
                      return start_wide(pass, c, windows, weight_images(c, weights.images, false), to);
                  if constexpr (forms.few)
                    if (is_aligned(to.at)) return start_few_terms(pass, windows, weights.ordered, to);
                  start_gathered(pass, c, windows, w, to);
                });
}

/// dx = or += the transposed convolution of dy.
template <ConvForms forms>
void conv_input_gradient(const Pass& pass, const ConvPlan& c, bool is_sequence, const ConvWeights& weights,
                         const float* dy, float* dx) {
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
      multiply(pass, c.outputs, {dy + first * c.out_positions() * c.outputs, c.outputs, 1},
               {weights.ordered, 1, c.outputs}, to, nullptr);
    });
    return;
  }
  TurnedWeights w;
  w.at = weights.ordered;
  w.features = static_cast<unsigned>(c.group_inputs());
  w.filters = static_cast<unsigned>(c.group_outputs());
  w.taps = static_cast<unsigned>(c.taps());
  w.tap_columns = static_cast<unsigned>(c.x.kernel);
  w.wide = is_aligned(weights.ordered) && c.group_outputs() % 4 == 0;
  for_each_part(c, pass.samples, is_sequence ? pass.lengths : nullptr,
                [&](std::size_t first, std::size_t samples, const std::int32_t* lengths) {
                  ConvPlaces to;
                  to.at = dx + first * c.in_positions() * c.inputs;
                  to.adds = !pass.sets_input_gradient;
                  for_backward_windows(c, is_sequence, samples, lengths, dy + first * c.out_positions() * c.outputs,
                                       [&](const ConvWindows& windows) {
                                         if constexpr (forms.wide)
                                           if (weights.images != nullptr)
                                             return start_wide(pass, c, windows, weight_images(c, weights.images, true),
                                                               to);
                                         w.phase_count = windows.phase_count;
                                         std::copy_n(windows.phases, windows.phase_count, w.phases);
                                         start_gathered(pass, c, windows, w, to);
                                       });
                });
}

/// dW += dy x, and db += the sum of dy, where it is not null.
template <ConvForms forms>
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
                  if constexpr (forms.few)
                    if (b.wide)
                      return multiply_in_parts(pass, cut_few_terms_gradient(a.rows, filters, a.k), a.k, 1, to, scratch,
                                               [&](const ProductCut& cut, const Places& places) {
                                                 start_few_terms_gradient(pass, cut, a, b, places);
                                               });
                  if constexpr (forms.wide)
                    if (multiplies_wide() && a.map.wide && b.wide)
                      return multiply_in_parts(pass, cut_wide_gradient(a.rows, filters, a.k, c.groups), a.k, c.groups,
                                               to, scratch, [&](const ProductCut& cut, const Places& places) {
                                                 start_wide_gradient(pass, cut, c.groups, a, b, places);
                                               });
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
  static constexpr bool few = cuda::detail::has_few_terms(plan);
  static constexpr bool orders_weights = !depthwise && !is_product;
  static constexpr const char* name = depthwise    ? "cuda depthwise convolution"
                                      : is_product ? "cuda convolution of one tap, three products of TF32"
                                      : few        ? "cuda convolution of few terms"
                                                   : "cuda convolution, three products of TF32";

  static constexpr bool wide_forward = cuda::detail::is_wide_forward(plan);
  static constexpr bool wide_backward = cuda::detail::is_wide_backward(plan);
  static constexpr cuda::detail::ConvForms forms_of_forward{wide_forward, few}, forms_of_backward{wide_backward, false},
      forms_of_gradient{cuda::detail::is_wide_gradient(plan), few};
  /// Floats of the images of weights, those of forward first: four times the weights where both halves of a training
  /// have some. They are taken on every device, for a plan of memory is made before one is known.
  static constexpr std::size_t images(Capability c) {
    const bool both = wide_backward && keeps_for_backward(c);
    return (std::size_t{wide_forward} + std::size_t{both}) * cuda::detail::image_floats(plan);
  }

  /// Weights as kernels read them: backward finds those of forward.
  template <Capability C>
  struct Saved {
    float* weights = nullptr;
    float* images = nullptr;
    constexpr void bind(Arena<float>& arena, std::size_t) {
      if constexpr (orders_weights && keeps_for_backward(C)) weights = arena.take(plan.weights());
      if constexpr (keeps_for_backward(C) && CudaConv::images(C) > 0) images = arena.take(CudaConv::images(C));
    }
  };

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    const std::size_t rows = samples * plan.out_positions();
    std::size_t most = orders_weights && !keeps_for_backward(c) ? std::max(plan.weights(), images(c)) : 0;
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
    float* const ordered = keeps_for_backward(C) ? saved.weights : scratch;
    float* const images = keeps_for_backward(C) ? saved.images : scratch;
    bool wide = false, is_wide_after = false;
    if constexpr (wide_forward || wide_backward)
      if (cuda::detail::multiplies_wide()) {
        wide = wide_forward && cuda::detail::is_aligned(x) && cuda::detail::is_aligned(y);
        is_wide_after = wide_backward && keeps_for_backward(C);
        cuda::detail::make_weight_images(pass, plan, w[0], images, wide_forward, is_wide_after);
      }
    if (!wide || (keeps_for_backward(C) && !is_wide_after)) cuda::detail::order_weights(pass, plan, w[0], ordered);
    cuda::detail::conv_forward<forms_of_forward>(pass, plan, is_sequence, {ordered, wide ? images : nullptr}, bias, x,
                                                 y);
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
        cuda::detail::conv_weight_gradient<forms_of_gradient>(on, plan, is_sequence, x, dy, dw, db, scratch);
      });
    if (dx == nullptr) return;
    const float* images = nullptr;
    if constexpr (wide_backward)
      if (cuda::detail::multiplies_wide()) {
        if (cuda::detail::is_aligned(dy) && cuda::detail::is_aligned(dx))
          images = saved.images + (wide_forward ? cuda::detail::image_floats(plan) : 0);
        else
          cuda::detail::order_weights(pass, plan, w[0], saved.weights);  // forward had no use for them
      }
    cuda::detail::conv_input_gradient<forms_of_backward>(pass, plan, is_sequence, {saved.weights, images}, dy, dx);
  }
}
#endif

template <class L, class In>
  requires(L::is_convolution)
CudaConv<L, In> select_kernel(rank::Layer, Placed<L, In>, backend::Cuda);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
