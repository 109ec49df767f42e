// How far the whole job is: many trainings, several at a time.
#pragma once

#include <aila/learn/progress.hpp>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace example {

/// Prints to stderr: on a terminal one line drawn over again, elsewhere a line every five seconds. May be called from
/// several threads at once.
class JobProgress {
 public:
  JobProgress(std::size_t runs, bool quiet);
  JobProgress(const JobProgress&) = delete;
  JobProgress& operator=(const JobProgress&) = delete;
  /// Ends the line where the job was broken off.
  ~JobProgress();

  /// A step of a run; `cost` is what an epoch of it takes, in any unit.
  void step(std::size_t run, const std::string& name, double cost, const aila::Progress& progress);
  void end(std::size_t run, double cost);
  /// The last line, with the time that all took.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  /// Work in units of cost: done so far, and expected in all.
  struct State {
    double done = 0;
    double cost = 0;    ///< of an epoch; 0 before the run has begun
    double epochs = 0;  ///< at most
    bool ended = false;
  };

  double seconds_left(double seconds) const;
  void print(const std::string& text);
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  std::mutex mutex_;
  std::vector<State> runs_;
  std::size_t ended_ = 0;
  bool quiet_;
  bool terminal_;
  std::size_t width_ = 0;
  Clock::time_point begin_;
  Clock::time_point printed_;
};

}  // namespace example
