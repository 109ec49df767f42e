// Output to a new file by POSIX calls: bytes are on the disk before the file gets its name.
#pragma once

#include "../core/macros_aside.hpp"

#if defined(__unix__) || defined(__APPLE__)

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "../core/config.hpp"

namespace aila::inline v0::io::detail {

/// The same calls as PortableFile; failures are reported by `failure()`, empty while all is well.
class PosixFile {
 public:
  PosixFile() = default;
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() { close(); }

  /// False where a file of that name is there already: choose another name.
  bool create(const std::filesystem::path& path) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno == EEXIST) return false;
    if (descriptor_ < 0) note(errno);
    return true;
  }
  void write(std::span<const std::byte> bytes) {
    while (failure_.empty() && !bytes.empty()) {
      const auto written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written >= 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
      if (written < 0 && errno != EINTR) note(errno);
    }
  }
  /// A file that is replaced keeps its permissions; that it may not is no reason to lose the contents.
  void take_permissions_of(const std::filesystem::path& existing) const {
    struct ::stat status{};
    if (::stat(existing.c_str(), &status) != 0) return;
    [[maybe_unused]] const int result = ::fchmod(descriptor_, status.st_mode & 07777U);
  }
  void flush_and_close() {
    if (failure_.empty() && ::fsync(descriptor_) != 0 && !unsupported(errno)) note(errno);
    const int file = std::exchange(descriptor_, -1);
    if (file >= 0 && ::close(file) != 0 && errno != EINTR && failure_.empty()) note(errno);
  }
  void close() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  /// Makes a new name in the folder last; a folder that may not be opened for reading is left to the system.
  void flush_folder(const std::filesystem::path& folder) {
    descriptor_ = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) return;
    if (::fsync(descriptor_) != 0 && !unsupported(errno)) note(errno);
    close();
  }
  const std::string& failure() const noexcept { return failure_; }

 private:
  static bool unsupported(int code) { return code == EINVAL || code == ENOTSUP || code == EROFS; }
  void note(int code) { failure_ = std::generic_category().message(code); }

  int descriptor_ = -1;
  std::string failure_;
};

}  // namespace aila::inline v0::io::detail

#endif

#include "../core/macros_back.hpp"
