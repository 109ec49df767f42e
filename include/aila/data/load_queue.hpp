// The samples of an epoch on their way from the threads that load them to those that compute.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "../core/error.hpp"
#include "../core/random.hpp"
#include "../learn/source.hpp"

namespace aila::inline v0::data {

struct BackgroundOptions {
  Seed seed{};              ///< that of the training run: it gives the order of an epoch's samples
  bool shuffle = true;      ///< as the training run has it
  std::size_t ahead = 256;  ///< most samples that are loaded before they are asked for: two batches or more
  std::size_t threads = 1;  ///< that load
};

namespace detail {

/// The sample at place p of an epoch's order is loaded into entry p mod `ahead`, once the sample that was there before
/// is taken; samples may be asked for in any order. All is guarded by one lock but the contents of an entry while it is
/// filled or copied, and those states keep everybody else away from it.
template <class In, class Scalar>
class LoadQueue {
 public:
  LoadQueue(SourceRef<In, Scalar> source, const BackgroundOptions& options)
      : source_(source),
        options_(options),
        order_(source.size()),
        places_(source.size()),
        next_(source.size()),
        states_(source.size(), State::waiting),
        entries_(std::max<std::size_t>(std::min(options.ahead, source.size()), 1)) {
    for (Entry& entry : entries_) {
      entry.input.resize(In::elements);
      entry.targets.resize(source.targets_per_sample());
    }
  }

  const SourceRef<In, Scalar>& source() const { return source_; }
  std::size_t foreseen() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return foreseen_;
  }

  /// Copies the sample where it was loaded ahead; false where the caller is to load it.
  bool take(std::size_t index, SampleSlot<In, Scalar>& slot) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (slot.epoch != epoch_) begin(slot.epoch, lock);
    const std::size_t place = places_[index];
    Entry& entry = entries_[place % entries_.size()];
    const bool is_here = states_[place] == State::ready || states_[place] == State::failed;
    const bool ready = states_[place] == State::ready && slot.target_count <= entry.targets.size();
    if (ready) {
      states_[place] = State::copied_now;
      ++busy_;
      lock.unlock();
      std::ranges::copy(entry.input, slot.input);
      std::copy_n(entry.targets.data(), slot.target_count, slot.targets);
      slot.length = entry.slot.length;
      slot.weight = entry.slot.weight;
      lock.lock();
      ++foreseen_;
      release();
    } else if (states_[place] == State::copied_now) {
      return false;  // two callers ask for one sample: the other one frees the entry
    } else if (states_[place] == State::filled_now || states_[place] == State::not_wanted) {
      // Not waited for: the thread that loads it may have lost its processor.
      states_[place] = State::not_wanted;
      return false;
    }
    taken_ += states_[place] == State::taken ? 0U : 1U;
    states_[place] = State::taken;
    if (is_here) entry.is_used = false;
    if (worth_waking()) room_.notify_all();
    return ready;
  }

  /// Loads samples until `stop` is called.
  void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      while (next_ < order_.size() && states_[next_] != State::waiting) ++next_;
      if (!next_is_free()) room_.wait(lock, [&] { return stopping_ || (next_is_free() && worth_waking()); });
      if (stopping_) return;
      const std::size_t place = next_++;
      if (states_[place] != State::waiting) continue;
      states_[place] = State::filled_now;
      ++busy_;
      Entry& entry = entries_[place % entries_.size()];
      entry.is_used = true;
      entry.slot = SampleSlot<In, Scalar>{.input = entry.input.data(),
                                          .targets = entry.targets.data(),
                                          .target_count = entry.targets.size(),
                                          .epoch = epoch_};
      const std::size_t index = order_[place];
      lock.unlock();
      bool loaded = true;
      // where it throws, whoever asks for the sample loads it again and gets the exception
      aila::detail::catching([&] { source_.load(index, entry.slot); }, [&] { loaded = false; });
      lock.lock();
      taken_ += states_[place] == State::not_wanted ? 1U : 0U;
      entry.is_used = states_[place] != State::not_wanted;
      states_[place] = states_[place] == State::not_wanted ? State::taken : loaded ? State::ready : State::failed;
      release();
    }
  }

  void stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    room_.notify_all();
  }

 private:
  enum class State : std::uint8_t { waiting, filled_now, not_wanted, ready, failed, copied_now, taken };

  struct Entry {
    std::vector<ElementOf<In, Scalar>> input;
    std::vector<Scalar> targets;
    SampleSlot<In, Scalar> slot;
    bool is_used = false;  ///< from when it is filled to when its sample is taken, whichever place that has
  };

  /// Starts an epoch, when no entry of the one before is in use.
  void begin(std::uint64_t epoch, std::unique_lock<std::mutex>& lock) {
    next_ = order_.size();
    idle_.wait(lock, [&] { return busy_ == 0 || epoch_ == epoch; });
    if (epoch_ == epoch) return;
    epoch_ = epoch;
    if (options_.shuffle)
      permutation(options_.seed, epoch, order_);
    else
      for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
    for (std::size_t i = 0; i < order_.size(); ++i) places_[order_[i]] = i;
    std::ranges::fill(states_, State::waiting);
    for (Entry& entry : entries_) entry.is_used = false;
    next_ = taken_ = 0;
    room_.notify_all();
  }

  /// Ends the use of an entry.
  void release() {
    if (--busy_ == 0) idle_.notify_all();
  }

  bool next_is_free() const { return next_ < order_.size() && !entries_[next_ % entries_.size()].is_used; }

  /// A thread that found no room is woken when half of it is free: not for one sample, which costs more than it saves.
  bool worth_waking() const { return next_ <= taken_ + entries_.size() / 2; }

  SourceRef<In, Scalar> source_;
  BackgroundOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable room_;  ///< waited for by threads that load
  std::condition_variable idle_;  ///< waited for by the thread that begins an epoch
  std::uint64_t epoch_ = 0;
  std::vector<std::size_t> order_;
  std::vector<std::size_t> places_;  ///< of each sample in the order
  std::size_t next_;                 ///< place that is loaded next
  std::size_t taken_ = 0;            ///< places of the epoch that are done with
  std::vector<State> states_;        ///< of each place
  std::vector<Entry> entries_;
  std::size_t busy_ = 0;  ///< entries that are filled or copied now
  std::size_t foreseen_ = 0;
  bool stopping_ = false;
};

}  // namespace detail

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
