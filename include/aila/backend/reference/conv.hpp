// Convolutions in plain loops.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/conv.hpp"
#include "../kernel.hpp"
#include "reference.hpp"

namespace aila::inline v0 {

/// y = b + sum over taps W x; dW = dy x, db = dy, dx = W dy, over every pair of output and tap that lies in the map.
template <class S, class L, class In>
struct ReferenceConv : KernelDefaults<S> {
  static constexpr const char* name = "reference convolution";
  static constexpr ConvPlan c = L::template plan<In>;
  static constexpr std::size_t inputs = c.group_inputs(), outputs = c.group_outputs(), columns = c.x.out();

  /// f(first element of x's position, first element of y's position, tap) of a sample.
  template <class F>
  static constexpr void for_each_tap(const Pass& pass, std::size_t sample, F&& f) {
    const std::size_t width = In::rank == 2 ? pass.length(sample, c.x.in) : c.x.in;
    for (std::size_t row = 0; row < c.y.out(); ++row)
      for (std::size_t column = 0; column < c.x.out(width); ++column)
        for (std::size_t tap = 0; tap < c.taps(); ++tap) {
          const std::size_t y = row * c.y.stride + tap / c.x.kernel * c.y.dilation;
          const std::size_t x = column * c.x.stride + tap % c.x.kernel * c.x.dilation;
          if (y < c.y.padding || y >= c.y.padding + c.y.in || x < c.x.padding || x >= c.x.padding + width) continue;
          f((sample * In::positions + (y - c.y.padding) * c.x.in + x - c.x.padding) * c.inputs,
            ((sample * c.y.out() + row) * columns + column) * c.outputs, tap);
        }
  }
  /// The weight of filter o, feature i of its group and a tap.
  static constexpr std::size_t weight(std::size_t o, std::size_t i, std::size_t tap) {
    return (o * inputs + i) * c.taps() + tap;
  }
  static constexpr std::size_t first_input(std::size_t o) { return o / outputs * inputs; }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t width = c.x.out(In::rank == 2 ? pass.length(n, c.x.in) : c.x.in);
      for (std::size_t q = 0; q < c.out_positions(); ++q)
        for (std::size_t o = 0; o < c.outputs; ++o)
          y[(n * c.out_positions() + q) * c.outputs + o] = L::has_bias && q % columns < width ? w[1][o] : S(0);
      for_each_tap(pass, n, [&](std::size_t from, std::size_t to, std::size_t tap) {
        for (std::size_t o = 0; o < c.outputs; ++o)
          for (std::size_t i = 0; i < inputs; ++i) y[to + o] += w[0][weight(o, i, tap)] * x[from + first_input(o) + i];
      });
    }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S> g, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      for_each_tap(pass, n, [&](std::size_t from, std::size_t to, std::size_t tap) {
        for (std::size_t o = 0; o < c.outputs; ++o)
          for (std::size_t i = 0; i < inputs; ++i) {
            const std::size_t in = from + first_input(o) + i;
            if (g) g[0][weight(o, i, tap)] += dy[to + o] * x[in];
            if (dx != nullptr) dx[in] += w[0][weight(o, i, tap)] * dy[to + o];
          }
      });
      if (!L::has_bias || !g) continue;
      const std::size_t width = c.x.out(In::rank == 2 ? pass.length(n, c.x.in) : c.x.in);
      for (std::size_t q = 0; q < c.out_positions(); ++q)
        if (q % columns < width)
          for (std::size_t o = 0; o < c.outputs; ++o) g[1][o] += dy[(n * c.out_positions() + q) * c.outputs + o];
    }
  }
};

template <class S, class L, class In>
  requires(L::is_convolution)
ReferenceConv<S, L, In> select_kernel(rank::Layer, Placed<L, In>, backend::Reference<S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
