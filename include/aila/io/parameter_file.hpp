// A network's parameters in a safetensors file: names and shapes checked against its parameter table.
#pragma once

#include <algorithm>
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

/// Reads a canonical array of `size` numbers, gaps zero, from a file of either precision. Nothing is given back before
/// all was checked. Throws Error, one sentence that begins with the file's name, for a tensor that is missing, of
/// another shape, not of floating-point numbers or not the network's, and for a file that says it is of another
/// network; a file that does not say it, written by another program, is judged by its tensors alone.
template <class Scalar, class Table>
std::vector<Scalar> load_parameters(const std::filesystem::path& path, const Table& table, std::uint64_t description,
                                    std::size_t size) {
  const auto file = SafetensorsFile::read(path);
  std::vector<Scalar> values(size);
  std::unordered_set<std::string> known;
  for (const auto& info : table) {
    const std::string name(info.name);
    const auto* entry = file.find(name);
    if (entry == nullptr) file.fail("there is no tensor " + name + ", which the network needs");
    const auto shape = detail::shape_of(info);
    if (entry->shape != shape)
      file.fail(name + " has shape " + shape_text(entry->shape) + ", the network needs " + shape_text(shape));
    const auto numbers = file.as<Scalar>(name);
    std::ranges::copy(numbers, values.begin() + static_cast<std::ptrdiff_t>(info.offset));
    known.insert(name);
  }
  for (const auto& entry : file.tensors())
    if (!known.contains(entry.name))
      file.fail("the network has no tensor " + printable(entry.name) + ", which the file has");
  // Last, since a tensor that differs says more than a number that does.
  const auto found = file.metadata().find(description_key);
  const auto expected = detail::hexadecimal(description);
  if (found != file.metadata().end() && found->second != expected)
    file.fail("the weights are of another network, description " + printable(found->second) + ", this network has " +
              expected);
  return values;
}

}  // namespace aila::inline v0::io
