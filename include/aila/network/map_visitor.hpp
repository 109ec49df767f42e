// MapVisitor: a function that is shown the maps of a network. Its type tells nothing of the function, so that the walk
// over a network's kernels is compiled once.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string>

#include "../core/config.hpp"

namespace aila::inline v0 {

/// Calls f(path, map, elements); f must outlive it.
template <class Scalar>
class MapVisitor {
 public:
  template <class F>
  explicit MapVisitor(const F& f)
      : f_(&f), call_([](const void* of, const std::string& path, const Scalar* map, std::size_t elements) {
          (*static_cast<const F*>(of))(path, map, elements);
        }) {}
  void operator()(const std::string& path, const Scalar* map, std::size_t elements) const {
    call_(f_, path, map, elements);
  }

 private:
  const void* f_;
  void (*call_)(const void*, const std::string&, const Scalar*, std::size_t);
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
