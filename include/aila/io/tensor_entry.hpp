// One tensor of a safetensors file: name, type of number, shape and bytes.
#pragma once

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
  std::string dtype;  ///< as in the format: "F32", "F64", "I64", ...
  std::vector<std::size_t> shape;
  std::span<const std::byte> data;
};

/// Bytes of one number of a type of the format; 0 for a type that the format does not have.
constexpr std::size_t dtype_bytes(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 15> known{{{"BOOL", 1},
                                                                            {"U8", 1},
                                                                            {"I8", 1},
                                                                            {"F8_E5M2", 1},
                                                                            {"F8_E4M3", 1},
                                                                            {"U16", 2},
                                                                            {"I16", 2},
                                                                            {"F16", 2},
                                                                            {"BF16", 2},
                                                                            {"U32", 4},
                                                                            {"I32", 4},
                                                                            {"F32", 4},
                                                                            {"U64", 8},
                                                                            {"I64", 8},
                                                                            {"F64", 8}}};
  for (const auto& [name, bytes] : known)
    if (name == dtype) return bytes;
  return 0;
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

namespace detail {

template <class Stored, class Scalar>
std::vector<Scalar> converted(const TensorEntry& entry) {
  std::vector<Scalar> values(entry.data.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, entry.data.data() + i * sizeof(Stored), sizeof(Stored));  // data need not be aligned
    values[i] = static_cast<Scalar>(stored);
    if (std::isfinite(stored) && !std::isfinite(values[i]))
      throw Error(printable(entry.name) + " holds a number that is too large for float");
  }
  return values;
}

}  // namespace detail

/// The numbers of an F32 or F64 tensor as float or double, row-major. Throws Error for other types of number, and where
/// a finite double is too large for float.
template <class Scalar>
std::vector<Scalar> as(const TensorEntry& entry) {
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>, "aila: as<float> or as<double>");
  if (entry.dtype == "F32") return detail::converted<float, Scalar>(entry);
  if (entry.dtype == "F64") return detail::converted<double, Scalar>(entry);
  throw Error(printable(entry.name) + " has numbers of type " + printable(entry.dtype) + ", expected F32 or F64");
}

/// A tensor entry over numbers in memory, which must outlive it.
template <class Scalar>
TensorEntry tensor_entry(std::string name, std::vector<std::size_t> shape, std::span<const Scalar> values) {
  return {std::move(name), std::string(dtype_of<Scalar>), std::move(shape), std::as_bytes(values)};
}

}  // namespace aila::inline v0::io
