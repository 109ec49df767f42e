// Where a source writes a sample.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstdint>

#include "../backend/kernel.hpp"

namespace aila::inline v0 {

/// Where one sample is written: its input and targets; length and weight may be changed from all steps and 1. A length
/// is from 1 to the number of steps; of an input without steps it stays as it is.
template <class In, class Scalar>
struct SampleSlot {
  ElementOf<In, Scalar>* input = nullptr;
  Scalar* targets = nullptr;
  std::size_t target_count = 0;
  std::int32_t length = static_cast<std::int32_t>(In::extents[0]);
  Scalar weight = Scalar(1);
  std::uint64_t epoch = 0;  ///< for augmentation
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
