// Chain: layers one after the other.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "placing.hpp"

namespace aila::inline v0 {

/// Layers bound to the shapes between them.
template <class In, class... Layers>
struct ChainPlan {
  using Placing = typename detail::PlaceAll<In, ExpandedLayers<Layers...>>::type;
  using Out = typename Placing::Out;
  using Children = typename Placing::Children;
  static constexpr std::size_t size = Children::size;
  static constexpr auto first_tensor = detail::first_tensors(Children{});
};

/// What becomes of a chain's input x beside its layers' result r: nothing; x + r; [x, r]; x times r, the same r at
/// every position.
enum class Joint { none, adds, concatenates, scales };

namespace detail {

template <class L>
consteval Joint joint_of() {
  if constexpr (requires { L::joint; })
    return L::joint;
  else
    return Joint::none;
}

constexpr const char* joint_sign(Joint joint) {
  return joint == Joint::adds ? "+" : joint == Joint::concatenates ? "[ , ]" : "*";
}

/// Whether one of the first `count` parts, Placed layers, changes the valid steps of a sequence.
template <class Children, std::size_t count = Children::size>
consteval bool any_changes_length() {
  bool any = false;
  for_each_index<count>([&](auto i) {
    using Child = At<Children, i>;
    any = any || aila::changes_length<typename Child::Layer, typename Child::In>();
  });
  return any;
}
/// Tables of the first `count` parts.
template <class Children, std::size_t count = Children::size>
consteval std::size_t count_tables() {
  std::size_t tables = 0;
  for_each_index<count>([&](auto i) {
    using Child = At<Children, i>;
    tables += aila::tables_of<typename Child::Layer, typename Child::In>();
  });
  return tables;
}
/// Valid steps after the first `count` parts.
template <class Children, std::size_t count = Children::size>
constexpr std::size_t length_through(std::size_t n) {
  for_each_index<count>([&](auto i) {
    using Child = At<Children, i>;
    n = length_after<typename Child::Layer, typename Child::In>(n);
  });
  return n;
}

/// "path.name" for each of the names; like ones are told apart by a number: "linear", "linear_1".
inline std::vector<std::string> child_paths(const std::string& path, const std::string_view* names, std::size_t count) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count; ++i) {
    const auto before = std::count(names, names + i, names[i]);
    paths.push_back((path.empty() ? std::string() : path + ".").append(names[i]));
    if (before > 0) (paths.back() += '_') += std::to_string(before);
  }
  return paths;
}
template <class... Part>
std::vector<std::string> child_paths(const std::string& path, List<Part...>) {
  const std::string_view names[] = {layer_name<typename Part::Layer>()..., {}};
  return child_paths(path, names, sizeof...(Part));
}

/// Calls f.template operator()<Part>(path) for each of the parts, in the order of its tensors.
template <class Children, class F>
void for_each_child(const std::string& path, F&& f) {
  const std::vector<std::string> paths = child_paths(path, Children{});
  for_each_index<Children::size>([&](auto i) { f.template operator()<At<Children, i>>(paths[i]); });
}

}  // namespace detail

/// y = last(...(first(x))). A chain is itself a layer.
template <class... Layers>
struct Chain {
  using Refusal =
      std::conditional_t<(sizeof...(Layers) > 0), detail::NoRefusal, detail::ChainOfNothing<sizeof...(Layers)>>;
  static constexpr const char* name = "chain";
  static constexpr bool is_composite = true;
  static constexpr bool is_chain = true;

  template <class In>
  using Plan = ChainPlan<In, Layers...>;
  template <class In>
  static constexpr bool accepts = AnyShape<In>;
  template <class In>
  using Out = typename Plan<In>::Out;
  template <class In>
  static consteval auto parameters() {
    return detail::joined_parameters(typename Plan<In>::Children{});
  }
  template <class In>
  static consteval std::size_t flops() {
    return detail::summed_flops(typename Plan<In>::Children{});
  }

  template <class In>
  static constexpr std::size_t tables = detail::count_tables<typename Plan<In>::Children>();
  template <class In>
  static constexpr bool changes_length = detail::any_changes_length<typename Plan<In>::Children>();
  template <class In>
  static constexpr std::size_t length(std::size_t n) {
    return detail::length_through<typename Plan<In>::Children>(n);
  }

  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    detail::for_each_child<typename Plan<In>::Children>(path, f);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
