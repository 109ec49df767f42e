// Models in files: weights saved and loaded in the safetensors format.
#pragma once

#include <filesystem>
#include <utility>

#include "../core/error.hpp"
#include "../network/model.hpp"
#include "parameter_file.hpp"

namespace aila::inline v0::io {

/// Writes all parameters of a model under their names and shapes, in its precision, with the network's description hash
/// and the given metadata; the file is replaced whole or not at all. Throws Error where it cannot be written.
template <class Net, HostBackend BackendType>
void save(const Model<Net, BackendType>& model, const std::filesystem::path& path, Metadata metadata = {}) {
  save_parameters(path, parameter_table<Net>(), description_hash<Net>(), model.parameters(), std::move(metadata));
}

/// Gives a model the parameters of a file of either precision. Throws Error, one sentence that begins with the file's
/// name, for a file that is damaged or of another network; the model is then as it was.
template <class Net, HostBackend BackendType>
void load(Model<Net, BackendType>& model, const std::filesystem::path& path) {
  using Scalar = typename Model<Net, BackendType>::Scalar;
  const auto values =
      load_parameters<Scalar>(path, parameter_table<Net>(), description_hash<Net>(), model.parameters().size());
  model.assign(values);
}

}  // namespace aila::inline v0::io
