// Output to a new file by the standard library alone, for systems without POSIX.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <system_error>

#include "../core/config.hpp"

namespace aila::inline v0::io::detail {

/// Writes a file that did not exist before. Flushing hands the bytes to the system; the standard library has no way to
/// ask for more. Failures are reported by `failure()`, a reason for a message; empty while all is well.
class PortableFile {
 public:
  /// False where a file of that name is there already: choose another name.
  bool create(const std::filesystem::path& path) {
    std::error_code code;
    if (std::filesystem::exists(path, code)) return false;
    stream_.open(path, std::ios::binary | std::ios::trunc);
    if (!stream_) failure_ = "the file cannot be created there";
    return true;
  }
  void write(std::span<const std::byte> bytes) {
    if (!failure_.empty()) return;
    stream_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!stream_) failure_ = "the system refused the bytes, as a full disk does";
  }
  void take_permissions_of(const std::filesystem::path&) const {}
  void flush_and_close() {
    stream_.close();
    if (!stream_ && failure_.empty()) failure_ = "the system refused the bytes, as a full disk does";
  }
  void close() noexcept { stream_.close(); }
  void flush_folder(const std::filesystem::path&) {}
  const std::string& failure() const noexcept { return failure_; }

 private:
  std::ofstream stream_;
  std::string failure_;
};

}  // namespace aila::inline v0::io::detail

#include "../core/macros_back.hpp"
