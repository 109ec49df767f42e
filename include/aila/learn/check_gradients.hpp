// The public gradient checker: analytic gradients against central differences, for layers, networks and policies.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "../backend/reference.hpp"
#include "../core/random.hpp"
#include "../layer/linear.hpp"
#include "gradient_checker.hpp"

namespace aila::inline v0 {

namespace detail {

template <class L, class In>
struct NetworkOfOne : Network<In, L> {};

/// A policy on its own: cores of different maps, and no epilogue that could hide an error.
template <class P, class In, class... Cores>
struct NetworkOfPolicy : Network<In, Stack<P, Cores..., Epilogue<Identity>>> {};
template <std::size_t Features>
using SmallCore = Chain<aila::Linear<Features>, Tanh>;

template <class P, class In>
consteval bool accepts_unequal_widths() {
  using Narrow = In;
  using Wide = WithFeatures<In, 2 * In::features>;
  if constexpr (P::reads == integrate::Reads::all)
    return P::template accepts<Wide, ShapeList<Narrow>> && P::template accepts<Narrow, ShapeList<Narrow, Wide>>;
  else if constexpr (P::reads == integrate::Reads::previous)
    return P::template accepts<Wide, ShapeList<Narrow>> && P::template accepts<Narrow, ShapeList<Wide>>;
  else
    return true;
}

template <class P, class In, class Backend>
GradientCheck check_policy(const GradientCheckOptions& options) {
  constexpr std::size_t d = In::features;
  GradientCheck all = begin_check(options);
  if (!all.ok) return all;
  for_each_index<2>([&](auto i) {
    constexpr std::size_t depth = 2 * (i + 1);
    using Net = NetworkOfPolicy<P, In, Repeat<depth, SmallCore<d>>>;
    all.merge(std::string("depth ") + std::to_string(depth) + ": ",
              GradientChecker<Net, Backend>(options).check("stack."));
  });
  if constexpr (accepts_unequal_widths<P, In>()) {
    using Net = NetworkOfPolicy<P, In, SmallCore<d>, SmallCore<2 * d>, SmallCore<d>>;
    all.merge("unequal widths: ", GradientChecker<Net, Backend>(options).check("stack."));
  }
  return all;
}

template <class Subject, class In>
consteval bool takes_tokens() {
  if constexpr (AnyNetwork<Subject>)
    return NetworkInput<Subject>::is_tokens;
  else if constexpr (std::is_void_v<In>)
    return false;
  else
    return In::is_tokens;
}

template <class Subject, class In, class Scalar>
struct CheckRefused {
  static constexpr bool input = AnyPolicy<Subject> || AnyNetwork<Subject> || !std::is_void_v<In>;
  static constexpr bool real = !takes_tokens<Subject, In>();
  static constexpr bool in_double = std::is_same_v<Scalar, double>;
  static consteval int say() {
    static_assert(input, "aila: check_gradients of a layer needs an input: check_gradients<Layer, In>()");
    static_assert(real, "aila: gradients are checked on real inputs, not on tokens");
    static_assert(in_double, "aila: gradients are checked on a backend in double");
    return 0;
  }
};

}  // namespace detail

/// Compares the analytic gradients of a layer, network or policy with differences of sum(y r), in double, for every
/// element of the input and of every parameter; x, the parameters and r are random (initial values could hide errors).
///   check_gradients<MyLayer, Sequence<5, 3>>()     a layer, also a Chain or Stack, on an input shape
///   check_gradients<MyNetwork>()                   a network
///   check_gradients<MyPolicy>()                    a policy: stacks of two and four layers of 8 features, so over one
///                                                  to three earlier maps, and of unequal widths where it accepts
///                                                  them; another shape may be given
/// Beside that: predict and train give one output, a sample alone gives what it gives in a group, backward adds to the
/// gradients and gives the same when only the input's or only the parameters' are asked for, and gaps between tensors
/// and frozen tensors get none. All memory that a kernel may not rely on holds numbers that show: outputs before they
/// are written, scratch, what is kept, gaps and all beyond the tensors, the ends of arrays. Bodies are called alone
/// too, each with its own tensors and nothing else: so w[i] of a tensor that a layer does not have is found. Not ok
/// either: no samples, a tolerance that everything passes, and a subject all of whose derivatives are zero. Layers with
/// kinks such as ReLU may be checked: within a step of a kink the slope of the smooth side counts, at a kink any slope
/// between. Real inputs only. A `backend::CpuOn<Arch, double>` checks its kernels. Throws nothing but std::bad_alloc.
template <class Subject, class In = void, HostBackend Backend = backend::Reference<double>>
GradientCheck check_gradients(const GradientCheckOptions& options = {}) {
  using Check = detail::CheckRefused<Subject, In, typename Backend::Scalar>;
  enum { checked = Check::say() };
  if constexpr (!Check::input || !Check::real || !Check::in_double) {
    return {};
  } else if constexpr (AnyPolicy<Subject>) {
    using Shape = std::conditional_t<std::is_void_v<In>, Sequence<3, 8>, In>;
    return detail::check_policy<Subject, Shape, Backend>(options);
  } else if constexpr (AnyNetwork<Subject>) {
    return detail::GradientChecker<Subject, Backend>(options).check("");
  } else {
    using Net = detail::NetworkOfOne<Subject, In>;
    return detail::GradientChecker<Net, Backend>(options).check(std::string(layer_name<Subject>()) + ".");
  }
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
