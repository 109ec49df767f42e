// Convolutions on the CPU, forward: sums over taps in registers.
//
// Bound by fused multiply-adds: no matrix of windows is built. A sample is copied once into scratch with zeros around
// it, unless it needs none; in that copy a row of a window (taps and features) is one run. Sizes are run-time numbers,
// so that all shapes of a program share this code.
// Measured on a core of Zen 4 (AVX-512): 97 % of the peak for 3 x 3, 64 to 64 channels at 16 x 16, 95 % with stride
// 2, 94 % for 1 x 1, 87 % for three channels in, 90 % for four groups.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "conv_map.hpp"

namespace aila::inline v0::cpu {

constexpr std::size_t conv_forward_scratch(const ConvPlan& c, std::size_t samples) {
  return block_size(bordered_input(c), smaller(samples, block_samples(c)));
}

/// y = After(W x + b), W and b as conv_pack left them. Lengths are those of a sequence: null for an image.
template <class After, class Scalar, class Arch>
[[gnu::noinline]] void conv_forward(const ConvPlan& c, const Pass& pass, const Scalar* packed, const Scalar* x,
                                    Scalar* y, Scalar* scratch) noexcept {
  const ConvPacked<Scalar, Arch> part(c);
  const BorderedBlock<Scalar> input(bordered_input(c), smaller(pass.samples, block_samples(c)), scratch);
  const std::size_t x_size = c.in_positions() * c.inputs, y_size = c.out_positions() * c.outputs;
  for_each_block(c, pass, [&](std::size_t first, std::size_t samples, std::size_t columns) {
    const WindowWalk rows = forward_walk(c.y, c.y.in), along = forward_walk(c.x, columns);
    Scalar* to = y + first * y_size;
    if (along.count > 0) {
      const Scalar* from = input.place(x + first * x_size, samples, columns) + window_offset(input.map(), rows, along);
      auto p = window_product<Scalar>(c, input.map(), rows, along, c.group_inputs(), c.group_outputs());
      p.samples = samples;
      p.y_sample = y_size;
      p.y_row = c.x.out() * c.outputs;
      p.y_column = c.outputs;
      for (std::size_t g = 0; g < c.groups; ++g) {
        p.x = from + g * c.group_inputs();
        p.y = to + g * c.group_outputs();
        p.packed = packed + g * part.group;
        p.bias = packed + part.bias + g * part.bias_group(c);
        multiply_windows<After, Scalar, Arch>(p);
      }
    }
    const auto valid = static_cast<std::size_t>(along.count) * c.outputs;
    if (columns < c.x.in) std::memset(to + valid, 0, (y_size - valid) * sizeof(Scalar));
  });
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
