// Looking into a stack: how much each layer takes from each earlier one.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>
#include <vector>

#include "mixture_weights.hpp"
#include "sample_groups.hpp"

namespace aila::inline v0 {

namespace detail {

template <class Part>
std::vector<std::string> item_names() {
  using P = typename Part::Policy;
  std::vector<std::string> names;
  if constexpr (requires { requires P::mixes_own; }) names.emplace_back("own");
  for (std::size_t i = 0; i < Part::Before::count; ++i) names.push_back("h_" + std::to_string(i));
  while (names.size() < Part::items)
    names.push_back(names.size() + 1 == Part::items ? "task" : "item_" + std::to_string(names.size()));
  return names;
}

/// Sums weights over valid positions; they are divided at the end.
class MixtureSums {
 public:
  template <class Part, class S>
  void add(const std::string& path, std::size_t layer, const Pass& pass, const S* weights) {
    MixtureWeights& sum = of<Part>(path, layer);
    constexpr std::size_t positions = Part::Own::positions;
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t valid = Part::Own::rank == 2 ? pass.length(n, positions) : positions;
      for (std::size_t p = 0; p < valid; ++p)
        for (std::size_t i = 0; i < Part::mixture_weights; ++i)
          sum.mean[i] += static_cast<double>(weights[(n * positions + p) * Part::mixture_weights + i]);
    }
  }
  std::vector<MixtureWeights> means() && {
    for (MixtureWeights& m : layers_) {
      double total = 0;
      for (const double w : m.mean) total += w;
      for (double& w : m.mean) w *= total > 0 ? static_cast<double>(m.heads) / total : 0;
    }
    return std::move(layers_);
  }

 private:
  template <class Part>
  MixtureWeights& of(const std::string& path, std::size_t layer) {
    for (MixtureWeights& m : layers_)
      if (m.path == path) return m;
    layers_.push_back({.path = path,
                       .layer = layer,
                       .heads = Part::heads,
                       .items = item_names<Part>(),
                       .mean = std::vector<double>(Part::mixture_weights)});
    return layers_.back();
  }
  std::vector<MixtureWeights> layers_;
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
  std::vector<S> weights;
  detail::SampleGroups<Net, Backend>::each(
      "mixture_weights", model, inputs, lengths, [&](auto& workspace, const Pass& pass, std::size_t) {
        const Weights<S> w(model.kernel_parameters(), Model<Net, Backend>::layout.offset.data());
        if constexpr (mixes_of<Kernel>())
          workspace.queue().run([&] {
            Kernel::template for_each_mixture<Capability::train>(pass, w, workspace.saved(), std::string(), weights,
                                                                 workspace.scratch(), sums);
          });
      });
  return std::move(sums).means();
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
