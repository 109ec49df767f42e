#include "mixture.hpp"

#include <aila/io/mixture_map.hpp>

namespace example {

Mixture mean_of(const std::vector<Mixture>& mixtures) {
  Mixture mean = mixtures.at(0);
  for (std::size_t layer = 0; layer < mean.size(); ++layer)
    for (std::size_t i = 0; i < mean[layer].mean.size(); ++i) {
      double sum = 0;
      for (const auto& mixture : mixtures) sum += mixture[layer].mean[i];
      mean[layer].mean[i] = sum / static_cast<double>(mixtures.size());
    }
  return mean;
}

Json mixture_json(const Mixture& mixture) {
  if (mixture.empty()) return nullptr;
  const auto map = aila::io::mixture_map("", mixture);
  return {{"layers", map.row_labels}, {"items", map.column_labels}, {"weights", map.values}};
}

}  // namespace example
