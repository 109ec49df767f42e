// The drawing of a network: layers and their connections, as Graphviz dot.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "../compose/describe.hpp"
#include "dot.hpp"

namespace aila::inline v0 {

namespace detail {

template <class L>
struct Thawed {
  using type = L;
  static constexpr bool is_frozen = false;
};
template <class L>
struct Thawed<Frozen<L>> {
  using type = typename Thawed<L>::type;
  static constexpr bool is_frozen = true;
};

/// The policies of a stack in words.
template <class P>
struct StackPolicies {
  static std::string text() { return P::name + OptionsText<P>::text(); }
};
template <class First, class... P>
struct StackPolicies<integrate::Together<First, P...>> {
  static std::string text() { return ((StackPolicies<First>::text()) + ... + (", " + StackPolicies<P>::text())); }
};

/// Draws part after part. `current` is the node whose map the last part published.
struct GraphBuilder {
  DotWriter& dot;
  DotNode& current;
  bool frozen = false;

  template <class Part>
  void operator()(const std::string& path) const {
    using Described = typename PartTraits<Part>::Described;
    if constexpr (Composite<Described>) {
      using Layer = typename Thawed<Described>::type;
      const GraphBuilder inside{dot, current, frozen || Thawed<Described>::is_frozen};
      if constexpr (requires { requires Layer::is_stack; })
        inside.stack<typename Layer::template Plan<typename Part::In>>(path, layer_name<Layer>());
      else if constexpr (requires { requires Layer::is_sum; })
        inside.branches<Layer, typename Part::In>(path, layer_name<Layer>(), "+");
      else if constexpr (requires { requires Layer::is_bidirectional; })
        inside.branches<Layer, typename Part::In>(path, layer_name<Layer>(), joint_sign(Joint::concatenates));
      else
        inside.chain<Layer, typename Part::In>(path, layer_name<Layer>());
    } else if constexpr (!PartTraits<Part>::is_nothing) {
      follow(make<Part>(path));
    }
  }

 private:
  /// "stack.2.core: lstm"; a path that ends with the kind says it already.
  static std::string titled(const std::string& path, const std::string& kind, const char* between) {
    return path == kind || path.ends_with("." + kind) ? path : path + between + kind;
  }
  std::string frame(const std::string& path, const char* name) const {
    return titled(path, name + std::string(frozen ? ", frozen" : ""), ": ");
  }
  void join(DotNode input, const char* sign) const {
    const DotNode joined = dot.node(sign, ", shape=circle");
    dot.skip(input, joined, {});
    follow(joined);
  }
  void follow(const DotNode& next) const {
    dot.edge(current, next);
    current = next;
  }

  template <class Part>
  DotNode make(const std::string& path) const {
    return make(path, part_facts<Part>, frozen || Thawed<typename PartTraits<Part>::Described>::is_frozen);
  }
  DotNode make(const std::string& path, const PartFacts& facts, bool dashed) const {
    const char* filled = facts.is_integration ? "#dbe9f6" : "white";
    return dot.node(titled(path, facts.kind(), "\n") + "\n" + facts.shape() +
                        (facts.parameters > 0 ? "\n" + thousands(facts.parameters) + " parameters" : ""),
                    std::string(", fillcolor=\"") + filled + (dashed ? "\", style=\"rounded,filled,dashed\"" : "\""));
  }

  template <class Layer, class In>
  void chain(const std::string& path, const char* name) const {
    const DotNode input = current;
    if (!path.empty()) dot.open(frame(path, name));
    Layer::template for_each_part<In>(path, *this);
    if constexpr (joint_of<Layer>() != Joint::none) join(input, joint_sign(joint_of<Layer>()));
    if (!path.empty()) dot.close();
  }

  /// Parts side by side, of one input, whose maps meet.
  template <class Layer, class In>
  void branches(const std::string& path, const char* name, const char* sign) const {
    const DotNode input = current;
    std::vector<DotNode> ends;
    dot.open(frame(path, name));
    Layer::template for_each_part<In>(path, [&]<class Part>(const std::string& part) {
      current = input;
      operator()<Part>(part);
      ends.push_back(current);
    });
    const DotNode joined = dot.node(sign, ", shape=circle");
    for (const DotNode& end : ends) dot.edge(end, joined);
    current = joined;
    dot.close();
  }

  template <class Plan>
  void stack(const std::string& path, const char* name) const {
    dot.open(frame(path, name) + ", " + StackPolicies<typename Plan::WholePolicy>::text());
    if constexpr (Plan::hooked)
      hooked_layers<Plan>(path.empty() ? std::string() : path + ".");
    else
      layers<Plan>(path.empty() ? std::string() : path + ".");
    dot.close();
  }

  template <class Plan>
  void layers(const std::string& inside) const {
    using Policy = typename Plan::Policy;
    using Layers = typename Plan::Layers;
    std::vector<DotNode> maps;
    for_each_index<Plan::depth>([&](auto j) {
      using Layer = At<Layers, j>;
      const std::string layer = inside + std::to_string(j.value);
      if constexpr (Policy::concatenates && j >= 2) concatenate<Layers, typename Layer::Core::In, j>(maps);
      operator()<typename Layer::Core>(layer + ".core");
      after<Policy, Layers, j>(layer, maps);
    });
  }
  /// What core j of a stack reads that concatenates.
  template <class Layers, class CoreIn, std::size_t j>
  void concatenate(std::vector<DotNode>& maps) const {
    const DotNode joined = dot.node("concatenate\n" + shape_text<CoreIn>(), ", shape=trapezium");
    earlier<Layers, CoreIn, 0, j>(maps, joined);
    current = joined;
  }
  /// What stands behind core j: the integration and the epilogue.
  template <class Policy, class Layers, std::size_t j>
  void after(const std::string& layer, std::vector<DotNode>& maps) const {
    using Layer = At<Layers, j>;
    using Integration = typename Layer::Integration;
    if constexpr (!PartTraits<Integration>::is_nothing) {
      const DotNode sum = make<Integration>(layer + ".integrate");
      follow(sum);
      earlier<Layers, typename Layer::Out, Policy::reads == integrate::Reads::previous ? j - 1 : 0, j>(maps, sum);
    }
    operator()<typename Layer::Epilogue>(layer + ".epilogue");
    maps.push_back(current);
  }

  template <class Plan>
  void hooked_layers(const std::string& inside) const {
    using Policies = typename Plan::Policies;
    using Before = typename Policies::Before;
    std::vector<DotNode> maps, inner;
    const DotNode input = current;
    operator()<typename Plan::First>(inside + "begin");
    for_each_index<Plan::depth>([&](auto j) {
      using Layer = At<typename Plan::Layers, j>;
      const std::string layer = inside + std::to_string(j.value);
      const DotNode state = current;
      if constexpr (!PartTraits<typename Layer::Input>::is_nothing) {
        operator()<typename Layer::Input>(layer + ".input");
        if constexpr (Policies::has_before && !Policies::carries) items<Before, Plan::depth>(j, input, maps);
      }
      if constexpr (Plan::Policy::concatenates && j >= 2) {
        using First = std::conditional_t<PartTraits<typename Layer::Head>::is_nothing, typename Layer::Core,
                                         typename Layer::Head>;
        concatenate<typename Plan::Layers, typename First::In, j>(maps);
      }
      if constexpr (!PartTraits<typename Layer::Head>::is_nothing) {
        operator()<typename Layer::Head>(layer + ".head");
        const DotNode head = current;
        if constexpr (!PartTraits<typename Layer::Inside>::is_nothing) {
          operator()<typename Layer::Inside>(layer + ".inside");
          const auto& taken = inner_of<typename Policies::Inside, Plan::depth>[j + 1];
          for (std::size_t i = 0; i < taken.count && taken.earlier[i] < inner.size(); ++i)
            dot.skip(inner[taken.earlier[i]], current, "");
        }
        inner.push_back(head);
      }
      operator()<typename Layer::Core>(layer + ".core");
      after<typename Plan::Policy, typename Plan::Layers, j>(layer, maps);
      if constexpr (!PartTraits<typename Layer::Update>::is_nothing) {
        operator()<typename Layer::Update>(layer + ".update");
        dot.skip(state, current, "");
      }
    });
    if constexpr (!PartTraits<typename Plan::Last>::is_nothing) {
      operator()<typename Plan::Last>(inside + "end");
      if constexpr (Policies::has_readout)
        items<typename Policies::Readout, Plan::depth>(Plan::depth, input, maps);
      else if constexpr (Policies::has_before)
        items<Before, Plan::depth>(Plan::depth, input, maps);
    }
  }
  /// Edges from the items behind `layer` layers to the current node, which follows the newest map already.
  template <class P, std::size_t Depth>
  void items(std::size_t layer, const DotNode& input, const std::vector<DotNode>& maps) const {
    const auto& numbers = items_of<P, Depth>[layer];
    const char* const label = P::items_are == integrate::Items::deltas ? "difference"
                              : P::items_are == integrate::Items::sums ? "sum"
                                                                       : "";
    const auto block = [&](std::size_t item) {
      for (std::size_t i = (item - 1) * P::block; i < std::min(item * P::block, layer); ++i)
        if (i + 1 != layer) dot.skip(maps[i], current, label);
    };
    for (std::size_t i = 0; i < numbers.count; ++i)
      if (numbers.earlier[i] == 0)
        dot.skip(input, current, "");
      else
        block(numbers.earlier[i]);
    if (numbers.newest > 0) block(numbers.newest);
  }

  /// Edges from the maps of layers From ... To - 1.
  template <class Layers, class Target, std::size_t From, std::size_t To>
  void earlier(const std::vector<DotNode>& maps, const DotNode& to) const {
    for_each_index<To - From>([&](auto i) {
      constexpr bool pools = At<Layers, From + i>::Out::positions != Target::positions;
      dot.skip(maps[From + i], to, pools ? "mean of windows" : "");
    });
  }
};

}  // namespace detail

/// The network in Graphviz's language, the same text every time: `dot -Tsvg` draws it. A box is a layer with its path,
/// kind, output shape and number of parameters; stacks and chains are frames; blue arrows carry earlier maps of a stack
/// to the integration (or, under DenseNet, the concatenation) of a later layer; dashed boxes are frozen.
template <class Net>
std::string graph() {
  using Placed = PlacedNetwork<Net>;
  detail::DotWriter dot;
  detail::DotNode current = dot.node("input\n" + shape_text<typename Placed::In>(), ", shape=plain, style=\"\"");
  detail::GraphBuilder{dot, current}.template operator()<Placed>(std::string());
  return "digraph network {\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\", "
         "fontsize=10];\n"
         "  graph [fontname=\"sans-serif\", fontsize=10, color=\"#999999\", labeljust=l];\n" +
         dot.text() + "}\n";
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
