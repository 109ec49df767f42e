// Looking into a stack: how much each layer takes from each earlier one.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>
#include <vector>

#include "mixture_weights.hpp"
#include "sample_groups.hpp"

namespace aila::inline v0 {

namespace detail {

/// What mixture weights are of. `numbers` are those of the items as the plan of a stack has them, the own one first.
template <class Part>
std::vector<std::string> item_names(const std::uint32_t* numbers) {
  using P = typename Part::Policy;
  using integrate::Items, integrate::Place;
  constexpr bool after = P::place == Place::after, mixes_own = requires { requires P::mixes_own; };
  const auto name = [](std::uint32_t number) -> std::string {
    if (P::place == Place::inside) return "inside_" + std::to_string(number - 1);
    if (number == 0) return "input";
    const char* const kind = P::block > 1                    ? "block_"
                             : P::items_are == Items::deltas ? "delta_"
                             : P::items_are == Items::sums   ? "sum_"
                                                             : "h_";
    return kind + std::to_string(number - 1);
  };
  std::vector<std::string> names;
  if (mixes_own && after) names.emplace_back("own");
  for (std::size_t i = 0; i < Part::Before::count; ++i) names.push_back(name(numbers[1 + i]));
  if (mixes_own && !after) names.push_back(name(numbers[0]));
  const std::size_t learned = Part::items - names.size();
  for (std::size_t i = 0; i < learned; ++i)
    names.push_back(i + 1 == learned && learned == 1 ? "task" : "learned_" + std::to_string(i));
  return names;
}

/// Sums weights over valid positions; they are divided at the end: those of a head by their sum, signed ones by how
/// many there are.
class MixtureSums {
 public:
  template <class Part, class S>
  void add(const std::string& path, std::size_t layer, const std::uint32_t* numbers, const Pass& pass,
           const S* weights) {
    const std::size_t at = of<Part>(path, layer, numbers);
    MixtureWeights& sum = layers_[at];
    constexpr std::size_t positions = Part::Own::positions;
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t valid = Part::Own::rank == 2 ? pass.length(n, positions) : positions;
      signed_positions_[at] += Part::Policy::signed_weights ? static_cast<double>(valid) : 0;
      for (std::size_t p = 0; p < valid; ++p)
        for (std::size_t i = 0; i < Part::mixture_weights; ++i)
          sum.mean[i] += static_cast<double>(weights[(n * positions + p) * Part::mixture_weights + i]);
    }
  }
  std::vector<MixtureWeights> means() && {
    for (std::size_t at = 0; at < layers_.size(); ++at) {
      MixtureWeights& m = layers_[at];
      double total = 0;
      for (const double w : m.mean) total += w;
      const double factor = signed_positions_[at] > 0 ? 1 / signed_positions_[at]
                            : total > 0               ? static_cast<double>(m.heads) / total
                                                      : 0;
      for (double& w : m.mean) w *= factor;
    }
    return std::move(layers_);
  }

 private:
  template <class Part>
  std::size_t of(const std::string& path, std::size_t layer, const std::uint32_t* numbers) {
    for (std::size_t at = 0; at < layers_.size(); ++at)
      if (layers_[at].path == path) return at;
    layers_.push_back({.path = path,
                       .layer = layer,
                       .heads = Part::heads,
                       .items = item_names<Part>(numbers),
                       .mean = std::vector<double>(Part::mixture_weights)});
    signed_positions_.push_back(0);
    return layers_.size() - 1;
  }
  std::vector<MixtureWeights> layers_;
  std::vector<double> signed_positions_;  ///< of each that has signed weights, over how many it sums
};

}  // namespace detail

/// The mean mixture weights of every layer of every stack, however deep inside others, over inputs [samples, In...].
/// Takes a workspace of its own; for reports and pictures, not for the hot path. Throws Error for inputs that are no
/// whole number of samples, and for lengths that are not from 1 to the steps there are.
template <class Net, class Backend>
std::vector<MixtureWeights> mixture_weights(
    const Model<Net, Backend>& model, std::span<const ElementOf<NetworkInput<Net>, typename Backend::Scalar>> inputs,
    std::span<const std::int32_t> lengths = {}) {
  using Kernel = typename Model<Net, Backend>::Kernel;
  using S = typename Backend::Scalar;
  detail::MixtureSums sums;
  typename aila::detail::PlanJoints<KernelsOf<Backend>>::ForProgram weights;
  detail::SampleGroups<Net, Backend>::each(
      "mixture_weights", model, inputs, lengths, [&](auto& workspace, const Pass& pass, std::size_t) {
        const Weights<S> w(model.kernel_parameters(), Model<Net, Backend>::layout.offset.data());
        if constexpr (mixes_of<Kernel>())
          workspace.queue().run([&] {
            Kernel::template for_each_mixture<Capability::train>(pass, w, workspace.input(), workspace.output(),
                                                                 workspace.saved(), std::string(), weights,
                                                                 workspace.scratch(), sums);
          });
      });
  return std::move(sums).means();
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
