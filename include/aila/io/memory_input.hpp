// Bytes in memory, read as a file is.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "../core/error.hpp"

namespace aila::inline v0::io {

/// The same calls as InputFile, over bytes that belong to somebody else.
class MemoryInput {
 public:
  MemoryInput(std::span<const std::byte> bytes, std::string name)
      : bytes_(bytes), left_(bytes), name_(std::move(name)) {}

  const std::string& name() const noexcept { return name_; }
  std::uint64_t size() const noexcept { return bytes_.size(); }

  void read(std::span<std::byte> into) {
    if (into.size() > left_.size()) throw_error(name_, ": expected ", into.size(), " more bytes, found ", left_.size());
    if (!into.empty()) std::memcpy(into.data(), left_.data(), into.size());
    left_ = left_.subspan(into.size());
  }

 private:
  std::span<const std::byte> bytes_, left_;
  std::string name_;
};

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
