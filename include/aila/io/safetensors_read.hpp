// Reading safetensors files: a JSON header that names tensors, then their bytes.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../core/as_size.hpp"
#include "../core/error.hpp"
#include "input_file.hpp"
#include "memory_input.hpp"
#include "safetensors_header.hpp"
#include "tensor_entry.hpp"

namespace aila::inline v0::io {

/// A whole file in memory: 8 bytes of header length, the header, the tensors' bytes without holes or overlaps
/// (https://huggingface.co/docs/safetensors). Copies share the bytes, and entries live as long as any copy.
class SafetensorsFile {
 public:
  /// Throws Error, one sentence that begins with the file's name, for whatever is not such a file.
  static SafetensorsFile read(const std::filesystem::path& path) {
    InputFile input(path);
    return from(input);
  }
  /// The same of a file's contents; `name` is what messages call it.
  static SafetensorsFile parse(std::span<const std::byte> bytes, std::string name) {
    MemoryInput input(bytes, std::move(name));
    return from(input);
  }

  const std::string& name() const noexcept { return name_; }
  const std::vector<TensorEntry>& tensors() const noexcept { return tensors_; }  ///< in the header's order
  const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }

  /// The tensor of that name, or null.
  const TensorEntry* find(std::string_view name) const {
    const auto found = index_.find(std::string(name));
    return found == index_.end() ? nullptr : &tensors_[found->second];
  }
  /// The tensor of that name; throws Error where the file has none.
  const TensorEntry& at(std::string_view name) const {
    const auto* entry = find(name);
    if (entry == nullptr) fail("there is no tensor " + printable(name));
    return *entry;
  }
  /// The numbers of an F16, BF16, F32 or F64 tensor. Throws Error as `at` and the free function `as` do.
  template <class Scalar>
  std::vector<Scalar> as(std::string_view name) const {
    const auto& entry = at(name);
    return aila::detail::rephrasing<Error>([&] { return io::as<Scalar>(entry); },
                                           [this](const Error& error) { return named(error.what()); });
  }
  /// Throws Error: the file's name, then the sentence.
  [[noreturn]] void fail(const std::string& sentence) const { throw_error(named(sentence)); }

 private:
  std::string named(const std::string& sentence) const { return name_ + ": " + sentence; }
  template <class Input>
  static SafetensorsFile from(Input& input) {
    SafetensorsFile file;
    file.name_ = input.name();
    file.take(input);
    return file;
  }

  template <class Input>
  void take(Input& input) {
    if (input.size() == 0) fail("the file is empty");
    if (input.size() < 8) fail("the file has " + std::to_string(input.size()) + " bytes, a safetensors file 8 or more");
    std::uint64_t header_bytes = 0;
    input.read(std::as_writable_bytes(std::span(&header_bytes, 1)));
    if (header_bytes > max_header_bytes)
      fail("the header has " + std::to_string(header_bytes) + " bytes, at most 100000000 are allowed");
    if (header_bytes > input.size() - 8)
      fail("the header has " + std::to_string(header_bytes) + " bytes, after its length the file has only " +
           std::to_string(input.size() - 8));
    std::string header(aila::detail::as_size(header_bytes), '\0');
    input.read(std::as_writable_bytes(std::span(header)));
    if (!header.starts_with('{')) fail("the header does not begin with {, so this is no safetensors file");
    if (header.find('\0') != std::string::npos) fail("the header has a NUL byte in it");  // a parser may stop there

    detail::HeaderReader reader;
    aila::detail::rephrasing<Error>([&] { nlohmann::json::sax_parse(header, &reader); },
                                    [this](const Error& error) { return named(error.what()); });
    const std::uint64_t data_bytes = input.size() - 8 - header_bytes;
    check(reader.tensors, data_bytes);
    bytes_ = std::make_shared<std::vector<std::byte>>(aila::detail::as_size(data_bytes));
    input.read(*bytes_);
    metadata_ = std::move(reader.metadata);
    for (auto& [entry, begin, end] : reader.tensors) {
      entry.data = std::span(*bytes_).subspan(aila::detail::as_size(begin), aila::detail::as_size(end - begin));
      tensors_.push_back(std::move(entry));
    }
  }

  /// Every tensor has a name of its own and the bytes that its shape and type ask for; together they are the data. A
  /// type of a later version of the format may ask for any number of bytes: who needs no such tensor can read the rest.
  void check(const std::vector<detail::HeaderTensor>& tensors, std::uint64_t data_bytes) {
    std::vector<std::size_t> order;
    for (const auto& [entry, begin, end] : tensors) {
      const std::string what = "the tensor " + printable(entry.name);
      if (!index_.emplace(entry.name, order.size()).second) fail("there are two tensors " + printable(entry.name));
      if (end < begin) fail(what + " ends at byte " + std::to_string(end) + ", before its begin");
      if (end > data_bytes)
        fail(what + " ends at byte " + std::to_string(end) + " of the data, the file has only " +
             std::to_string(data_bytes));
      order.push_back(order.size());
      if (dtype_bits(entry.dtype) == 0) continue;
      const auto bytes = tensor_bytes(entry.shape, entry.dtype);
      if (!bytes) fail(what + " has the impossible shape " + shape_text(entry.shape));
      if (*bytes != end - begin)
        fail(what + " of shape " + shape_text(entry.shape) + " and dtype " + entry.dtype + " needs " +
             std::to_string(*bytes) + " bytes, its data_offsets give it " + std::to_string(end - begin));
    }
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(tensors[i].begin, tensors[i].end); });
    std::uint64_t used = 0;
    for (std::size_t i : order) {
      if (tensors[i].begin != used)
        fail("the tensor " + printable(tensors[i].entry.name) + " begins at byte " + std::to_string(tensors[i].begin) +
             (tensors[i].begin < used ? ", inside the tensor before it" : ", with a hole before it"));
      used = tensors[i].end;
    }
    if (used != data_bytes)
      fail("the tensors have " + std::to_string(used) + " bytes, the file has " + std::to_string(data_bytes));
  }

  std::string name_;
  std::shared_ptr<std::vector<std::byte>> bytes_;
  std::vector<TensorEntry> tensors_;
  std::unordered_map<std::string, std::size_t> index_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
