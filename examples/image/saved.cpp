#include "saved.hpp"

#include "../common/saved_file.hpp"
#include "../common/text.hpp"
#include "models.hpp"

namespace image {

std::map<std::string, std::string> metadata_of(const Dataset& dataset) {
  std::map<std::string, std::string> metadata{{"program", "aila image"}, {"dataset", dataset.name}};
  for (std::size_t c = 0; c < dataset.scaling.mean.size(); ++c) {
    metadata["mean." + std::to_string(c)] = example::exact(dataset.scaling.mean[c]);
    metadata["deviation." + std::to_string(c)] = example::exact(dataset.scaling.deviation[c]);
  }
  return metadata;
}

SavedModel::SavedModel(const std::filesystem::path& path, const Options& options) {
  const example::SavedFile file(path, "aila image");
  const auto& name = file.text("dataset", dataset_names());
  candidate = file.candidate(known_candidates(name), " for " + name);
  seed = file.whole_number("seed");
  dataset = read_test_part(name, options.data, options.limit);
  dataset.scaling.mean.resize(dataset.images.test.channels);
  dataset.scaling.deviation.resize(dataset.images.test.channels);
  for (std::size_t c = 0; c < dataset.scaling.mean.size(); ++c) {
    dataset.scaling.mean[c] = file.number("mean." + std::to_string(c));
    dataset.scaling.deviation[c] = file.number("deviation." + std::to_string(c));
    if (!(dataset.scaling.deviation[c] > 0)) file.fail("the metadata tell of a deviation that is not above 0");
  }
}

}  // namespace image
