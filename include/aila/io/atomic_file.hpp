// Files written whole or not at all: a reader sees the old contents or the new ones, never a part.
#pragma once

#include "../core/macros_aside.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "../core/error.hpp"
#include "portable_file.hpp"
#include "posix_file.hpp"
#include "text.hpp"

namespace aila::inline v0::io {

/// Writes beside the target, under a name of its own, and renames on `commit()`. Without commit, or after a failure,
/// the temporary file is removed and the target is as it was. A target that is a symbolic link stays one.
/// Every failure throws Error, a sentence that begins with the target's name.
template <class File>
class BasicAtomicFile {
 public:
  explicit BasicAtomicFile(const std::filesystem::path& target) : target_(target), name_(display_name(target)) {
    std::error_code code;
    if (std::filesystem::is_symlink(target, code)) {
      const auto real = std::filesystem::weakly_canonical(target, code);
      if (!code) target_ = real;
    }
    const auto status = std::filesystem::status(target_, code);
    if (!target.has_filename() || std::filesystem::is_directory(status)) fail("expected a file, found a folder");
    // Renaming onto a device would replace it.
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
      fail("expected a regular file, found a device or a pipe");
    if (!std::filesystem::is_directory(folder(), code)) fail("there is no folder " + display_folder(target_));
    do temporary_ = folder() / unused_name();
    while (!file_.create(temporary_));
    if (!file_.failure().empty()) {
      temporary_.clear();
      check();
    }
    if (std::filesystem::exists(status)) file_.take_permissions_of(target_);
  }
  BasicAtomicFile(const BasicAtomicFile&) = delete;
  BasicAtomicFile& operator=(const BasicAtomicFile&) = delete;
  ~BasicAtomicFile() { discard(); }

  void write(std::span<const std::byte> bytes) {
    if (temporary_.empty()) fail("the file was written to after it was finished");
    file_.write(bytes);
    check();
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Gives the target its new contents. Throws Error where they may not be on the disk.
  void commit() {
    if (temporary_.empty()) fail("the file was finished twice");
    file_.flush_and_close();
    check();
    std::error_code code;
    std::filesystem::rename(temporary_, target_, code);
    if (code) {
      discard();
      fail("the finished file cannot be given its name in the folder " + display_folder(target_) + " (" +
           code.message() + ")");
    }
    temporary_.clear();
    file_.flush_folder(folder());
    check();
  }

 private:
  std::filesystem::path folder() const { return target_.has_parent_path() ? target_.parent_path() : "."; }

  /// Names differ between the threads of a process by the count and between processes by the time.
  static std::string unused_name() {
    static std::atomic<std::uint64_t> count{0};
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    return ".aila-" + std::to_string(now) + "-" + std::to_string(count++) + ".tmp";
  }
  void check() {
    if (file_.failure().empty()) return;
    const std::string reason = file_.failure();
    discard();
    fail("the file cannot be written into the folder " + display_folder(target_) + " (" + reason + ")");
  }
  void discard() noexcept {
    if (temporary_.empty()) return;
    std::error_code code;
    file_.close();
    std::filesystem::remove(temporary_, code);
    temporary_.clear();
  }
  [[noreturn]] void fail(const std::string& sentence) const { throw_error(name_, ": ", sentence); }

  std::filesystem::path target_;
  std::filesystem::path temporary_;  ///< empty where there is none
  std::string name_;
  File file_;
};

#if defined(__unix__) || defined(__APPLE__)
using AtomicFile = BasicAtomicFile<detail::PosixFile>;
#else
using AtomicFile = BasicAtomicFile<detail::PortableFile>;
#endif

/// Replaces the contents of a file, or makes it.
inline void write_text(const std::filesystem::path& target, std::string_view text) {
  AtomicFile file(target);
  file.write(text);
  file.commit();
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
