// Models in files: weights saved and loaded in the safetensors format.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../network/model.hpp"
#include "parameter_file.hpp"

namespace aila::inline v0::io {

namespace detail {

/// The parameter table, and behind it the network's tables of so many rows each.
template <class Net>
std::vector<ParameterInfo> with_tables(const std::vector<std::size_t>& rows) {
  std::vector<ParameterInfo> all = parameter_table<Net>();
  std::size_t offset = parameter_layout<PlacedNetwork<Net>>.size;
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const TableInfo& info = network_tables<Net>()[t];
    all.push_back({.name = info.name,
                   .extents = {rows[t], info.spec.width},
                   .rank = 2,
                   .offset = offset,
                   .size = rows[t] * info.spec.width});
    offset += all.back().size;
  }
  return all;
}

/// How many rows a file has for each of the network's tables; throws Error where it has no such tensor, or too many
/// rows.
template <class Net>
std::vector<std::size_t> rows_in_file(const std::filesystem::path& path) {
  const auto file = SafetensorsFile::read(path);
  std::vector<std::size_t> rows;
  for (const TableInfo& info : network_tables<Net>()) {
    const auto* entry = file.find(info.name);
    if (entry == nullptr) file.fail("there is no tensor " + info.name + ", which the network needs");
    if (entry->shape.size() != 2 || entry->shape[1] != info.spec.width || entry->shape[0] > info.spec.most_rows)
      file.fail(info.name + " has shape " + shape_text(entry->shape) + ", the network needs up to " +
                std::to_string(info.spec.most_rows) + " rows of " + std::to_string(info.spec.width));
    rows.push_back(entry->shape[0]);
  }
  return rows;
}

}  // namespace detail

/// Writes all parameters of a model, tables of rows among them, under their names and shapes, in its precision, with
/// the network's description hash and the given metadata; the file is replaced whole or not at all. Throws Error where
/// it cannot be written.
template <class Net, HostBackend BackendType>
void save(const Model<Net, BackendType>& model, const std::filesystem::path& path, Metadata metadata = {}) {
  if constexpr (Model<Net, BackendType>::tables == 0) {
    save_parameters(path, parameter_table<Net>(), description_hash<Net>(), model.parameters(), std::move(metadata));
  } else {
    using Scalar = typename Model<Net, BackendType>::Scalar;
    std::vector<std::size_t> rows;
    for (const auto& table : model.all_tables()) rows.push_back(table.rows());
    const auto all = detail::with_tables<Net>(rows);
    std::vector<Scalar> values(model.parameters().begin(), model.parameters().end());
    for (const auto& table : model.all_tables())
      for (std::size_t r = 0; r < table.rows(); ++r)
        values.insert(values.end(), table.row(r).begin(), table.row(r).end());
    save_parameters(path, all, description_hash<Net>(), std::span<const Scalar>(values), std::move(metadata));
  }
}

/// Gives a model the parameters of a file of either precision. Throws Error, one sentence that begins with the file's
/// name, for a file that is damaged or of another network; the model is then as it was.
template <class Net, HostBackend BackendType>
void load(Model<Net, BackendType>& model, const std::filesystem::path& path) {
  using Scalar = typename Model<Net, BackendType>::Scalar;
  if constexpr (Model<Net, BackendType>::tables == 0) {
    model.assign(
        load_parameters<Scalar>(path, parameter_table<Net>(), description_hash<Net>(), model.parameters().size()));
  } else {
    const auto rows = detail::rows_in_file<Net>(path);
    const auto all = detail::with_tables<Net>(rows);
    const std::vector<Scalar> values =
        load_parameters<Scalar>(path, all, description_hash<Net>(), all.back().offset + all.back().size);
    std::span<const Scalar> rest(values);
    model.assign(rest.first(model.parameters().size()));
    rest = rest.subspan(model.parameters().size());
    for (std::size_t t = 0; t < rows.size(); ++t) {
      const std::size_t size = rows[t] * network_tables<Net>()[t].spec.width;
      model.all_tables()[t].assign(rest.first(size));
      rest = rest.subspan(size);
    }
  }
}

}  // namespace aila::inline v0::io
