// What the layers of a stack take from each other, as a picture.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../network/mixture_weights.hpp"
#include "heat_map.hpp"

namespace aila::inline v0::io {

/// Mean weights over heads, layer (row) by item (column), of what `mixture_weights` gave; empty where a layer has not
/// the item. Layers count from 1, as people count them; the first has nothing to integrate. Of a network with several
/// stacks rows carry paths. Throws Error for no layers.
inline HeatMap mixture_map(std::string title, const std::vector<MixtureWeights>& layers) {
  HeatMap map{.title = std::move(title), .row_title = "weight in", .column_title = "of", .low = 0, .high = 1};
  std::vector<std::string> items;  // of the layer that has most of them
  bool stacks = false;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].items.size() > items.size()) items = layers[i].items;
    stacks = stacks || (i > 0 && layers[i].layer <= layers[i - 1].layer);
  }
  for (const auto& layer : layers) {
    map.row_labels.push_back(stacks ? layer.path : "layer " + std::to_string(layer.layer + 1));
    for (const auto& item : items)
      map.values.push_back(std::ranges::find(layer.items, item) != layer.items.end()
                               ? layer.of(item)
                               : std::numeric_limits<double>::quiet_NaN());
  }
  for (const auto& item : items)
    map.column_labels.push_back(item == "own"            ? "own output"
                                : item.starts_with("h_") ? "layer " + std::to_string(std::stoul(item.substr(2)) + 1)
                                                         : item);
  if (layers.empty()) throw_error("mixture_map: expected at least one layer with weights, found none");
  return map;
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
