// Why a network answers as it does: what each input moves, and what its layers computed on the way.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "map_visitor.hpp"
#include "sample_groups.hpp"

namespace aila::inline v0 {

/// What a part of a network computed: the map that messages name by `path`.
template <class Scalar>
struct LayerMap {
  std::string path;            ///< "stack.2.core", "attention_pooling.weights"
  std::vector<Scalar> values;  ///< [samples, ...]
};

/// d outputs[output] / d inputs for inputs [samples, In...], of prediction (no dropout): as many numbers as the inputs;
/// 0 behind a sample's length. Throws Error for an output that the network has not, and sizes that do not fit. Takes a
/// workspace of its own; for reports and pictures, not for the hot path.
template <class Net, class Backend>
  requires(!NetworkInput<Net>::is_tokens)
std::vector<typename Backend::Scalar> input_gradients(
    const Model<Net, Backend>& model, std::type_identity_t<std::span<const typename Backend::Scalar>> inputs,
    std::size_t output = 0, std::span<const std::int32_t> lengths = {}) {
  using In = NetworkInput<Net>;
  using Out = NetworkOutput<Net>;
  using S = typename Backend::Scalar;
  if (output >= Out::elements)
    throw_error("input_gradients: expected an output below ", Out::elements, ", found ", output);
  std::vector<S> gradients(inputs.size());
  detail::SampleGroups<Net, Backend>::each(
      "input_gradients", model, inputs, lengths, [&](auto& workspace, const Pass& pass, std::size_t first) {
        std::vector<S> wanted(pass.samples * Out::elements), found;
        for (std::size_t n = 0; n < pass.samples; ++n) wanted[n * Out::elements + output] = 1;
        auto& queue = workspace.queue();
        queue.to_device(wanted.data(), wanted.size(), workspace.output_gradient());
        workspace.backward(pass, model.kernel_parameters(), model.packed(), nullptr, true);
        const S* const gradient =
            detail::on_host<Backend>(queue, workspace.input_gradient(), pass.samples * In::elements, found);
        for (std::size_t n = 0; n < pass.samples; ++n) {
          const std::size_t valid =
              lengths.empty() ? In::elements
                              : static_cast<std::size_t>(lengths[first + n]) * (In::elements / In::extents[0]);
          std::copy_n(gradient + n * In::elements, valid, gradients.data() + (first + n) * In::elements);
        }
      });
  return gradients;
}

/// The maps whose path ends with `suffix` ("" for all), over inputs [samples, In...], in the order of computation:
/// `layer_maps(model, x, "attention_pooling.weights")`. Every part of the network has one, however deep inside others;
/// those inside the "backward" of a Bidirectional have the steps in the order in which it reads them, the last valid
/// one first. Throws Error for sizes that do not fit. For reports and
/// pictures, as input_gradients.
template <class Net, class Backend>
std::vector<LayerMap<typename Backend::Scalar>> layer_maps(
    const Model<Net, Backend>& model,
    std::type_identity_t<std::span<const ElementOf<NetworkInput<Net>, typename Backend::Scalar>>> inputs,
    std::string_view suffix, std::span<const std::int32_t> lengths = {}) {
  using S = typename Backend::Scalar;
  using Kernel = typename Model<Net, Backend>::Kernel;
  std::vector<LayerMap<S>> maps;
  std::vector<S> copy;
  detail::SampleGroups<Net, Backend>::each(
      "layer_maps", model, inputs, lengths, [&](auto& workspace, const Pass& pass, std::size_t first) {
        std::size_t at = 0;
        const auto keep_one = [&](const std::string& path, const S* map, std::size_t elements) {
          if (!path.ends_with(suffix)) return;
          if (first == 0) maps.push_back({path, {}});
          const S* const values = detail::on_host<Backend>(workspace.queue(), map, elements, copy);
          maps[at].values.insert(maps[at].values.end(), values, values + elements);
          ++at;
        };
        const MapVisitor<S> keep(keep_one);
        if constexpr (requires {
                        Kernel::template for_each_map<Capability::train>(pass.samples, workspace.saved(),
                                                                         workspace.output(), std::string(), keep);
                      })
          workspace.queue().run([&] {
            Kernel::template for_each_map<Capability::train>(pass.samples, workspace.saved(), workspace.output(),
                                                             std::string(), keep);
          });
      });
  return maps;
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
