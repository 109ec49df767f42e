// Prints the progress of a training. Not part of aila.hpp: a program that wants it includes it.
#pragma once

#include "../core/macros_aside.hpp"

#include <chrono>
#include <cstdio>
#include <string>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

#include "../core/error.hpp"
#include "progress.hpp"

namespace aila::inline v0 {

/// Prints progress_line to a stream, stderr by default, by `console(progress)`. On a terminal one line is drawn over
/// again, at most ten times a second; elsewhere lines follow one another, at most one a second. The end of training is
/// always printed, and what was held back last is printed by finish(), which the destructor calls. One thread at a
/// time.
class Console {
 public:
  enum class Style { automatic, terminal, lines };

  explicit Console(std::FILE* out = stderr, Style style = Style::automatic)
      : out_(out), redraws_(style == Style::automatic ? is_terminal(out) : style == Style::terminal) {}
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  ~Console() {
    detail::catching([this] { finish(); }, [] {});  // no memory for a line of text: nothing to tell
  }

  void operator()(const Progress& progress) {
    last_ = progress;
    held_back_ = true;
    const auto now = Clock::now();
    const auto gap = redraws_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(1000);
    if (progress.ends_training() || !printed_ || now - time_ >= gap) print(now);
    if (progress.ends_training()) finish();
  }

  /// Prints what was held back and ends the line. The console may be used again.
  void finish() {
    if (held_back_) print(Clock::now());
    if (redraws_ && width_ > 0) std::fputc('\n', out_);
    std::fflush(out_);
    width_ = 0;
    printed_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static bool is_terminal(std::FILE* stream) {
#if defined(_WIN32)
    return _isatty(_fileno(stream)) != 0;
#else
    return ::isatty(::fileno(stream)) != 0;
#endif
  }

  void print(Clock::time_point now) {
    std::string line = progress_line(last_);
    const std::size_t width = line.size();
    if (redraws_) {
      if (width < width_) line.append(width_ - width, ' ');  // wipes what a longer line left
      line.insert(line.begin(), '\r');
    } else {
      line += '\n';
    }
    std::fputs(line.c_str(), out_);
    std::fflush(out_);
    width_ = width;
    time_ = now;
    printed_ = true;
    held_back_ = false;
  }

  std::FILE* out_;
  bool redraws_;
  bool printed_ = false;
  bool held_back_ = false;
  std::size_t width_ = 0;
  Progress last_;
  Clock::time_point time_;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
