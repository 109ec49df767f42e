#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace works {

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

template <class F>
double time_of(F&& f) {
  const auto begin = Clock::now();
  f();
  return since(begin);
}

}  // namespace

Times measure(Run& run, double seconds) {
  const bool beside = run.beside() != nullptr;
  // Caches, branch predictors and the processor's clock: a tenth of the time, and what one call takes. The least
  // counts: whoever interrupts must not make a call look long.
  std::size_t calls = 1;
  double one = std::numeric_limits<double>::infinity();
  const auto warm = Clock::now();
  do {
    one = std::min(one, time_of([&] { run.repeat(calls); }) / static_cast<double>(calls));
    if (beside) run.repeat_beside(calls);
    if (one * static_cast<double>(calls) < 1e-4) calls *= 2;
  } while (since(warm) < 0.1 * seconds || one * static_cast<double>(calls) < 1e-4);
  // At most about 1000 numbers, each over at least a tenth of a millisecond.
  const double turn = std::max(1e-4, seconds / 1000);
  Times times;
  times.calls = std::max<std::size_t>(1, static_cast<std::size_t>(turn / one));
  const auto count = static_cast<double>(times.calls);
  const auto least =
      static_cast<std::size_t>(std::min(11.0, seconds / (one * count)));  // also where one was interrupted
  const auto begin = Clock::now();
  do {
    times.seconds.push_back(time_of([&] { run.repeat(times.calls); }) / count);
    if (beside) times.beside.push_back(time_of([&] { run.repeat_beside(times.calls); }) / count);
  } while (since(begin) < seconds || times.seconds.size() < least);
  return times;
}

Latency latency(Run& run, std::size_t calls) {
  std::vector<double> each(calls);
  for (std::size_t i = 0; i < std::min<std::size_t>(calls, 1000); ++i) run.repeat(1);
  for (double& seconds : each) seconds = time_of([&] { run.repeat(1); });
  std::ranges::sort(each);
  const auto quantile = [&](double q) {
    return each[std::min(calls - 1, static_cast<std::size_t>(q * static_cast<double>(calls)))];
  };
  return {calls, quantile(0.5), quantile(0.99), quantile(0.999), each.back()};
}

}  // namespace works
