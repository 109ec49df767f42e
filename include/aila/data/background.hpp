// Samples loaded ahead of a training run, by threads of their own, while the network computes.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../core/error.hpp"
#include "../core/no_memory.hpp"
#include "../learn/source.hpp"
#include "load_queue.hpp"

namespace aila::inline v0::data {

/// A SampleSource that gives the samples of another one, which must outlive it, and loads them beforehand in the order
/// in which `fit` with the same seed reads them. The numbers are the other source's in every case: a sample that was
/// not foreseen, or is not there yet, is loaded on the spot. Epoch 0, which is that of evaluation, is not foreseen.
///
/// It pays where loading takes a notable share of a step and a processor is free; a sample costs one copy more. Not for
/// images on a GPU, which makes batches of the other source's by itself.
template <class In, class Scalar = float>
class Background {
 public:
  static constexpr std::size_t most_threads = 1024;

  /// Without threads all is loaded on the spot. Throws Error for more than `most_threads`, where a thread cannot be
  /// started, and where there is no memory for the samples ahead.
  explicit Background(SourceRef<In, Scalar> source, const BackgroundOptions& options = {})
      : queue_(queue_of(source, options)) {
    aila::detail::rephrasing<std::exception>(
        [&] {
          for (std::size_t i = 0; i < options.threads; ++i)
            threads_.emplace_back([queue = queue_.get()] { queue->work(); });
        },
        [&](const std::exception& error) {
          stop();
          return std::string("background: a thread could not be started: ") + error.what();
        });
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() { stop(); }

  std::size_t size() const { return queue_->source().size(); }
  std::size_t targets_per_sample() const { return queue_->source().targets_per_sample(); }
  /// How many samples were there when they were asked for.
  std::size_t foreseen() const { return queue_->foreseen(); }

  void load(std::size_t index, SampleSlot<In, Scalar>& slot) const {
    if (slot.epoch == 0 || !queue_->take(index, slot)) queue_->source().load(index, slot);
  }

 private:
  using Queue = detail::LoadQueue<In, Scalar>;

  static std::unique_ptr<Queue> queue_of(const SourceRef<In, Scalar>& source, const BackgroundOptions& options) {
    if (options.threads > most_threads)
      throw_error("background: expected at most ", most_threads, " threads, found ", options.threads);
    return aila::detail::or_no_memory([&] { return std::make_unique<Queue>(source, options); },
                                      [&] {
                                        return "background: there is no memory for " +
                                               std::to_string(std::min(options.ahead, source.size())) + " of " +
                                               std::to_string(source.size()) + " samples";
                                      });
  }

  void stop() {
    queue_->stop();
    for (std::thread& thread : threads_) thread.join();
  }

  std::unique_ptr<Queue> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
