// The loss of a group of samples, and its gradient, over outputs that kernels left.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>

#include "../backend/host/lanes.hpp"
#include "../backend/host/padding.hpp"
#include "loss.hpp"

namespace aila::inline v0 {

/// What a loss is taken over; all of it in the backend's memory.
template <class Scalar>
struct LossArrays {
  std::size_t samples = 0;
  const std::int32_t* lengths = nullptr;  ///< of the network's inputs; null: all steps
  const Scalar* outputs = nullptr;
  const Scalar* targets = nullptr;
  const Scalar* weights = nullptr;  ///< of samples
  Scalar* gradient = nullptr;       ///< of outputs; null: nobody asks
  Scalar* scratch = nullptr;        ///< LossOver::scratch
  void* queue = nullptr;            ///< the Backend::Queue
};

/// run(loss, scale, arrays) gives the sum over samples of weight * loss, and writes `scale` times its gradient. A
/// sample of weight 0 takes no part, be its loss infinite or no number. Placed is the network. Specialised for each
/// kind of kernels.
template <class LossType, class Placed, class Kernels>
struct LossOver;

namespace detail {
/// A call of a loss's body.
template <class LossType, class Out, class V>
struct LossCalls {
  static void forward(const LossType& loss, const V* output, const V* target, V* gradient) {
    static_cast<void>(loss.template operator()<Out>(output, target, gradient));
  }
};
}  // namespace detail

template <class LossType, class Placed, HostBackend Kernels>
struct LossOver<LossType, Placed, Kernels> {
  using Scalar = typename Kernels::Scalar;
  using In = typename Placed::In;
  using Out = typename Placed::Out;
  using Lane = Lanes<Kernels>;
  using V = typename Lane::V;
  using Arrays = LossArrays<Scalar>;
  enum { compiled = detail::CompiledFirst<&detail::LossCalls<LossType, Out, V>::forward>::here };
  static constexpr std::size_t targets = LossType::template targets<Out>;
  static constexpr std::size_t scratch = (2 * Out::elements + targets) * Lane::count + alignment_elements;

  static double run(const LossType& loss, double scale, const Arrays& of) {
    if constexpr (detail::goes_by_steps<LossType, Out> && detail::has_steps<In> && SequenceShape<Out>)
      if (of.lengths != nullptr) return of_valid_steps(loss, scale, of);
    double sum = 0;
    V* const outputs = Lane::tile(of.scratch);
    V* const target = outputs + Out::elements;
    V* const gradient = target + targets;
    for (std::size_t first = 0; first < of.samples; first += Lane::count) {
      const std::size_t valid = std::min(Lane::count, of.samples - first);
      Lane::load_rows(of.outputs + first * Out::elements, valid, Out::elements, outputs);
      Lane::load_rows(of.targets + first * targets, valid, targets, target);
      const V value =
          loss.template operator()<Out>(static_cast<const V*>(outputs), static_cast<const V*>(target), gradient);
      alignas(64) std::array<Scalar, Lane::count> each{}, weight{}, taken{};
      Lane::store(each.data(), value);
      bool all_taken = true;
      for (std::size_t i = 0; i < valid; ++i) {
        weight[i] = static_cast<Scalar>(scale) * of.weights[first + i];
        taken[i] = of.weights[first + i] == 0 ? Scalar(0) : Scalar(1);
        all_taken = all_taken && taken[i] != 0;
        if (taken[i] != 0) sum += static_cast<double>(of.weights[first + i]) * static_cast<double>(each[i]);
      }
      if (of.gradient == nullptr) continue;
      const V factor = Lane::load(weight.data()), part = Lane::load(taken.data());
      for (std::size_t e = 0; e < Out::elements && !all_taken; ++e) {
        const V finite = math::select(detail::is_finite(gradient[e]), gradient[e], constant<V>(0));
        gradient[e] = math::select(part == constant<V>(0), finite, gradient[e]);
      }
      for (std::size_t e = 0; e < Out::elements; ++e) gradient[e] = gradient[e] * factor;
      Lane::store_rows(of.gradient + first * Out::elements, valid, Out::elements, gradient);
    }
    return sum;
  }

 private:
  /// The same of outputs that are sequences, of which padded steps are no part: the loss of a sample is the mean over
  /// its valid steps. Lanes are steps of one sample.
  static double of_valid_steps(const LossType& loss, double scale, const Arrays& of) {
    using Step = Sequence<1, Out::features>;
    constexpr std::size_t each = targets / Out::positions;
    V* const outputs = Lane::tile(of.scratch);
    V* const target = outputs + Out::features;
    V* const gradient = target + each;
    Pass pass;
    pass.lengths = of.lengths;
    double sum = 0;
    for (std::size_t n = 0; n < of.samples; ++n) {
      if (of.weights[n] == 0) {
        if (of.gradient != nullptr) std::fill_n(of.gradient + n * Out::elements, Out::elements, Scalar(0));
        continue;
      }
      const std::size_t steps = detail::valid_steps_after<typename Placed::Layer, In>(pass, n);
      const double share = steps > 0 ? static_cast<double>(of.weights[n]) / static_cast<double>(steps) : 0;
      for (std::size_t t = 0; t < steps; t += Lane::count) {
        const std::size_t valid = std::min(Lane::count, steps - t), at = n * Out::positions + t;
        Lane::load_rows(of.outputs + at * Out::features, valid, Out::features, outputs);
        Lane::load_rows(of.targets + at * each, valid, each, target);
        alignas(64) std::array<Scalar, Lane::count> losses{};
        Lane::store(losses.data(), loss.template operator()<Step>(static_cast<const V*>(outputs),
                                                                  static_cast<const V*>(target), gradient));
        for (std::size_t i = 0; i < valid; ++i) sum += share * static_cast<double>(losses[i]);
        if (of.gradient == nullptr) continue;
        const V factor(static_cast<Scalar>(scale * share));
        for (std::size_t f = 0; f < Out::features; ++f) gradient[f] = gradient[f] * factor;
        Lane::store_rows(of.gradient + at * Out::features, valid, Out::features, gradient);
      }
    }
    return sum;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
