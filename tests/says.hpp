// CHECK(says([&] { ... }, "a part of the message")): that code throws aila::Error, and what its message says.
#pragma once

#include <aila/core/error.hpp>
#include <string>
#include <string_view>

namespace aila {

template <class F>
bool says(F&& f, std::string_view part) {
  try {
    f();
  } catch (const Error& e) {
    return std::string_view(e.what()).find(part) != std::string_view::npos;
  }
  return false;
}

}  // namespace aila
