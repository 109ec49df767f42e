// Chains beside whose layers the input goes on: added, or concatenated.
#pragma once

#include "../core/macros_aside.hpp"

#include "chain.hpp"

namespace aila::inline v0 {

/// y = x + Chain<layers...>(x); the layers keep the shape.
template <class... Layers>
struct Residual : Chain<Layers...> {
  static constexpr const char* name = "residual";
  static constexpr Joint joint = Joint::adds;

  /// Where a layer inside was refused, the error is that layer's.
  template <class In, class Result = typename Chain<Layers...>::template Out<In>>
  static constexpr bool keeps_shape = std::is_same_v<Result, In> || detail::Refused<Result>;
  template <class In>
  static constexpr bool accepts = [] {
    if constexpr (RealShape<In>) return keeps_shape<In>;
    return false;
  }();
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: Residual takes real features; embed tokens first");
    if constexpr (real) {
      constexpr bool keeps = keeps_shape<In>;
      static_assert(keeps, "aila: the layers inside Residual must give back the shape they take");
    }
    return 0;
  }
  template <class In>
  static consteval std::size_t flops() {
    return Chain<Layers...>::template flops<In>() + In::elements;
  }
};

/// y = [x, Chain<layers...>(x)], features of x first; the layers keep the positions. A block of the published DenseNet
/// (arXiv 1608.06993) is a Repeat of it.
template <class... Layers>
struct Concat : Chain<Layers...> {
  static constexpr const char* name = "concatenate";
  static constexpr Joint joint = Joint::concatenates;

 private:
  template <class In>
  using Inner = typename Chain<Layers...>::template Out<In>;
  template <class In, class Result = Inner<In>>
  static constexpr bool keeps_positions = detail::Refused<Result> || [] {
    if constexpr (RealShape<Result> && Result::rank == In::rank)
      return std::is_same_v<WithFeatures<Result, In::features>, In>;
    return false;
  }();
  template <class In, class Result>
  struct Joined {
    using type = WithFeatures<In, In::features + Result::features>;
  };
  template <class In, detail::Refused Result>
  struct Joined<In, Result> {
    using type = Result;
  };

 public:
  template <class In>
  using Out = typename Joined<In, Inner<In>>::type;
  template <class In>
  static constexpr bool accepts = [] {
    if constexpr (RealShape<In>) return keeps_positions<In>;
    return false;
  }();
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: Concat takes real features; embed tokens first");
    if constexpr (real) {
      constexpr bool keeps = keeps_positions<In>;
      static_assert(keeps, "aila: the layers inside Concat must keep the positions of their input");
    }
    return 0;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
