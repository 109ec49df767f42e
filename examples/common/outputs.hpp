// The files that a program writes: their places are tried before it works for hours, and one that fails takes no other
// along.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace example {

/// The files that a program is to write, each tried before the work whose fruits it is to hold.
class Places {
 public:
  /// A file that the program reads; none that it writes may be the same.
  void reads(const char* option, const std::filesystem::path& path);
  /// Throws aila::Error, which begins with the option, where a file cannot be written there, and where it is one that
  /// the program reads or writes already, by whatever name. Nothing is left of the attempt.
  void writes(const char* option, const std::filesystem::path& path);

 private:
  struct Place {
    std::string option;
    const char* use;  ///< "reads" or "writes"
    std::filesystem::path file;
  };
  std::vector<Place> places_;
};

/// Throws aila::Error where `text`, which `what` names, cannot be in the metadata of a model: where it is not UTF-8 or
/// has a NUL in it.
void require_saveable(const std::string& what, const std::string& text);

/// The last steps of a program: each is taken though one before it failed.
class LastSteps {
 public:
  explicit LastSteps(std::string program) : program_(std::move(program)) {}

  /// Whether `step` came to its end; what it throws becomes one line on stderr that begins with the program's name.
  bool take(const std::function<void()>& step);
  /// The step that writes what `text` gives into a file, which `what` names; a text that is empty is not written.
  void write(const char* what, const std::filesystem::path& file, const std::function<std::string()>& text);
  /// A file that was written otherwise.
  void wrote(const char* what, const std::filesystem::path& file);
  /// What was written, a line each.
  const std::string& written() const { return written_; }
  /// A step that failed before.
  void failed(const std::string& sentence);
  /// What the program gives back: 0, or 2 where a step failed.
  int code() const { return code_; }

 private:
  std::string program_, written_;
  int code_ = 0;
};

}  // namespace example
