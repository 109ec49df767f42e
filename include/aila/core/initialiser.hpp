// How a tensor gets its first values; initialise.hpp fills it.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <cstdint>

#include "math.hpp"

namespace aila::inline v0 {

/// A rule and its one number: the value (constant), bound (uniform in [-scale, scale)), standard deviation (normal) or
/// gain (orthogonal).
struct Initialiser {
  enum class Kind : std::uint8_t { zeros, ones, constant, uniform, normal, orthogonal };
  Kind kind = Kind::zeros;
  double scale = 0;

  friend constexpr bool operator==(const Initialiser&, const Initialiser&) = default;
};

/// Makers, named as in the field. fan_in and fan_out count what one output reads and what one input reaches, kernel
/// positions included; a fan of 0 gives zeros.
namespace init {

constexpr Initialiser zeros() {
  return {Initialiser::Kind::zeros, 0};
}
constexpr Initialiser ones() {
  return {Initialiser::Kind::ones, 1};
}
constexpr Initialiser constant(double value) {
  return {Initialiser::Kind::constant, value};
}
constexpr Initialiser uniform(double bound) {
  return {Initialiser::Kind::uniform, bound};
}
constexpr Initialiser normal(double stddev) {
  return {Initialiser::Kind::normal, stddev};
}

/// gain times a matrix with orthonormal rows (rows <= columns) or columns. Saxe, McClelland and Ganguli, arXiv
/// 1312.6120.
constexpr Initialiser orthogonal(double gain = 1) {
  return {Initialiser::Kind::orthogonal, gain};
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
