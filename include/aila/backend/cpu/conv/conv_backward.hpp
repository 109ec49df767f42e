// Convolutions on the CPU, backward: dx as a convolution of dy, dW as products over positions.
//
// Bound by fused multiply-adds. dx is summed in registers like y, phase by phase of the stride. For dW the windows of a
// row of outputs are the rows of a matrix; rows of several outputs are summed in registers, then in scratch, in an
// order that suits the products.
// Measured as in conv_forward.hpp: dx 97 %, dW 94 % for 3 x 3, 64 to 64 channels at 16 x 16; dx to three channels
// 17 %, of which a network's first layer needs none.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../layer/activation.hpp"
#include "../product/product_transposed.hpp"
#include "conv_map.hpp"

namespace aila::inline v0::cpu {

/// dx += the transposed convolution of dy.
template <class Scalar, class Arch>
void conv_input_gradient(const ConvPlan& c, const Scalar* packed, const BorderedBlock<Scalar>& gradient,
                         const Scalar* dy, std::size_t samples, std::size_t columns, Scalar* dx) noexcept {
  const ConvPacked<Scalar, Arch> part(c);
  const Scalar* from = gradient.place(dy, samples, c.x.out(columns));
  std::size_t offset = part.back;
  for_each_phase(c, columns, [&](const WindowWalk& y, const WindowWalk& x) {
    auto p = window_product<Scalar>(c, gradient.map(), y, x, c.group_outputs(), c.group_inputs());
    const std::size_t size = packed_size<Scalar, Arch>(p.inner(), p.N);
    if (y.count > 0 && x.count > 0) {
      p.samples = samples;
      p.y_sample = c.in_positions() * c.inputs;
      p.y_row = static_cast<std::size_t>(y.to_step) * c.x.in * c.inputs;
      p.y_column = static_cast<std::size_t>(x.to_step) * c.inputs;
      p.accumulate = true;
      for (std::size_t g = 0; g < c.groups; ++g) {
        p.x = from + window_offset(gradient.map(), y, x) + g * c.group_outputs();
        p.y = dx + (static_cast<std::size_t>(y.to) * c.x.in + static_cast<std::size_t>(x.to)) * c.inputs +
              g * c.group_inputs();
        p.packed = packed + offset + g * part.back_group;
        multiply_windows<Identity, Scalar, Arch>(p);
      }
    }
    offset += size;
  });
}

/// dW of a group of samples. Its sums are kept in scratch over all blocks of outputs; those of large weights are made a
/// few filters at a time, so that they stay in the cache, and added to dW after each block.
template <class Scalar, class Arch>
class ConvWeightGradient {
 public:
  /// Scalars of scratch.
  static constexpr std::size_t size(const ConvPlan& c) {
    return round_up(filters_at_once(c) * row(c) * (keeps(c) ? c.groups : 1), alignment_elements) + alignment_elements;
  }

  ConvWeightGradient(const ConvPlan& c, Scalar* dw, Scalar* sums) noexcept : c_(c), dw_(dw), sums_(sums) {
    if (keeps(c)) std::memset(sums_, 0, c.weights() * sizeof(Scalar));
  }

  /// Adds dy^T x of one block of samples of which `columns` columns count.
  void add(const BorderedBlock<Scalar>& input, const Scalar* x, const Scalar* dy, std::size_t samples,
           std::size_t columns) noexcept {
    const Bordered& map = input.map();
    const WindowWalk rows = forward_walk(c_.y, c_.y.in), along = forward_walk(c_.x, columns);
    if (along.count <= 0) return;
    const Scalar* from = input.place(x, samples, columns) + window_offset(map, rows, along);
    windows_ = window_product<Scalar>(c_, map, rows, along, c_.group_inputs(), c_.group_outputs());
    std::size_t positions = 0;
    for (std::size_t n = 0; n < samples; ++n)
      for (std::size_t row = 0; row < windows_.rows; ++row) {
        const Scalar* window = from + n * windows_.x_sample + row * windows_.x_row;
        const Scalar* gradient = dy + (n * c_.y.out() + row) * c_.x.out() * c_.outputs;
        const Parts parts(windows_.columns, block_positions(c_));
        for (std::size_t i = 0; i < parts.count; ++i) {
          if (count_ == most || positions + parts.size(i) > block_positions(c_)) {
            add_segments();
            positions = 0;
          }
          segments_[count_++] = {gradient + parts.begin(i) * c_.outputs, window + parts.begin(i) * windows_.x_column,
                                 parts.size(i)};
          positions += parts.size(i);
        }
      }
    add_segments();
  }
  /// dW += the sums that were kept.
  void finish() noexcept {
    if (keeps(c_))
      for (std::size_t g = 0; g < c_.groups; ++g)
        add_to_weights(g, 0, c_.group_outputs(), sums_ + g * c_.group_outputs() * row(c_));
  }

 private:
  static constexpr std::size_t most = 128;  // rows of outputs
  static constexpr std::size_t row(const ConvPlan& c) { return c.group_inputs() * c.taps(); }
  static constexpr bool keeps(const ConvPlan& c) { return !has_large_weights(c); }
  static constexpr std::size_t filters_at_once(const ConvPlan& c) {
    const std::size_t fit = (std::size_t{384} << 10) / sizeof(Scalar) / row(c) / 12 * 12;  // whole register tiles
    return keeps(c) ? c.group_outputs() : smaller(fit < 12 ? 12 : fit, c.group_outputs());
  }
  /// Taps of one run, and Scalars of it.
  std::size_t along() const { return is_one_run(c_, static_cast<std::ptrdiff_t>(c_.x.dilation)) ? c_.x.kernel : 1; }
  std::size_t run() const { return along() * c_.group_inputs(); }
  /// Whether sums have the filters innermost: where that leaves fewer lanes empty.
  bool filters_innermost() const {
    constexpr std::size_t W = simd::width<Scalar, Arch>;
    return keeps(c_) && c_.group_outputs() * ceil_div(run(), W) > run() * ceil_div(c_.group_outputs(), W);
  }

  void add_segments() noexcept {
    const std::size_t step = filters_at_once(c_);
    for (std::size_t g = 0; g < c_.groups; ++g)
      for (std::size_t o = 0; o < c_.group_outputs(); o += step) {
        const std::size_t filters = smaller(step, c_.group_outputs() - o);
        Scalar* to = keeps(c_) ? sums_ + g * c_.group_outputs() * row(c_) : sums_;
        if (!keeps(c_)) std::memset(to, 0, filters * row(c_) * sizeof(Scalar));
        multiply(g, o, filters, to);
        if (!keeps(c_)) add_to_weights(g, o, filters, to);
      }
    count_ = 0;
  }
  /// to += dy^T x of `filters` filters of a group: [tap row, (tap,) filters, run], or [..., run, filters].
  void multiply(std::size_t g, std::size_t o, std::size_t filters, Scalar* to) noexcept {
    const bool swapped = filters_innermost();
    for (std::size_t i = 0; i < windows_.tap_rows; ++i)
      for (std::size_t j = 0; j < windows_.tap_columns; ++j, to += filters * windows_.run) {
        for (std::size_t s = 0; s < count_; ++s) {
          const Scalar* window =
              segments_[s].b + i * windows_.tap_row + j * windows_.tap_column + g * c_.group_inputs();
          const Scalar* gradient = segments_[s].a + g * c_.group_outputs() + o;
          moved_[s] = {swapped ? window : gradient, swapped ? gradient : window, segments_[s].rows};
        }
        if (swapped)
          multiply_segments_add<Scalar, Arch>(moved_, count_, windows_.run, filters, windows_.x_column, c_.outputs, to,
                                              filters);
        else
          multiply_segments_add<Scalar, Arch>(moved_, count_, filters, windows_.run, c_.outputs, windows_.x_column, to,
                                              windows_.run);
      }
  }
  /// From the order of the sums to PyTorch's [filters, features, taps].
  void add_to_weights(std::size_t g, std::size_t first, std::size_t filters, const Scalar* sums) noexcept {
    const std::size_t features = c_.group_inputs(), taps = c_.taps();
    const std::size_t k_step = filters_innermost() ? filters : 1, o_step = filters_innermost() ? 1 : run();
    for (std::size_t o = 0; o < filters; ++o) {
      Scalar* to = dw_ + (g * c_.group_outputs() + first + o) * features * taps;
      for (std::size_t block = 0; block < taps; block += along()) {
        const Scalar* from = sums + block * features * filters + o * o_step;
        for (std::size_t j = 0; j < along(); ++j)
          for (std::size_t f = 0; f < features; ++f, from += k_step) to[f * taps + block + j] += *from;
      }
    }
  }

  const ConvPlan& c_;
  Scalar* dw_;
  Scalar* sums_;
  WindowProduct<Scalar> windows_{};
  RowSegment<Scalar> segments_[most], moved_[most];
  std::size_t count_ = 0;
};

/// dx and dW are computed one after the other.
template <class Scalar, class Arch>
constexpr std::size_t conv_backward_scratch(const ConvPlan& c, std::size_t samples) {
  const std::size_t block = smaller(samples, block_samples(c));
  const std::size_t for_weights = ConvWeightGradient<Scalar, Arch>::size(c) + block_size(bordered_input(c), block);
  const std::size_t for_input = block_size(bordered_gradient(c), block);
  return for_weights > for_input ? for_weights : for_input;
}

/// Adds to dx [samples, ...], dw and db; each may be null.
template <class Scalar, class Arch>
[[gnu::noinline]] void conv_backward(const ConvPlan& c, const Pass& pass, const Scalar* packed, const Scalar* x,
                                     const Scalar* dy, Scalar* dx, Scalar* dw, Scalar* db, Scalar* scratch) noexcept {
  const std::size_t block = smaller(pass.samples, block_samples(c));
  const std::size_t x_size = c.in_positions() * c.inputs, y_size = c.out_positions() * c.outputs;
  if (dx != nullptr) {
    const BorderedBlock<Scalar> gradient(bordered_gradient(c), block, scratch);
    for_each_block(c, pass, [&](std::size_t first, std::size_t samples, std::size_t columns) {
      conv_input_gradient<Scalar, Arch>(c, packed, gradient, dy + first * y_size, samples, columns,
                                        dx + first * x_size);
    });
  }
  if (dw == nullptr) return;
  using Sums = ConvWeightGradient<Scalar, Arch>;
  Sums sums(c, dw, scratch);
  const BorderedBlock<Scalar> input(bordered_input(c), block, scratch + Sums::size(c));
  for_each_block(c, pass, [&](std::size_t first, std::size_t samples, std::size_t columns) {
    sums.add(input, x + first * x_size, dy + first * y_size, samples, columns);
    const std::size_t rows = columns < c.x.in ? c.x.out(columns) : samples * c.out_positions();
    if (db != nullptr) add_columns<Scalar, Arch>(rows, c.outputs, dy + first * y_size, c.outputs, db);
  });
  sums.finish();
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
