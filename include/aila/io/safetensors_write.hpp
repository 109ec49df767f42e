// Writing safetensors files, whole or not at all.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <unordered_set>

#include "../core/error.hpp"
#include "atomic_file.hpp"
#include "tensor_entry.hpp"

namespace aila::inline v0::io {

namespace detail {

/// JSON of a string; throws Error where it is not UTF-8 or has a NUL in it.
inline std::string json_string(const std::string& text) {
  const auto sentence = [&text] {
    return "the text " + printable(text) + " cannot be written, it has a NUL in it or is not UTF-8";
  };
  if (text.find('\0') != std::string::npos) throw_error(sentence());
  return aila::detail::rephrasing<nlohmann::json::exception>(
      [&text] { return nlohmann::json(text).dump(); }, [&](const nlohmann::json::exception&) { return sentence(); });
}

inline std::string safetensors_header(std::span<const TensorEntry> entries,
                                      const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  const auto add = [&header](const std::string& member) {
    if (header.back() != '{') header += ',';
    header += member;
  };
  if (!metadata.empty()) {
    add("\"__metadata__\":{");
    for (const auto& [key, value] : metadata) add(json_string(key) + ":" + json_string(value));
    header += "}";
  }
  std::unordered_set<std::string> names{"__metadata__"};
  std::size_t begin = 0;
  for (const auto& entry : entries) {
    const std::string what = "the tensor " + printable(entry.name);
    if (!names.insert(entry.name).second) throw_error(what, " is given twice, or its name is reserved");
    if (dtype_bits(entry.dtype) == 0) throw_error(what, " has the unknown dtype ", printable(entry.dtype));
    if (tensor_bytes(entry.shape, entry.dtype) != entry.data.size())
      throw_error(what, " of shape ", shape_text(entry.shape), " and dtype ", entry.dtype, " is given ",
                  entry.data.size(), " bytes");
    const std::size_t end = begin + entry.data.size();
    add(json_string(entry.name) + R"(:{"dtype":")" + entry.dtype + R"(","shape":)" + shape_text(entry.shape, ",") +
        R"(,"data_offsets":)" + shape_text(std::array{begin, end}, ",") + "}");
    begin = end;
  }
  header += '}';
  header.append((8 - header.size() % 8) % 8, ' ');  // the data begin at a multiple of 8 bytes
  if (header.size() > max_header_bytes) throw_error("the header has more than the 100000000 bytes that are allowed");
  return header;
}

}  // namespace detail

/// Writes the tensors in the given order, metadata first, by a temporary file that is renamed at the end.
/// Throws Error, one sentence that begins with the file's name, for a name given twice, an unknown dtype, a shape that
/// does not fit the bytes, text that is not UTF-8, and whatever hinders the writing; the target is then as it was.
inline void write_safetensors(const std::filesystem::path& path, std::span<const TensorEntry> entries,
                              const std::map<std::string, std::string>& metadata = {}) {
  const std::string header =
      aila::detail::rephrasing<Error>([&] { return detail::safetensors_header(entries, metadata); },
                                      [&](const Error& error) { return display_name(path) + ": " + error.what(); });
  const std::uint64_t header_bytes = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header_bytes, 1)));
  file.write(header);
  for (const auto& entry : entries) file.write(entry.data);
  file.commit();
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
