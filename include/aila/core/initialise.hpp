// First values of a tensor: the same bits on every platform.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "initialiser.hpp"
#include "math.hpp"
#include "random.hpp"

namespace aila::inline v0 {

namespace detail {

/// The product of a and b in eight interleaved sums: a fixed order that vector units can follow.
inline double dot(const double* a, const double* b, std::size_t n) {
  double lane[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) lane[j] = math::fma(a[i + j], b[i + j], lane[j]);
  }
  for (std::size_t j = 0; i + j < n; ++j) lane[j] = math::fma(a[i + j], b[i + j], lane[j]);
  for (std::size_t width = 4; width > 0; width /= 2) {
    for (std::size_t j = 0; j < width; ++j) lane[j] += lane[j + width];
  }
  return lane[0];
}

/// `count` orthonormal vectors of `length` >= count numbers, from random ones by the Gram-Schmidt process done twice,
/// which is enough for full precision (Giraud, Langou and Rozloznik, 2005). draw(attempt, i) is number i of count *
/// length; a vector that almost lies in the span of those before it is drawn again. With normal draws the result is
/// uniform over all such frames.
template <class Draw> std::vector<double> orthonormal_frame(std::size_t count, std::size_t length, Draw draw) {
  std::vector<double> frame(count * length);
  for (std::size_t k = 0; k < count; ++k) {
    double* v = frame.data() + k * length;
    for (std::uint64_t attempt = 0;; ++attempt) {
      for (std::size_t i = 0; i < length; ++i) v[i] = draw(attempt, k * length + i);
      const double before = dot(v, v, length);
      for (int pass = 0; pass < 2; ++pass) {
        for (std::size_t j = 0; j < k; ++j) {
          const double* u = frame.data() + j * length;
          const double overlap = -dot(u, v, length);
          for (std::size_t i = 0; i < length; ++i) v[i] = math::fma(overlap, u[i], v[i]);
        }
      }
      const double after = dot(v, v, length);
      if (after > 0x1p-40 * before) {
        const double inverse = 1 / math::sqrt(after);
        for (std::size_t i = 0; i < length; ++i) v[i] *= inverse;
        break;
      }
    }
  }
  return frame;
}

/// Element (r, c) of a rule without random numbers.
constexpr double element_of(const Initialiser& rule, std::size_t rows, std::size_t columns, std::size_t r,
                            std::size_t c) {
  using Kind = Initialiser::Kind;
  if (rule.kind == Kind::unit) return c == rule.index ? rule.scale : 0;
  if (rule.kind == Kind::last_unit) return c + 1 == columns ? rule.scale : 0;
  if (rule.kind == Kind::diagonal) return c == r ? rule.scale : rule.other;
  if (rule.kind == Kind::tiled_identity) return c % rows == r ? rule.scale : 0;
  if (rule.kind == Kind::ramp) return rule.scale + static_cast<double>(c) * rule.other;
  return rule.row[r < rule.index ? r : rule.index - 1];  // constant_rows
}

}  // namespace detail

/// Fills out[rows, columns] (row-major, PyTorch's [out, in]) by the rule. Element (r, c) is draw number r * columns + c
/// of Random(seed, Purpose::initialise, 0, path_hash), taken in double and rounded to Scalar. Orthogonal: gain times
/// orthonormal rows, or columns where rows > columns; min^2 * max * 4 multiplications. May throw std::bad_alloc
/// (orthogonal only).
template <class Scalar>
void initialise(Initialiser rule, std::size_t rows, std::size_t columns, Seed seed, std::uint64_t path_hash,
                Scalar* out) {
  const std::size_t size = rows * columns;
  const Random random{seed, Purpose::initialise, 0, path_hash};
  using Kind = Initialiser::Kind;
  if (rule.kind == Kind::zeros) {
    for (std::size_t i = 0; i < size; ++i) out[i] = Scalar(0);
  } else if (rule.kind == Kind::ones) {
    for (std::size_t i = 0; i < size; ++i) out[i] = Scalar(1);
  } else if (rule.kind == Kind::constant) {
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<Scalar>(rule.scale);
  } else if (rule.kind == Kind::uniform) {  // 2 u - 1 is exact
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<Scalar>(rule.scale * (2 * random.uniform(0, i) - 1));
  } else if (rule.kind == Kind::normal) {
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<Scalar>(rule.scale * random.normal(0, i));
  } else if (rule.kind != Kind::orthogonal) {
    for (std::size_t i = 0; i < size; ++i)
      out[i] = static_cast<Scalar>(detail::element_of(rule, rows, columns, i / columns, i % columns));
  } else {
    const bool wide = rows <= columns;
    const std::size_t count = wide ? rows : columns;
    const std::size_t length = wide ? columns : rows;
    const auto frame = detail::orthonormal_frame(
        count, length, [&](std::uint64_t attempt, std::size_t i) { return random.normal(attempt, i); });
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        const double value = wide ? frame[r * length + c] : frame[c * length + r];
        out[r * columns + c] = static_cast<Scalar>(rule.scale * value);
      }
    }
  }
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
