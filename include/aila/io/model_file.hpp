// Models in files: weights saved and loaded in the safetensors format.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../network/model.hpp"
#include "parameter_file.hpp"

namespace aila::inline v0::io {

/// A Model or an AnyModel: it lists all that it holds.
template <class M>
concept StoredModel = requires(M& model, const M& same, ModelState<typename M::Scalar> state) {
  { same.tensors() } -> std::same_as<std::vector<StoredTensor<typename M::Scalar>>>;
  { same.description() } -> std::same_as<std::uint64_t>;
  model.restore(std::move(state));
  same.parameters();
};

namespace detail {

template <class Scalar>
void save_tensors(const std::filesystem::path& path, const std::vector<StoredTensor<Scalar>>& tensors,
                  const Metadata& metadata) {
  std::vector<TensorEntry> entries;
  std::vector<std::vector<Scalar>> packed;
  for (const auto& tensor : tensors) {
    auto numbers = tensor.rows > 0 ? tensor.row(0) : std::span<const Scalar>();
    if (tensor.rows > 1) {
      auto& all = packed.emplace_back();
      for (std::size_t r = 0; r < tensor.rows; ++r) all.insert(all.end(), tensor.row(r).begin(), tensor.row(r).end());
      numbers = all;
    }
    entries.push_back(tensor_entry<Scalar>(tensor.name, shape_of(tensor), numbers));
  }
  write_safetensors(path, entries, metadata);
}

/// What a file has for a model of these tensors, whose canonical array has `size` numbers; tables get the rows that the
/// file has.
template <class Scalar>
ModelState<Scalar> read_state(const SafetensorsFile& file, std::vector<StoredTensor<Scalar>> tensors,
                              std::uint64_t description, std::size_t size) {
  std::size_t count = 0, all = size;
  for (auto& tensor : tensors) {
    if (tensor.table == nullptr) {
      ++count;
      continue;
    }
    const auto& spec = tensor.table->spec;
    const auto& shape = tensor_of(file, tensor.name).shape;
    if (shape.size() != 2 || shape[1] != spec.width || shape[0] > spec.most_rows)
      file.fail(tensor.name + " has shape " + shape_text(shape) + ", the network needs up to " +
                std::to_string(spec.most_rows) + " rows of " + std::to_string(spec.width));
    tensor.extents[0] = shape[0];
    tensor.offset = all;
    tensor.size = shape[0] * spec.width;
    all += tensor.size;
  }
  const std::uint64_t older = hash_path(aila::detail::description_text(std::span(tensors).first(count)));
  auto values = parameters_of<Scalar>(file, tensors, std::array{description, older}, all);
  ModelState<Scalar> state;
  for (const auto& tensor : std::span(tensors).subspan(count)) {
    state.tables.emplace_back(*tensor.table);
    state.tables.back().assign(std::span<const Scalar>(values).subspan(tensor.offset, tensor.size));
  }
  values.resize(size);
  state.parameters = std::move(values);
  return state;
}

}  // namespace detail

/// Writes all that a Model or an AnyModel holds, tables of rows among it, under their names and shapes, in its
/// precision, with the network's description hash and the given metadata; the file is replaced whole or not at all.
/// Throws Error where it cannot be written.
template <StoredModel M>
void save(const M& model, const std::filesystem::path& path, Metadata metadata = {}) {
  metadata[description_key] = detail::hexadecimal(model.description());
  detail::save_tensors<typename M::Scalar>(path, model.tensors(), metadata);
}

/// Gives a model all that a file of half, single or double precision has, tables with as many rows as in the file.
/// Numbers that are not finite are taken as they are; doubles are rounded to the nearest float. Throws Error, one
/// sentence that begins with the file's name, for a file that is damaged or of another network, and for numbers that
/// are too large for the model's; the model is then as it was.
template <StoredModel M>
void load(M& model, const std::filesystem::path& path) {
  model.restore(detail::read_state<typename M::Scalar>(SafetensorsFile::read(path), model.tensors(),
                                                       model.description(), model.parameters().size()));
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
