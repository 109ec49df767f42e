// A map from words, which looks them up by views without making strings of them.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "../core/config.hpp"

namespace aila::inline v0::data::detail {

struct WordHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view word) const { return std::hash<std::string_view>{}(word); }
};

template <class Value>
using WordMap = std::unordered_map<std::string, Value, WordHash, std::equal_to<>>;

}  // namespace aila::inline v0::data::detail

#include "../core/macros_back.hpp"
