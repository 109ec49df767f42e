// One line for a job of many trainings.
#include "progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace example {

JobProgress::JobProgress(std::size_t runs, bool quiet)
    : runs_(runs), quiet_(quiet), terminal_(isatty(fileno(stderr)) != 0), begin_(Clock::now()), printed_(begin_) {}

JobProgress::~JobProgress() {
  if (width_ > 0) std::fputc('\n', stderr);
}

void JobProgress::step(std::size_t run, const std::string& name, double cost, const aila::Progress& progress) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  const double epochs = static_cast<double>(progress.epoch - 1) +
                        static_cast<double>(progress.step) / static_cast<double>(progress.steps);
  runs_[run] = {.done = epochs * cost, .cost = cost, .epochs = static_cast<double>(progress.epochs), .ended = false};
  const auto gap = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
  if (Clock::now() - printed_ < gap) return;
  char loss[32];
  std::snprintf(loss, sizeof loss, "%.4f", progress.loss);
  print(std::to_string(ended_) + "/" + std::to_string(runs_.size()) + " trainings  " + name + "  epoch " +
        std::to_string(progress.epoch) + "/" + std::to_string(progress.epochs) + "  loss " + loss + "  about " +
        aila::duration_text(seconds_left(seconds())) + " left");
}

void JobProgress::end(std::size_t run, double cost) {
  const std::lock_guard lock(mutex_);
  ++ended_;
  runs_[run].cost = cost;
  runs_[run].ended = true;
}

void JobProgress::finish() {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  print(std::to_string(ended_) + "/" + std::to_string(runs_.size()) + " trainings in " +
        aila::duration_text(seconds()));
}

/// A training may stop early: those that have not ended are taken to run as many epochs as those that have, on average,
/// and those that have not begun to cost as much an epoch as those that have.
double JobProgress::seconds_left(double seconds) const {
  double done = 0, costs = 0, begun = 0, ended_epochs = 0, most_epochs = 0;
  for (const auto& r : runs_) {
    if (r.cost == 0) continue;
    done += r.done;
    costs += r.cost;
    begun += 1;
    most_epochs = r.epochs;
    if (r.ended) ended_epochs += r.done / r.cost;
  }
  const double expected_epochs = ended_ > 0 ? ended_epochs / static_cast<double>(ended_) : most_epochs;
  double left = 0;
  for (const auto& r : runs_)
    if (!r.ended) left += std::max(expected_epochs * (r.cost > 0 ? r.cost : costs / begun) - r.done, 0.0);
  return seconds * left / done;
}

void JobProgress::print(const std::string& text) {
  printed_ = Clock::now();
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  const std::size_t wipe = width_ > text.size() ? width_ - text.size() : 0;
  std::fprintf(stderr, "\r%s%s", text.c_str(), std::string(wipe, ' ').c_str());
  width_ = text.size();
}

}  // namespace example
