// How a tensor gets its first values; initialise.hpp fills it.
#pragma once

#include "macros_aside.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "math.hpp"

namespace aila::inline v0 {

/// A rule and its numbers: the value (constant, unit, diagonal), bound (uniform in [-scale, scale)), standard deviation
/// (normal) or gain (orthogonal); and what else a rule needs.
struct Initialiser {
  enum class Kind : std::uint8_t {
    zeros,
    ones,
    constant,
    uniform,
    normal,
    orthogonal,
    unit,            ///< of each row the element `index` is scale, the rest 0
    last_unit,       ///< of each row the last
    diagonal,        ///< element (r, r) is scale, others are `other`
    tiled_identity,  ///< element (r, c) is scale where c mod rows = r, others are 0
    constant_rows,   ///< row r is `row[r]`, rows behind the last of them repeat it
    ramp             ///< of each row element c is scale + c other
  };
  Kind kind = Kind::zeros;
  double scale = 0;
  double other = 0;
  std::size_t index = 0;  ///< of unit; of constant_rows, how many
  std::array<double, 4> row{};

  friend constexpr bool operator==(const Initialiser&, const Initialiser&) = default;
};

/// Makers, named as in the field. fan_in and fan_out count what one output reads and what one input reaches, kernel
/// positions included; a fan of 0 gives zeros.
namespace init {

constexpr Initialiser zeros() {
  return {.kind = Initialiser::Kind::zeros, .scale = 0};
}
constexpr Initialiser ones() {
  return {.kind = Initialiser::Kind::ones, .scale = 1};
}
constexpr Initialiser constant(double value) {
  return {.kind = Initialiser::Kind::constant, .scale = value};
}
constexpr Initialiser uniform(double bound) {
  return {.kind = Initialiser::Kind::uniform, .scale = bound};
}
constexpr Initialiser normal(double stddev) {
  return {.kind = Initialiser::Kind::normal, .scale = stddev};
}

/// gain times a matrix with orthonormal rows (rows <= columns) or columns. Saxe, McClelland and Ganguli, arXiv
/// 1312.6120.
constexpr Initialiser orthogonal(double gain = 1) {
  return {.kind = Initialiser::Kind::orthogonal, .scale = gain};
}

/// What connections between layers begin with: a mixture that takes one item, or a matrix that passes on what it is
/// given. A tensor of one dimension is one row.
constexpr Initialiser unit(std::size_t index, double value = 1) {
  return {.kind = Initialiser::Kind::unit, .scale = value, .index = index};
}
constexpr Initialiser last_unit(double value = 1) {
  return {.kind = Initialiser::Kind::last_unit, .scale = value};
}
constexpr Initialiser diagonal(double value = 1, double other = 0) {
  return {.kind = Initialiser::Kind::diagonal, .scale = value, .other = other};
}
/// Of each row first, first + step, ...
constexpr Initialiser ramp(double first, double step) {
  return {.kind = Initialiser::Kind::ramp, .scale = first, .other = step};
}
/// [r, c] with value where c mod r is the row: identity matrices side by side.
constexpr Initialiser tiled_identity(double value = 1) {
  return {.kind = Initialiser::Kind::tiled_identity, .scale = value};
}
/// Up to four values, one a row.
template <class... Value>
  requires(sizeof...(Value) >= 1 && sizeof...(Value) <= 4)
constexpr Initialiser constant_rows(Value... values) {
  return {.kind = Initialiser::Kind::constant_rows, .index = sizeof...(Value), .row = {static_cast<double>(values)...}};
}

namespace detail {
constexpr double root_of_ratio(double numerator, double fan) {
  return fan > 0 ? math::sqrt(numerator / fan) : 0;
}
}  // namespace detail

/// Variance 2 / (fan_in + fan_out). Glorot and Bengio, AISTATS 2010.
constexpr Initialiser glorot_uniform(std::size_t fan_in, std::size_t fan_out) {
  return uniform(detail::root_of_ratio(6, static_cast<double>(fan_in) + static_cast<double>(fan_out)));
}
constexpr Initialiser glorot_normal(std::size_t fan_in, std::size_t fan_out) {
  return normal(detail::root_of_ratio(2, static_cast<double>(fan_in) + static_cast<double>(fan_out)));
}

/// Variance 2 / fan_in, for ReLU. He, Zhang, Ren and Sun, arXiv 1502.01852.
constexpr Initialiser he_uniform(std::size_t fan_in) {
  return uniform(detail::root_of_ratio(6, static_cast<double>(fan_in)));
}
constexpr Initialiser he_normal(std::size_t fan_in) {
  return normal(detail::root_of_ratio(2, static_cast<double>(fan_in)));
}

/// Uniform in +-1 / sqrt(fan_in): what PyTorch's linear, convolution and recurrent layers start with.
constexpr Initialiser torch_uniform(std::size_t fan_in) {
  return uniform(detail::root_of_ratio(1, static_cast<double>(fan_in)));
}

}  // namespace init

}  // namespace aila::inline v0

#include "macros_back.hpp"
