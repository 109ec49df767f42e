// One tensor of a safetensors file: name, type of number, shape and bytes.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "text.hpp"

namespace aila::inline v0::io {

static_assert(std::endian::native == std::endian::little, "aila: safetensors files need a little-endian machine");

/// Longest header of a safetensors file, by the format's definition.
inline constexpr std::uint64_t max_header_bytes = 100'000'000;

/// A tensor whose bytes (little-endian, row-major, packed) belong to somebody else.
struct TensorEntry {
  std::string name;
  std::string dtype;  ///< as in the format: "F32", "F64", "I64", ...; files of a later one may have others
  std::vector<std::size_t> shape;
  std::span<const std::byte> data;
};

/// Bits of one number of a type of the format; 0 for a type that this version of the library does not know.
constexpr std::size_t dtype_bits(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 22> known{
      {{"BOOL", 8},    {"U8", 8},      {"I8", 8},          {"U16", 16},       {"I16", 16},    {"U32", 32},
       {"I32", 32},    {"U64", 64},    {"I64", 64},        {"F16", 16},       {"BF16", 16},   {"F32", 32},
       {"F64", 64},    {"C64", 64},    {"F4", 4},          {"F6_E2M3", 6},    {"F6_E3M2", 6}, {"F8_E5M2", 8},
       {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}}};
  for (const auto& [name, bits] : known)
    if (name == dtype) return bits;
  return 0;
}

/// The same in bytes; 0 also for numbers that are no whole bytes.
constexpr std::size_t dtype_bytes(std::string_view dtype) {
  const std::size_t bits = dtype_bits(dtype);
  return bits % 8 == 0 ? bits / 8 : 0;
}

/// Whether it is a type of whole numbers; truth values are some.
constexpr bool is_integer(std::string_view dtype) {
  return dtype == "BOOL" || (dtype_bits(dtype) > 0 && (dtype[0] == 'I' || dtype[0] == 'U'));
}

/// The format's name for float or double.
template <class Scalar>
inline constexpr std::string_view dtype_of = std::is_same_v<Scalar, float> ? "F32" : "F64";

/// Bytes that a tensor of this shape has; nothing where the number does not fit.
constexpr std::optional<std::size_t> tensor_bytes(std::span<const std::size_t> shape, std::size_t bytes_of_one) {
  std::size_t bytes = bytes_of_one;
  bool overflows = false;
  for (std::size_t extent : shape) {
    if (extent == 0) return 0;  // an empty tensor is legal, whatever its other extents
    overflows = overflows || bytes > std::numeric_limits<std::size_t>::max() / extent;
    bytes *= extent;
  }
  return overflows ? std::nullopt : std::optional(bytes);
}

/// Bytes of a tensor of this shape and type of number: whole bytes, the last one filled up. Nothing where the number
/// does not fit, or the type is unknown.
constexpr std::optional<std::size_t> tensor_bytes(std::span<const std::size_t> shape, std::string_view dtype) {
  const std::size_t bits = dtype_bits(dtype);
  if (bits == 0) return std::nullopt;
  if (bits % 8 == 0) return tensor_bytes(shape, bits / 8);
  const auto numbers = tensor_bytes(shape, std::size_t{1});
  return numbers ? std::optional(*numbers / 8 * bits + (*numbers % 8 * bits + 7) / 8) : std::nullopt;
}

namespace detail {

/// A number of the type F16: sign, 5 bits of exponent, 10 of fraction (IEEE 754 binary16). Exact.
struct F16 {
  std::uint16_t bits;
  constexpr operator float() const {
    const std::uint32_t sign = (bits & 0x8000U) << 16U, exponent = bits >> 10U & 0x1FU, fraction = bits & 0x3FFU;
    if (exponent == 0)
      return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(static_cast<float>(fraction) * 0x1p-24F));
    return std::bit_cast<float>(sign | (exponent == 31 ? 255 : exponent + 112) << 23U | fraction << 13U);
  }
};

/// A number of the type BF16: the upper half of a float. Exact.
struct BF16 {
  std::uint16_t bits;
  constexpr operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16U); }
};

template <class Stored, class Scalar>
std::vector<Scalar> converted(const TensorEntry& entry) {
  std::vector<Scalar> values(entry.data.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, entry.data.data() + i * sizeof(Stored), sizeof(Stored));  // data need not be aligned
    values[i] = static_cast<Scalar>(stored);
    if constexpr (sizeof(Stored) > sizeof(Scalar))
      if (std::isfinite(stored) && !std::isfinite(values[i]))
        throw_error(printable(entry.name), " holds a number that is too large for float");
  }
  return values;
}

}  // namespace detail

/// The numbers of an F16, BF16, F32 or F64 tensor as float or double, row-major. Doubles are rounded to the nearest
/// float, so that those below 7e-46 in magnitude become zero; all else is exact, infinities and NaN are kept. Throws
/// Error for other types of number, and where a finite double is too large for float.
template <class Scalar>
std::vector<Scalar> as(const TensorEntry& entry) {
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>, "aila: as<float> or as<double>");
  if (entry.dtype == "F16") return detail::converted<detail::F16, Scalar>(entry);
  if (entry.dtype == "BF16") return detail::converted<detail::BF16, Scalar>(entry);
  if (entry.dtype == "F32") return detail::converted<float, Scalar>(entry);
  if (entry.dtype == "F64") return detail::converted<double, Scalar>(entry);
  throw_error(printable(entry.name), " has numbers of type ", printable(entry.dtype),
              ", expected F16, BF16, F32 or F64");
}

/// A tensor entry over numbers in memory, which must outlive it.
template <class Scalar>
TensorEntry tensor_entry(std::string name, std::vector<std::size_t> shape, std::span<const Scalar> values) {
  return {std::move(name), std::string(dtype_of<Scalar>), std::move(shape), std::as_bytes(values)};
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
