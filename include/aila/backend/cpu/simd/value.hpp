// What V is in a body on the CPU: a register with the operators of a number, and a sentence for what it is not.
//
// A batch of xsimd would compute the same. But who takes it for a number, in std::exp(x), is told of all functions that
// there are, and what it gives when compared is a condition to the compiler on AVX-512, where `?:` takes one side for
// all lanes. So both conversions are there, and say why there should be none.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <type_traits>

#include "batch.hpp"

namespace aila::inline v0::simd {

template <class T>
concept Number = std::is_arithmetic_v<T>;

// Bases, so that what is wrong for float and for double is said once.

/// For functions of std, which take one number.
template <class One = void>
struct NotOneNumber {
  operator double() const noexcept {
    constexpr bool one = !std::is_void_v<One>;
    static_assert(one, "aila: V is not one number; write math::exp(x) for std::exp(x)");
    return 0;
  }
};
/// For ?:, if and std::max.
template <class One = void>
struct NotOneBool {
  explicit operator bool() const noexcept {
    constexpr bool one = !std::is_void_v<One>;
    static_assert(one, "aila: a > b is not one bool; write math::select(a > b, x, y)");
    return one;
  }
};

/// A comparison of values, lane by lane, for math::select.
template <class Scalar, class Arch>
struct Mask : NotOneBool<> {
  using M = Mask;
  using Bools = xsimd::batch_bool<Scalar, Arch>;

  Bools lanes;

  [[gnu::always_inline]] Mask(const Bools& bools) noexcept : lanes(bools) {}

  [[gnu::always_inline]] friend M operator!(const M& a) noexcept { return !a.lanes; }
  [[gnu::always_inline]] friend M operator~(const M& a) noexcept { return ~a.lanes; }
  [[gnu::always_inline]] friend M operator&(const M& a, const M& b) noexcept { return a.lanes & b.lanes; }
  [[gnu::always_inline]] friend M operator|(const M& a, const M& b) noexcept { return a.lanes | b.lanes; }
  [[gnu::always_inline]] friend M operator^(const M& a, const M& b) noexcept { return a.lanes ^ b.lanes; }
  [[gnu::always_inline]] friend M operator&&(const M& a, const M& b) noexcept { return a.lanes && b.lanes; }
  [[gnu::always_inline]] friend M operator||(const M& a, const M& b) noexcept { return a.lanes || b.lanes; }
  [[gnu::always_inline]] friend M operator==(const M& a, const M& b) noexcept { return a.lanes == b.lanes; }
  [[gnu::always_inline]] friend M operator!=(const M& a, const M& b) noexcept { return a.lanes != b.lanes; }
};

/// `size` Scalars that are computed on at once. A number stands for itself in every lane.
template <class Scalar, class Arch>
struct Value : NotOneNumber<> {
  using value_type = Scalar;
  using V = Value;
  using M = Mask<Scalar, Arch>;
  static constexpr std::size_t size = width<Scalar, Arch>;

  Batch<Scalar, Arch> lanes;

  Value() = default;
  [[gnu::always_inline]] Value(Number auto number) noexcept : lanes(static_cast<Scalar>(number)) {}
  [[gnu::always_inline]] explicit Value(const Batch<Scalar, Arch>& batch) noexcept : lanes(batch) {}
  /// 1 where the mask holds, else 0.
  [[gnu::always_inline]] explicit Value(const M& mask) noexcept : lanes(mask.lanes) {}

  [[gnu::always_inline]] static V load_unaligned(const Scalar* from) noexcept {
    return V(simd::load<Scalar, Arch>(from));
  }
  [[gnu::always_inline]] void store_unaligned(Scalar* to) const noexcept { simd::store(to, lanes); }

  [[gnu::always_inline]] V& operator+=(const V& b) noexcept { return *this = *this + b; }
  [[gnu::always_inline]] V& operator-=(const V& b) noexcept { return *this = *this - b; }
  [[gnu::always_inline]] V& operator*=(const V& b) noexcept { return *this = *this * b; }
  [[gnu::always_inline]] V& operator/=(const V& b) noexcept { return *this = *this / b; }
  [[gnu::always_inline]] friend V operator-(const V& a) noexcept { return V(-a.lanes); }
  [[gnu::always_inline]] friend V operator+(const V& a) noexcept { return a; }
  [[gnu::always_inline]] friend V operator+(const V& a, const V& b) noexcept { return V(a.lanes + b.lanes); }
  [[gnu::always_inline]] friend V operator-(const V& a, const V& b) noexcept { return V(a.lanes - b.lanes); }
  [[gnu::always_inline]] friend V operator*(const V& a, const V& b) noexcept { return V(a.lanes * b.lanes); }
  [[gnu::always_inline]] friend V operator/(const V& a, const V& b) noexcept { return V(a.lanes / b.lanes); }
  [[gnu::always_inline]] friend M operator<(const V& a, const V& b) noexcept { return a.lanes < b.lanes; }
  [[gnu::always_inline]] friend M operator>(const V& a, const V& b) noexcept { return a.lanes > b.lanes; }
  [[gnu::always_inline]] friend M operator<=(const V& a, const V& b) noexcept { return a.lanes <= b.lanes; }
  [[gnu::always_inline]] friend M operator>=(const V& a, const V& b) noexcept { return a.lanes >= b.lanes; }
  [[gnu::always_inline]] friend M operator==(const V& a, const V& b) noexcept { return a.lanes == b.lanes; }
  [[gnu::always_inline]] friend M operator!=(const V& a, const V& b) noexcept { return a.lanes != b.lanes; }

  // One of both may be a number; without these it were as good to the compiler to make a number of the other.
  [[gnu::always_inline]] friend V operator+(const V& a, Number auto b) noexcept { return a + V(b); }
  [[gnu::always_inline]] friend V operator-(const V& a, Number auto b) noexcept { return a - V(b); }
  [[gnu::always_inline]] friend V operator*(const V& a, Number auto b) noexcept { return a * V(b); }
  [[gnu::always_inline]] friend V operator/(const V& a, Number auto b) noexcept { return a / V(b); }
  [[gnu::always_inline]] friend V operator+(Number auto a, const V& b) noexcept { return V(a) + b; }
  [[gnu::always_inline]] friend V operator-(Number auto a, const V& b) noexcept { return V(a) - b; }
  [[gnu::always_inline]] friend V operator*(Number auto a, const V& b) noexcept { return V(a) * b; }
  [[gnu::always_inline]] friend V operator/(Number auto a, const V& b) noexcept { return V(a) / b; }
  [[gnu::always_inline]] friend M operator<(const V& a, Number auto b) noexcept { return a < V(b); }
  [[gnu::always_inline]] friend M operator>(const V& a, Number auto b) noexcept { return a > V(b); }
  [[gnu::always_inline]] friend M operator<=(const V& a, Number auto b) noexcept { return a <= V(b); }
  [[gnu::always_inline]] friend M operator>=(const V& a, Number auto b) noexcept { return a >= V(b); }
  [[gnu::always_inline]] friend M operator==(const V& a, Number auto b) noexcept { return a == V(b); }
  [[gnu::always_inline]] friend M operator!=(const V& a, Number auto b) noexcept { return a != V(b); }
  [[gnu::always_inline]] friend M operator<(Number auto a, const V& b) noexcept { return V(a) < b; }
  [[gnu::always_inline]] friend M operator>(Number auto a, const V& b) noexcept { return V(a) > b; }
  [[gnu::always_inline]] friend M operator<=(Number auto a, const V& b) noexcept { return V(a) <= b; }
  [[gnu::always_inline]] friend M operator>=(Number auto a, const V& b) noexcept { return V(a) >= b; }
  [[gnu::always_inline]] friend M operator==(Number auto a, const V& b) noexcept { return V(a) == b; }
  [[gnu::always_inline]] friend M operator!=(Number auto a, const V& b) noexcept { return V(a) != b; }
};

/// What an element-wise layer makes of a register.
template <class Layer, class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> value_of(const xsimd::batch<Scalar, Arch>& x) noexcept {
  return Layer::value(Value<Scalar, Arch>(x)).lanes;
}
/// And its slope there.
template <class Layer, class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> slope_of(const xsimd::batch<Scalar, Arch>& x) noexcept {
  const Value<Scalar, Arch> value(x);
  return Layer::slope(value, Layer::value(value)).lanes;
}

}  // namespace aila::inline v0::simd

#include "../../../core/macros_back.hpp"
