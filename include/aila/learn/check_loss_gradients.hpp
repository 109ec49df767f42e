// The gradient checker for losses.
#pragma once

#include <cstddef>
#include <type_traits>

#include "../backend/reference/reference.hpp"
#include "../core/arena.hpp"
#include "central_difference.hpp"
#include "gradient_check.hpp"
#include "loss.hpp"

namespace aila::inline v0 {

namespace detail {

/// Targets of one sample: normal numbers, or where the loss refuses them probabilities, or class indices.
template <class L, class Out>
void draw_targets(const Random& random, std::size_t sample, double* target) {
  constexpr std::size_t count = L::template targets<Out>;
  for (int kind = 0; kind < 3; ++kind) {
    for (std::size_t i = 0; i < count; ++i) {
      const double u = random.uniform(sample, 2 * i);
      const auto index = static_cast<std::size_t>(u * static_cast<double>(Out::features));
      target[i] = kind == 0 ? random.normal(sample, 2 * i) : kind == 1 ? u : static_cast<double>(index);
    }
    if constexpr (requires { L::template fits<Out>(target); }) {
      if (L::template fits<Out>(target)) return;
    } else {
      return;
    }
  }
}

}  // namespace detail

/// Compares a loss's gradient with differences of its value, at random outputs and targets that the loss accepts; all
/// lanes of the backend's values at once, each a sample. Kinks as in check_gradients. `where` is "output[3]" of a
/// sample. Beside that: the value is the same whether or not the gradient is asked for.
template <class L, class Out, class Backend = backend::Reference<double>>
  requires Loss<L, Out>
GradientCheck check_loss_gradients(const L& loss = {}, const GradientCheckOptions& options = {}) {
  constexpr bool in_double = std::is_same_v<typename Backend::Scalar, double>;
  static_assert(in_double, "aila: gradients are checked on a backend in double");
  using Lane = Lanes<std::conditional_t<in_double, Backend, backend::Reference<double>>>;
  using V = typename Lane::V;
  constexpr std::size_t lanes = Lane::count, outputs = Out::elements, targets = L::template targets<Out>;
  const auto buffer = [](std::size_t width) { return AlignedArray<double>(width * lanes + 2 * alignment_elements); };
  AlignedArray<double> o = buffer(outputs), t = buffer(targets), slope = buffer(outputs), value = buffer(1);
  AlignedArray<double> tile_o = buffer(outputs), tile_t = buffer(targets), tile_slope = buffer(outputs);

  const auto evaluate = [&](V* gradient) {
    Lane::load_rows(o.data(), lanes, outputs, Lane::tile(tile_o.data()));
    const V* output = Lane::tile(tile_o.data());
    const V* target = Lane::tile(tile_t.data());
    Lane::store(value.data(), loss.template operator()<Out>(output, target, gradient));
  };

  GradientCheck result;
  const Random for_outputs(options.seed, Purpose::user, 0, 1), for_targets(options.seed, Purpose::user, 0, 2);
  for (std::size_t first = 0; first < options.samples; first += lanes) {
    for (std::size_t n = 0; n < lanes; ++n) {
      for (std::size_t i = 0; i < outputs; ++i) o.data()[n * outputs + i] = 2 * for_outputs.normal(first + n, i);
      detail::draw_targets<L, Out>(for_targets, first + n, t.data() + n * targets);
    }
    Lane::load_rows(t.data(), lanes, targets, Lane::tile(tile_t.data()));
    evaluate(Lane::tile(tile_slope.data()));
    const AlignedArray<double> with_gradient = value;
    Lane::store_rows(slope.data(), lanes, outputs, Lane::tile(tile_slope.data()));
    evaluate(nullptr);
    for (std::size_t n = 0; n < lanes; ++n) {
      const double before = with_gradient.data()[n];
      if (!(value.data()[n] == before)) result.take(1, options.tolerance, "loss without gradient of sample", first + n);
      for (std::size_t i = 0; i < outputs; ++i) {
        double& element = o.data()[n * outputs + i];
        const double start = element;
        const auto moved = [&](double step) {
          element = start + step;
          evaluate(nullptr);
          return value.data()[n];
        };
        const double error =
            detail::slope_error(moved, slope.data()[n * outputs + i], 1e-3, 1 + math::abs(before), options.tolerance);
        result.take(error, options.tolerance, "output", i);
        element = start;
      }
    }
  }
  return result;
}

}  // namespace aila::inline v0
