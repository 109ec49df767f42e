// What a layer is: the contract of descriptions, the library's own and a user's.
//
// A layer is an empty struct with
//   template <class In> using Out = ...;
//       output shape for an input shape
// and, as it needs them,
//   static constexpr const char* name;
//       its name in tables and parameter paths
//   static std::string options();
//       its options in words, for tables and drawings
//   template <class In> static constexpr bool accepts = ...;
//       which inputs it takes (default: where Out<In> exists)
//   template <class In> static consteval int expect();
//       static_asserts a sentence where it does not (of a constexpr bool: that keeps the error short)
//   template <class In> static consteval auto parameters();
//       its tensors, std::array<ParameterSpec, N>
//   template <class In> static consteval std::size_t flops();
//       forward floating-point operations of one sample
//   template <class In> static constexpr std::size_t length(std::size_t n);
//       of a layer that changes the number of steps of a sequence: valid steps out for n valid steps in
//   template <class In> static constexpr bool streams = true;
//       of a layer that a Stream may hold: what it gives for a step needs of the steps before it only what its kernel
//       carries (bodies of one element or one position are such layers, and need not say it)
//   template <class In> static consteval int expect_stream();
//       static_asserts a sentence where it is not
// Its behaviour is attached from outside, by kernels (backend/kernel.hpp), or written once in the layer as a body over
// a scalar-or-batch type V, which serves every CPU backend. A body is one of
//   element-wise:  template <class V> static constexpr V value(V x);
//                  template <class V> static constexpr V slope(V x, V y);                      dy/dx, given x and y
//                  static constexpr BackwardNeeds slope_needs{.input = false};   if it is of y alone: x is not kept
//                  then
//   position-wise: static constexpr bool position_wise = true;  x and y are the features of one position
//   sample-wise:   (the default)                                x and y are the elements of one sample
//       template <class In, class V>
//       static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y);
//       template <class In, class V, class G>
//       static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g);
// backward adds to dx, and `g.add(tensor, element, value)` adds to a gradient. Tensor t of the table is w[t]; numbers
// become values by V(2), V(w[0][i]); functions of values are in aila::math, not in std, and lanes are chosen by
// math::select: V may be many numbers, and a comparison of them no bool, so bodies with std::exp(x), ?: or if do not
// compile. What a body computes on the way, and grows with its input, has no place on the stack: threads with little
// of it run networks too. A body that says
//       template <class In> static constexpr std::size_t scratch = n;
// may take n values of memory as one more parameter, the last of forward, of backward or of both: V* scratch. They
// begin as anything and are forgotten after the call. Without backward (or slope) a layer predicts only. A layer may
// stand in any namespace; tests/user has one of each kind.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include "../core/parameter.hpp"
#include "../core/shape.hpp"

namespace aila::inline v0 {

/// What the backward of a layer looks at of its forward. The memory of the rest may be another's by then.
struct BackwardNeeds {
  bool input = true, output = true;
};

namespace detail {
template <class V>
struct ScalarOfImpl {};  // of something else there is none, and who asks is no candidate
template <class V>
  requires requires { typename V::value_type; }
struct ScalarOfImpl<V> {
  using type = typename V::value_type;
};
template <std::floating_point V>
struct ScalarOfImpl<V> {
  using type = V;
};
}  // namespace detail

/// float or double, for that type and for a SIMD batch of it.
template <class V>
using ScalarOf = typename detail::ScalarOfImpl<V>::type;

template <class L, class In>
concept MapsShape = requires { typename L::template Out<In>; };
template <class L, class In>
concept StatesAcceptance = requires { L::template accepts<In>; };
template <class L>
concept Composite = requires { L::is_composite; };

template <class L, class In>
consteval bool layer_accepts() {
  if constexpr (StatesAcceptance<L, In>)
    return L::template accepts<In>;
  else
    return MapsShape<L, In>;
}

template <class L>
constexpr const char* layer_name() {
  if constexpr (requires { L::name; })
    return L::name;
  else
    return "layer";
}

namespace detail {
template <class T>
inline constexpr bool is_parameter_table = false;
template <std::size_t N>
inline constexpr bool is_parameter_table<std::array<ParameterSpec, N>> = true;

/// Whether `parameters` of a layer or a policy gives a table, and one that is known at compile time.
template <class Table>
inline constexpr bool gives_table = is_parameter_table<decltype(Table::get())>;
template <class Table>
inline constexpr bool gives_parameters = [] {
  if constexpr (gives_table<Table>)
    return requires { typename std::bool_constant<(static_cast<void>(Table::get()), true)>; };
  else
    return false;
}();
template <class Table>
struct TableRefused {
  static consteval int say() {
    constexpr bool table = gives_table<Table>;
    constexpr bool constant = !table || gives_parameters<Table>;
    static_assert(table, "aila: parameters() must give an array: std::array{parameter(...), ...}");
    static_assert(constant, "aila: parameters() must be consteval: tensors are known at compile time");
    return 0;
  }
};
struct NoTable {
  static constexpr auto get() { return NoParameters{}; }
};
template <class L, class In>
struct TableOfLayer {
  static constexpr auto get() { return L::template parameters<In>(); }
};
template <class L, class In>
consteval auto table_of_layer() {
  if constexpr (requires { L::template parameters<In>(); })
    return TableOfLayer<L, In>{};
  else
    return NoTable{};
}
/// Nothing where it is refused.
template <class Table>
consteval auto parameters_of() {
  if constexpr (gives_parameters<Table>)
    return Table::get();
  else
    return NoParameters{};
}
}  // namespace detail

template <class L, class In>
consteval auto layer_parameters() {
  return detail::parameters_of<decltype(detail::table_of_layer<L, In>())>();
}

template <class L, class In>
consteval std::size_t layer_flops() {
  if constexpr (requires { L::template flops<In>(); })
    return L::template flops<In>();
  else
    return In::elements;
}

/// Whether valid steps out differ from valid steps in. Composites say so of their parts. Images have no steps.
template <class L, class In>
consteval bool changes_length() {
  if constexpr (requires { requires !In::is_tokens && In::rank != 2; })
    return false;
  else if constexpr (requires { L::template changes_length<In>; })
    return L::template changes_length<In>;
  else
    return requires { L::template length<In>(std::size_t{1}); };
}

/// Valid steps of the output where n steps of the input are valid.
template <class L, class In>
constexpr std::size_t length_after(std::size_t n) {
  if constexpr (changes_length<L, In>())
    return L::template length<In>(n);
  else
    return n;
}

/// Whether a stream may hold the layer by what it says itself, or by its body. A vector has no steps: any layer may
/// stand there. Composites are asked for their parts (network/one_step.hpp).
template <class L, class In>
consteval bool streams() {
  if constexpr (VectorShape<In>)
    return true;
  else if constexpr (requires { L::template streams<In>; })
    return L::template streams<In>;
  else if constexpr (requires { L::position_wise; })
    return L::position_wise;
  else
    return requires(float x) { L::template value<float>(x); };
}

namespace detail {
/// Values of memory that a body asks for.
template <class L, class In>
consteval std::size_t body_scratch() {
  if constexpr (requires { L::template scratch<In>; })
    return L::template scratch<In>;
  else
    return 0;
}
}  // namespace detail

/// A table of rows whose number is known when the program runs: not part of the canonical array.
struct TableSpec {
  const char* name = "";
  std::size_t width = 0;
  std::size_t most_rows = 0;
  Initialiser initial{};
  bool trainable = true;
};

/// How many such tables the layer has. A layer of one says `template <class In> static consteval TableSpec table()`,
/// composites sum those of their parts.
template <class L, class In>
consteval std::size_t tables_of() {
  if constexpr (requires { L::template tables<In>; })
    return L::template tables<In>;
  else
    return requires { L::template table<In>(); } ? 1 : 0;
}

/// A layer bound to its input shape: every size is known. It holds no index and no offset, so equal layers are one
/// type.
template <class L, class I>
struct Placed {
  using Layer = L;
  using In = I;
  using Out = typename L::template Out<I>;
  static constexpr auto parameters = layer_parameters<L, I>();
  static constexpr std::size_t tensors = parameters.size();
  static constexpr std::size_t flops = layer_flops<L, I>();
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
