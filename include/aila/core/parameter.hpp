// One tensor of parameters as a description lists it, and views of a layer's tensors inside the canonical array.
#pragma once

#include "macros_aside.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "arena.hpp"
#include "initialiser.hpp"

namespace aila::inline v0 {

enum class ParameterKind : std::uint8_t {
  trainable,
  frozen,  ///< part of a checkpoint, never changed by training
  buffer   ///< statistics that training collects, not by gradients
};

/// One tensor: its name inside its layer, extents in PyTorch's layout, first values, kind, and whether weights decay.
struct ParameterSpec {
  const char* name = "";
  int index = -1;  ///< of several tensors of one name: "projection.0", "projection.1"; -1 for none
  std::array<std::size_t, 4> extents{};
  std::size_t rank = 0;
  Initialiser initial{};
  ParameterKind kind = ParameterKind::trainable;
  bool decays = true;

  constexpr std::size_t size() const {
    std::size_t n = 1;
    for (std::size_t i = 0; i < rank; ++i) n *= extents[i];
    return n;
  }
  constexpr std::size_t padded_size() const { return round_up(size(), alignment_elements); }
  constexpr ParameterSpec at(std::size_t i) const {
    auto copy = *this;
    copy.index = static_cast<int>(i);
    return copy;
  }
  constexpr ParameterSpec without_decay() const {
    auto copy = *this;
    copy.decays = false;
    return copy;
  }
  constexpr ParameterSpec of_kind(ParameterKind k) const {
    auto copy = *this;
    copy.kind = k;
    return copy;
  }
};

/// A trainable tensor; biases and norms add `.without_decay()`.
constexpr ParameterSpec parameter(const char* name, std::initializer_list<std::size_t> extents, Initialiser initial) {
  ParameterSpec spec{.name = name, .initial = initial};
  for (std::size_t n : extents) spec.extents[spec.rank++] = n;
  return spec;
}

using NoParameters = std::array<ParameterSpec, 0>;

/// A layer's tensors inside an array of the canonical layout: `w[0]` is its first tensor, in the order of its table.
template <class T>
class TensorView {
 public:
  /// The offsets are there even where the array is not: composites take the views of their parts from them.
  constexpr TensorView(T* base, const std::uint32_t* offsets) : base_(base), offsets_(offsets) {}
  constexpr TensorView() = default;

  constexpr T* operator[](std::size_t tensor) const { return base_ + offsets_[tensor]; }
  /// Where the tensor begins in the canonical array.
  constexpr std::uint32_t offset(std::size_t tensor) const { return offsets_[tensor]; }
  constexpr T* base() const { return base_; }
  /// The view of a part whose first tensor is number `first` here.
  constexpr TensorView from(std::size_t first) const { return {base_, offsets_ + first}; }
  /// False where no gradient is asked for.
  constexpr explicit operator bool() const { return base_ != nullptr; }

 private:
  T* base_ = nullptr;
  const std::uint32_t* offsets_ = nullptr;
};

template <class Scalar>
using Weights = TensorView<const Scalar>;
template <class Scalar>
using Gradients = TensorView<Scalar>;

}  // namespace aila::inline v0

#include "macros_back.hpp"
