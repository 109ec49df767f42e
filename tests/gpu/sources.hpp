// Sources of a program's own around those of the library.
#pragma once

#include <aila/aila.hpp>
#include <atomic>
#include <cstddef>

namespace gpu {

/// What a source loads, without saying what it makes it of.
template <class Source, class In>
struct Loaded {
  const Source* of;
  std::size_t size() const { return of->size(); }
  std::size_t targets_per_sample() const { return 1; }
  void load(std::size_t i, aila::SampleSlot<In, float>& slot) const { of->load(i, slot); }
};
/// Counts what it is asked to load.
template <class Source, class In>
struct Counted {
  Source of;
  mutable std::atomic<std::size_t> loads = 0;
  std::size_t size() const { return of.size(); }
  std::size_t targets_per_sample() const { return 1; }
  auto view() const { return of.view(); }
  void load(std::size_t i, aila::SampleSlot<In, float>& slot) const {
    ++loads;
    of.load(i, slot);
  }
};

}  // namespace gpu
