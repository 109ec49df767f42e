// Walking a network: every layer, integration and epilogue with its path, and the lists of all parameters with names.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "../core/error.hpp"
#include "../core/random.hpp"
#include "network.hpp"

namespace aila::inline v0 {

namespace detail {

template <class Part>
concept CompositePart = requires { requires Part::Layer::is_composite; };

template <class F>
struct Walker {
  F& f;
  template <class Part>
  void operator()(const std::string& path) const {
    if constexpr (CompositePart<Part>)
      Part::Layer::template for_each_part<typename Part::In>(path, *this);
    else
      f.template operator()<Part>(path);
  }
};

template <class Part>
constexpr const char* part_name() {
  if constexpr (requires { typename Part::Policy; })
    return Part::Policy::name;
  else
    return layer_name<typename Part::Layer>();
}

}  // namespace detail

/// Calls f.template operator()<Part>(path) for every leaf of the network in the order of its tensors: a Part is a
/// Placed<Layer, In>, or an Integration<Policy, Own, Before> ("stack.2.integrate"). Both have parameters and flops.
template <class Net, class F>
void for_each_layer(F&& f) {
  detail::Walker<std::remove_reference_t<F>>{f}.template operator()<PlacedNetwork<Net>>(std::string());
}

/// One tensor of the canonical array.
struct ParameterInfo {
  std::string name;  ///< "stack.2.core.weight_hh", 0-based
  std::array<std::size_t, 4> extents{};
  std::size_t rank = 0;
  std::size_t offset = 0;  ///< of its first element
  std::size_t size = 0;
  Initialiser initial{};
  ParameterKind kind = ParameterKind::trainable;
  bool decays = true;
};

namespace detail {
struct TableBuilder {
  const std::uint32_t* offsets;
  std::vector<ParameterInfo>& table;

  template <class Part>
  void operator()(const std::string& path) const {
    add(path, Part::parameters.data(), Part::parameters.size());
  }
  void add(const std::string& path, const ParameterSpec* specs, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) {
      const ParameterSpec& spec = specs[i];
      std::string name = (path.empty() ? std::string() : path + ".") + spec.name;
      if (spec.index >= 0) (name += '.') += std::to_string(spec.index);
      table.push_back({.name = std::move(name),
                       .extents = spec.extents,
                       .rank = spec.rank,
                       .offset = offsets[table.size()],
                       .size = spec.size(),
                       .initial = spec.initial,
                       .kind = spec.kind,
                       .decays = spec.decays});
    }
  }
};
}  // namespace detail

/// All tensors of a network, in the order of its layers. Like network_tables they are never destroyed: threads may
/// still predict when the program ends.
template <class Net>
const std::vector<ParameterInfo>& parameter_table() {
  static const auto& table = *new std::vector<ParameterInfo>([] {
    std::vector<ParameterInfo> made;
    made.reserve(PlacedNetwork<Net>::tensors);
    for_each_layer<Net>(detail::TableBuilder{parameter_layout<PlacedNetwork<Net>>.offset.data(), made});
    return made;
  }());
  return table;
}

/// A table of rows beside the canonical array.
struct TableInfo {
  std::string name;  ///< "embedding.weight"
  TableSpec spec{};
  std::size_t steps = 0;  ///< rows that one sample takes
};

namespace detail {
struct TableCollector {
  std::vector<TableInfo>& tables;
  template <class Part>
  void operator()(const std::string& path) const {
    if constexpr (requires { Part::Layer::template table<typename Part::In>(); }) {
      constexpr TableSpec spec = Part::Layer::template table<typename Part::In>();
      tables.push_back({(path.empty() ? std::string() : path + ".") + spec.name, spec, Part::In::positions});
    }
  }
};
}  // namespace detail

/// The tables of a network, in the order of its layers.
template <class Net>
const std::vector<TableInfo>& network_tables() {
  static const auto& tables = *new std::vector<TableInfo>([] {
    std::vector<TableInfo> found;
    if constexpr (tables_of<Net, NetworkInput<Net>>() > 0) for_each_layer<Net>(detail::TableCollector{found});
    return found;
  }());
  return tables;
}

namespace detail {
/// What a description hash is of, but for the tables; older files know nothing of these.
template <class Tensors>
std::string description_text(const Tensors& tensors) {
  std::string text;
  for (const ParameterInfo& p : tensors)
    text += p.name + extents_text(p.extents.data(), p.rank) + std::to_string(static_cast<int>(p.kind)) + ";";
  return text;
}
}  // namespace detail

/// A hash of names, extents and kinds of all tensors, and of names and widths of all tables: two networks that can
/// exchange weights have one hash.
template <class Net>
std::uint64_t description_hash() {
  std::string text = detail::description_text(parameter_table<Net>());
  for (const TableInfo& t : network_tables<Net>()) text += t.name + "[rows, " + std::to_string(t.spec.width) + "];";
  return hash_path(text);
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
