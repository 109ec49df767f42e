// The option that chooses a layer's first weights.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>

#include "../core/initialiser.hpp"

namespace aila::inline v0 {

namespace role {
struct Initial;
struct InitialBias;
}  // namespace role

/// How a weight matrix starts: `Initial<init::HeNormal>`; any type with `make(fan_in, fan_out) -> Initialiser` will do.
template <class Rule>
struct Initial {
  using role = role::Initial;
  static constexpr Initialiser make(std::size_t fan_in, std::size_t fan_out) { return Rule::make(fan_in, fan_out); }
};

/// The same of a bias, whose fans are those of its weights: `InitialBias<init::Zeros>`.
template <class Rule>
struct InitialBias {
  using role = role::InitialBias;
  static constexpr Initialiser make(std::size_t fan_in, std::size_t fan_out) { return Rule::make(fan_in, fan_out); }
};

namespace init {
/// Uniform in +-1/sqrt(fan_in): what PyTorch's layers do.
struct TorchUniform {
  static constexpr Initialiser make(std::size_t fan_in, std::size_t) { return torch_uniform(fan_in); }
};
/// The same of one number, whatever the fans: what its recurrent layers do.
template <std::size_t Units>
struct TorchUniformOf {
  static constexpr Initialiser make(std::size_t, std::size_t) { return torch_uniform(Units); }
};
struct GlorotUniform {
  static constexpr Initialiser make(std::size_t fan_in, std::size_t fan_out) { return glorot_uniform(fan_in, fan_out); }
};
struct GlorotNormal {
  static constexpr Initialiser make(std::size_t fan_in, std::size_t fan_out) { return glorot_normal(fan_in, fan_out); }
};
struct HeUniform {
  static constexpr Initialiser make(std::size_t fan_in, std::size_t) { return he_uniform(fan_in); }
};
struct HeNormal {
  static constexpr Initialiser make(std::size_t fan_in, std::size_t) { return he_normal(fan_in); }
};
struct Orthogonal {
  static constexpr Initialiser make(std::size_t, std::size_t) { return orthogonal(); }
};
struct Zeros {
  static constexpr Initialiser make(std::size_t, std::size_t) { return zeros(); }
};
}  // namespace init

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
