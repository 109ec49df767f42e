// The JSON header of a safetensors file, read event by event: nothing is built that was not checked.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "../core/as_size.hpp"
#include "../core/error.hpp"
#include "tensor_entry.hpp"

namespace aila::inline v0::io::detail {

/// A tensor as the header describes it; begin and end count bytes from the end of the header.
struct HeaderTensor {
  TensorEntry entry;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Receives the parser's events. The format is two levels deep, so the place in it is an enumeration, deeper nesting is
/// refused where it begins, and no stack can overflow. Every refusal is an Error without the file's name.
class HeaderReader {
 public:
  using Json = nlohmann::json;
  std::vector<HeaderTensor> tensors;
  std::map<std::string, std::string> metadata;

  bool start_object(std::size_t) {
    if (place_ == Place::file) return enter(Place::header);
    if (place_ != Place::header) refuse();
    if (key_ == "__metadata__") return enter(Place::metadata);
    tensors.push_back({.entry = {.name = key_, .dtype = {}, .shape = {}, .data = {}}});
    seen_dtype_ = seen_shape_ = seen_offsets_ = false;
    offsets_.clear();
    return enter(Place::tensor);
  }
  bool end_object() {
    if (place_ == Place::header) return enter(Place::file);
    if (place_ == Place::tensor) finish_tensor();
    return enter(Place::header);
  }
  bool start_array(std::size_t) {
    if (place_ == Place::tensor && key_ == "shape") return enter(Place::shape);
    if (place_ == Place::tensor && key_ == "data_offsets") return enter(Place::offsets);
    refuse();
  }
  bool end_array() { return enter(Place::tensor); }

  bool key(std::string& text) {
    key_ = text;
    if (key_.find('\0') != std::string::npos) throw_error("the header has a name with a NUL in it");
    if (place_ == Place::metadata && metadata.contains(key_))
      throw_error("the metadata have the key ", printable(key_), " twice");
    if (place_ == Place::header && key_ == "__metadata__" && std::exchange(seen_metadata_, true))
      throw_error("the header has __metadata__ twice");
    if (place_ == Place::tensor) check_field();
    return true;
  }
  bool string(std::string& text) {
    if (place_ == Place::metadata) {
      metadata.emplace(key_, text);
      return true;
    }
    if (place_ != Place::tensor || key_ != "dtype") refuse();
    tensor().dtype = text;
    return true;
  }
  bool number_unsigned(Json::number_unsigned_t value) {
    if (place_ == Place::shape) {
      if (tensor().shape.size() == max_rank) throw_error(tensor_name(), " has more than 64 extents");
      if (!std::in_range<std::size_t>(value)) throw_error(tensor_name(), " is larger than the machine's memory");
      tensor().shape.push_back(aila::detail::as_size(value));
      return true;
    }
    if (place_ != Place::offsets || offsets_.size() == 2) refuse();
    offsets_.push_back(value);
    return true;
  }
  bool null() {
    if (place_ != Place::header || key_ != "__metadata__") refuse();
    return true;  // some writers say so that there are none
  }
  bool boolean(bool) { refuse(); }
  bool number_integer(Json::number_integer_t) { refuse(); }
  bool number_float(Json::number_float_t, const std::string&) { refuse(); }
  bool binary(Json::binary_t&) { refuse(); }
  static bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    throw_error("the header is not valid JSON at its byte ", position);
  }

 private:
  enum class Place : std::uint8_t { file, header, metadata, tensor, shape, offsets };
  static constexpr std::size_t max_rank = 64;

  bool enter(Place place) {
    place_ = place;
    return true;
  }
  TensorEntry& tensor() { return tensors.back().entry; }
  std::string tensor_name() { return "the tensor " + printable(tensor().name); }

  void check_field() {
    bool* seen = key_ == "dtype" ? &seen_dtype_ : nullptr;
    if (key_ == "shape") seen = &seen_shape_;
    if (key_ == "data_offsets") seen = &seen_offsets_;
    if (seen == nullptr) throw_error(tensor_name(), " has an unknown field, ", printable(key_));
    if (std::exchange(*seen, true)) throw_error(tensor_name(), " has its ", key_, " twice");
  }
  void finish_tensor() {
    if (!seen_dtype_ || !seen_shape_ || offsets_.size() != 2)
      throw_error(tensor_name(), " lacks its dtype, its shape or its two data_offsets");
    tensors.back().begin = offsets_[0];
    tensors.back().end = offsets_[1];
  }
  /// A value of a kind that does not belong where it stands.
  [[noreturn]] void refuse() {
    if (place_ == Place::file) throw_error("the header is not a JSON object");
    if (place_ == Place::header) throw_error("the header has an entry that is no JSON object, ", printable(key_));
    if (place_ == Place::metadata) throw_error("the metadata value of ", printable(key_), " is not a string");
    if (place_ == Place::tensor) throw_error(tensor_name(), " has a ", printable(key_), " of the wrong kind");
    if (place_ == Place::shape) throw_error(tensor_name(), " has a shape that is not a list of whole numbers");
    throw_error(tensor_name(), " has data_offsets that are not two whole numbers");
  }

  Place place_ = Place::file;
  std::string key_;
  std::vector<std::uint64_t> offsets_;
  bool seen_dtype_ = false, seen_shape_ = false, seen_offsets_ = false, seen_metadata_ = false;
};

}  // namespace aila::inline v0::io::detail

#include "../core/macros_back.hpp"
