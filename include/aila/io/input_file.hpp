// A file opened for reading, with its size known before a byte is read.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "../core/as_size.hpp"
#include "../core/error.hpp"
#include "../core/no_memory.hpp"
#include "text.hpp"

namespace aila::inline v0::io {

/// Opens a regular file. Throws Error for a missing file, a folder, a device or a file that may not be read.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : name_(display_name(path)) {
    std::error_code code;
    const auto status = std::filesystem::status(path, code);
    if (!std::filesystem::exists(status)) fail("there is no such file in the folder " + display_folder(path));
    if (std::filesystem::is_directory(status)) fail("expected a file, found a folder");
    // A pipe or a device has no size to check a header against, and may never end.
    if (!std::filesystem::is_regular_file(status)) fail("expected a regular file, found a device or a pipe");
    const auto size = std::filesystem::file_size(path, code);
    stream_.open(path, std::ios::binary);
    if (code || !stream_) fail("the file cannot be opened for reading");
    size_ = size;
  }

  const std::string& name() const noexcept { return name_; }
  std::uint64_t size() const noexcept { return size_; }

  /// Fills `into` with the next bytes; throws Error where the file ends before.
  void read(std::span<std::byte> into) {
    stream_.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
    if (!stream_)
      fail("reading " + std::to_string(into.size()) + " bytes failed before the end of the file was reached");
  }

  /// Throws Error: the file's name, then the sentence.
  [[noreturn]] void fail(const std::string& sentence) const { throw_error(name_, ": ", sentence); }

 private:
  std::string name_;
  std::uint64_t size_ = 0;
  std::ifstream stream_;
};

namespace detail {

/// The whole file in a Bytes. Throws Error where there is no memory for it.
template <class Bytes>
Bytes read_all(const std::filesystem::path& path) {
  InputFile file(path);
  Bytes bytes = aila::detail::or_no_memory(
      [&] { return Bytes(aila::detail::as_size(file.size()), typename Bytes::value_type{}); },
      [&] { return file.name() + ": there is no memory for its " + std::to_string(file.size()) + " bytes"; });
  file.read(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

}  // namespace detail

/// The whole file as text.
inline std::string read_text(const std::filesystem::path& path) {
  return detail::read_all<std::string>(path);
}

/// The whole file as bytes.
inline std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
  return detail::read_all<std::vector<std::byte>>(path);
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
