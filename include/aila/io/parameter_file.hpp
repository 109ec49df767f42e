// A network's parameters in a safetensors file: names and shapes checked against its parameter table.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "safetensors.hpp"

namespace aila::inline v0::io {

using Metadata = std::map<std::string, std::string>;

/// The metadata key under which a file tells which network it is of.
inline constexpr const char* description_key = "aila.description";

namespace detail {

/// Sixteen hexadecimal digits.
inline std::string hexadecimal(std::uint64_t hash) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[hash >> static_cast<unsigned>(shift) & 15U];
  return text;
}

template <class Info>
std::vector<std::size_t> shape_of(const Info& info) {
  return {info.extents.begin(), info.extents.begin() + static_cast<std::ptrdiff_t>(info.rank)};
}

}  // namespace detail

/// Writes the tensors of a canonical array, in the table's order, as F32 or F64. `table` is a range of
/// {name, extents, rank, offset, size}; offsets and sizes count elements of `values`. Throws as write_safetensors.
template <class Table, class Scalar>
void save_parameters(const std::filesystem::path& path, const Table& table, std::uint64_t description,
                     std::span<const Scalar> values, Metadata metadata = {}) {
  metadata[description_key] = detail::hexadecimal(description);
  std::vector<TensorEntry> entries;
  entries.reserve(std::size(table));
  for (const auto& info : table)
    entries.push_back(
        tensor_entry<Scalar>(std::string(info.name), detail::shape_of(info), values.subspan(info.offset, info.size)));
  write_safetensors(path, entries, metadata);
}

namespace detail {

/// PyTorch counts the batches of a batch normalisation beside its statistics; no network here has such a number.
inline bool is_batch_count(const TensorEntry& entry) {
  constexpr std::string_view name = "num_batches_tracked";
  return is_integer(entry.dtype) && (entry.name == name || entry.name.ends_with("." + std::string(name)));
}

/// Whether numbers of such a type are parameters, or whole. What no network here can ask for, such as the eight-bit
/// scales beside quantised weights, is no layer that was lost.
inline bool may_be_parameter(const TensorEntry& entry) {
  return is_integer(entry.dtype) || entry.dtype == "F16" || entry.dtype == "BF16" || entry.dtype == "F32" ||
         entry.dtype == "F64";
}

/// The tensor that the network calls `name`. safetensors.torch writes tensors that share memory once, and may say in
/// the metadata under which other name. Throws Error where there is none.
inline const TensorEntry& tensor_of(const SafetensorsFile& file, const std::string& name) {
  const bool own = file.metadata().contains(description_key);
  const auto* entry = file.find(name);
  const auto alias = file.metadata().find(name);
  if (entry == nullptr && !own && alias != file.metadata().end()) entry = file.find(alias->second);
  if (entry != nullptr) return *entry;
  file.fail("there is no tensor " + name + ", which the network needs" +
            (own ? "" : "; PyTorch's tied (shared) weights are in a file once, under one of their names"));
}

/// The body of load_parameters, for a file that may say any of `descriptions`, of which the first is the network's.
template <class Scalar, class Table>
std::vector<Scalar> parameters_of(const SafetensorsFile& file, const Table& table,
                                  std::span<const std::uint64_t> descriptions, std::size_t size) {
  std::vector<Scalar> values(size);
  std::unordered_set<std::string> known;
  for (const auto& info : table) {
    const std::string name(info.name);
    const auto& entry = tensor_of(file, name);
    const auto shape = shape_of(info);
    if (entry.shape != shape)
      file.fail(name + " has shape " + shape_text(entry.shape) + ", the network needs " + shape_text(shape));
    const auto numbers = file.as<Scalar>(entry.name);
    std::ranges::copy(numbers, values.begin() + static_cast<std::ptrdiff_t>(info.offset));
    known.insert(entry.name);
  }
  for (const auto& entry : file.tensors())
    if (!known.contains(entry.name) && !is_batch_count(entry) && may_be_parameter(entry))
      file.fail("the network has no tensor " + printable(entry.name) + ", which the file has");
  // Last, since a tensor that differs says more than a number that does.
  const auto found = file.metadata().find(description_key);
  const auto said = [&](std::uint64_t description) { return found->second == hexadecimal(description); };
  if (found != file.metadata().end() && std::ranges::none_of(descriptions, said))
    file.fail("the weights are of another network, description " + printable(found->second) + ", this network has " +
              hexadecimal(descriptions[0]));
  return values;
}

}  // namespace detail

/// Reads a canonical array of `size` numbers, gaps zero, from a file of half, single or double precision; integers that
/// PyTorch calls `num_batches_tracked` are passed over, and so are tensors of types that hold no parameters (F8, F4,
/// C64, types of later versions). Numbers that are not finite are read as they are. Nothing is
/// given back before all was checked. Throws Error, one sentence that begins with the file's name, for a tensor that is
/// missing, of another shape, not of floating-point numbers, with a number too large for Scalar, or not the network's,
/// and for a file that says it is of another network; a file that does not say it, written by another program, is
/// judged by its tensors alone.
template <class Scalar, class Table>
std::vector<Scalar> load_parameters(const std::filesystem::path& path, const Table& table, std::uint64_t description,
                                    std::size_t size) {
  return detail::parameters_of<Scalar>(SafetensorsFile::read(path), table, std::array{description}, size);
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
