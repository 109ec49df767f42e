// The parts of a network in words, for tables and drawings.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../integrate/attention.hpp"
#include "../integrate/linear.hpp"
#include "../layer/dropout.hpp"
#include "frozen.hpp"
#include "network.hpp"

namespace aila::inline v0 {

/// 12345 as "12,345".
inline std::string thousands(std::size_t n) {
  std::string text = std::to_string(n);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

namespace detail {
inline std::string extents_and_kind(const std::size_t* extents, std::size_t rank, bool is_tokens) {
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text += (i > 0 ? ", " : "") + std::to_string(extents[i]);
  return text + (is_tokens ? "] tokens" : "]");
}
}  // namespace detail

/// "[12, 64]", and "[200] tokens".
template <class S>
std::string shape_text() {
  return detail::extents_and_kind(S::extents.data(), S::rank, S::is_tokens);
}

namespace detail {

/// Options in words, each with a comma before it. A user's layer or policy has `static std::string options()`.
template <class Described>
struct OptionsText {
  static std::string text() {
    if constexpr (requires { std::string(Described::options()); }) {
      const std::string given(Described::options());
      return given.empty() ? given : ", " + given;
    } else {
      return {};
    }
  }
};
template <std::size_t Percent>
struct OptionsText<Dropout<Percent>> {
  static std::string text() { return ", " + std::to_string(Percent) + " %"; }
};
template <class L>
struct OptionsText<Frozen<L>> {
  static std::string text() { return OptionsText<L>::text() + ", frozen"; }
};
template <class P>
struct OptionsText<FrozenPolicy<P>> {
  static std::string text() { return OptionsText<P>::text() + ", frozen"; }
};
template <class H, class T, class S>
struct OptionsText<integrate::LinearOf<H, T, S>> {
  static std::string text() {
    return (H::value > 1 ? ", " + std::to_string(H::value) + " heads" : "") + (T::value ? ", task embedding" : "") +
           (S::context ? ", scores of context" : "");
  }
};
template <class H, class K, class V, class C>
struct OptionsText<integrate::AttentionOf<H, K, V, C>> {
  static std::string text() {
    return (H::value > 1 ? ", " + std::to_string(H::value) + " heads" : "") +
           (K::value > 0 ? ", keys of " + std::to_string(K::value) : "") + (V::tied ? ", tied values" : "") +
           (C::mean ? ", mean of heads" : "");
  }
};

template <class Part>
struct PartTraits {
  using Described = typename Part::Layer;
  using Out = typename Part::Out;
  static constexpr bool is_integration = false;
  /// A part that computes nothing has no row in a table and no place in a drawing: a bare stack's epilogue.
  static constexpr bool is_nothing = std::is_same_v<Described, Identity> || std::is_same_v<Described, Frozen<Identity>>;
};
template <class P, class Own, class Before>
struct PartTraits<Integration<P, Own, Before>> {
  using Described = P;
  using Out = typename Integration<P, Own, Before>::Out;
  static constexpr bool is_integration = true;
  static constexpr bool is_nothing = std::derived_from<P, integrate::None> || P::concatenates;
};

/// What tables and drawings say of a part, as data: their code is then one for all parts.
struct PartFacts {
  const char* name;
  std::string (*options)();
  const std::size_t* extents;  ///< of its output
  std::size_t rank;
  std::size_t parameters;  ///< buffers not counted
  bool is_integration;

  /// "attention, 4 heads, tied values"
  std::string kind() const { return name + options(); }
  std::string shape() const { return extents_and_kind(extents, rank, false); }
};
template <class Part>
constexpr PartFacts make_part_facts() {
  using Traits = PartTraits<Part>;
  using Described = typename Traits::Described;
  PartFacts facts{"", OptionsText<Described>::text, Traits::Out::extents.data(), Traits::Out::rank,
                  0,  Traits::is_integration};
  if constexpr (Traits::is_integration)
    facts.name = Described::name;
  else
    facts.name = layer_name<Described>();
  for (const ParameterSpec& p : Part::parameters)
    if (p.kind != ParameterKind::buffer) facts.parameters += p.size();
  return facts;
}
template <class Part>
inline constexpr PartFacts part_facts = make_part_facts<Part>();

template <class Part>
consteval std::size_t count_of_kind(ParameterKind kind) {
  std::size_t n = 0;
  for (const ParameterSpec& p : Part::parameters)
    if (p.kind == kind) n += p.size();
  return n;
}

}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
