// Shapes of feature maps, known to the compiler: positions first, features innermost.
#pragma once

#include "macros_aside.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include "refusal.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t... Extents>
struct ShapeOfNothing {
  static consteval int say() {
    constexpr bool positive = sizeof...(Extents) > 0 && ((Extents > 0) && ...);
    static_assert(positive, "aila: a shape needs at least one extent and no extent of zero");
    return 0;
  }
};
template <std::size_t Steps>
struct TokensOfNothing {
  static consteval int say() {
    constexpr bool positive = Steps > 0;
    static_assert(positive, "aila: Tokens needs at least one step");
    return 0;
  }
};
}  // namespace detail

/// A map of real numbers `[positions..., features]` of one sample; the batch is not part of a type.
/// The general form; `Vector`, `Sequence` and `Image` name the usual ones.
template <std::size_t... Extents>
struct Shape {
  static constexpr bool is_shape = true;
  static constexpr bool is_tokens = false;
  static constexpr std::size_t rank = sizeof...(Extents);
  using Refusal =
      std::conditional_t<(rank > 0 && ((Extents > 0) && ...)), detail::NoRefusal, detail::ShapeOfNothing<Extents...>>;
  static constexpr std::array<std::size_t, rank> extents{Extents...};
  static constexpr std::size_t elements = (Extents * ... * 1);
  static constexpr std::size_t features = rank == 0 ? 0 : extents[rank - 1];
  static constexpr std::size_t positions = features == 0 ? 0 : elements / features;
};

/// `[features]`: one position.
template <std::size_t Features>
using Vector = Shape<Features>;

/// `[steps, features]`: a length may travel with each sample (`Samples::lengths`); later steps are padding.
template <std::size_t Steps, std::size_t Features>
using Sequence = Shape<Steps, Features>;

/// `[height, width, channels]`.
template <std::size_t Height, std::size_t Width, std::size_t Channels>
using Image = Shape<Height, Width, Channels>;

/// `[steps]` of int32 token numbers, with a length per sample.
template <std::size_t Steps>
struct Tokens {
  using Refusal = std::conditional_t<(Steps > 0), detail::NoRefusal, detail::TokensOfNothing<Steps>>;
  static constexpr bool is_shape = true;
  static constexpr bool is_tokens = true;
  static constexpr std::size_t rank = 1;
  static constexpr std::array<std::size_t, 1> extents{Steps};
  static constexpr std::size_t elements = Steps;
  static constexpr std::size_t features = 1;
  static constexpr std::size_t positions = Steps;
};

template <class S>
concept AnyShape = requires { requires S::is_shape; };
template <class S>
concept RealShape = AnyShape<S> && !S::is_tokens;
template <class S>
concept VectorShape = RealShape<S> && S::rank == 1;
template <class S>
concept SequenceShape = RealShape<S> && S::rank == 2;
template <class S>
concept ImageShape = RealShape<S> && S::rank == 3;

namespace detail {
/// The output of what was refused: placing asks nothing more of it.
template <class Why>
struct RefusedShape : Vector<1> {
  using Refusal = Why;
};
}  // namespace detail

namespace detail {
template <class S, class Indices, std::size_t Features>
struct Rewidened;
template <class S, std::size_t... I, std::size_t Features>
struct Rewidened<S, std::index_sequence<I...>, Features> {
  using type = Shape<S::extents[I]..., Features>;
};
}  // namespace detail

/// The positions of S with another number of features.
template <RealShape S, std::size_t Features>
using WithFeatures = typename detail::Rewidened<S, std::make_index_sequence<S::rank - 1>, Features>::type;

/// Whether average pooling over whole windows brings From's positions to To's: equal rank, every extent divides.
template <class From, class To>
constexpr bool pools_to() {
  if (From::rank != To::rank) return false;
  for (std::size_t i = 0; i + 1 < To::rank; ++i)
    if (From::extents[i] % To::extents[i] != 0) return false;
  return true;
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
