// The drawing of a network: layers and their connections, as Graphviz dot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "describe.hpp"

namespace aila::inline v0 {

namespace detail {

/// The text inside a quoted string of dot; a line break becomes "\n".
inline std::string dot_escaped(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// A node of the drawing: its number, and the shape of the map it publishes.
struct DotNode {
  std::size_t number = 0;
  std::string shape;
};

class DotWriter {
 public:
  DotNode node(const std::string& label, const std::string& shape, std::string_view style) {
    line("n" + std::to_string(nodes_) + " [label=\"" + dot_escaped(label + "\n" + shape) + "\"" + std::string(style) + "];");
    return {nodes_++, shape};
  }
  /// Edges between clusters are written after all nodes, so that they pull no node into a cluster.
  void edge(const DotNode& from, const DotNode& to, const std::string& label = {}, bool earlier = false) {
    edges_ += "  n" + std::to_string(from.number) + " -> n" + std::to_string(to.number);
    std::string attributes = label.empty() ? "" : "label=\"" + dot_escaped(label) + "\"";
    if (earlier) attributes += (attributes.empty() ? "" : ", ") + std::string("color=\"#2a6fbb\", constraint=false");
    edges_ += attributes.empty() ? ";\n" : " [" + attributes + "];\n";
  }
  void open(const std::string& label) {
    line("subgraph cluster_" + std::to_string(clusters_++) + " {");
    ++depth_;
    line("label=\"" + dot_escaped(label) + "\";");
  }
  void close() {
    --depth_;
    line("}");
  }
  std::string text() const { return text_ + edges_; }

 private:
  void line(const std::string& content) { text_ += std::string(2 * depth_, ' ') + content + "\n"; }

  std::string text_;
  std::string edges_;
  std::size_t nodes_ = 0;
  std::size_t clusters_ = 0;
  std::size_t depth_ = 1;
};

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

/// Draws one part behind the node `current`; afterwards `current` is the node whose map the part publishes.
struct GraphBuilder {
  DotWriter& dot;
  DotNode current;
  bool frozen = false;

  template <class Part>
  void part(const std::string& path) {
    if constexpr (CompositeLayer<typename PartTraits<Part>::Described>)
      composite<Part>(path);
    else
      leaf<Part>(path, {});
  }

  /// The node of a leaf with an edge to it; `style` is dot's.
  template <class Part>
  void leaf(const std::string& path, std::string_view style) {
    const DotNode made = make<Part>(path, style);
    dot.edge(current, made);
    current = made;
  }

  template <class Part>
  DotNode make(const std::string& path, std::string_view style) {
    std::string label = path + "\n" + kind_text<Part>();
    std::size_t numbers = 0;
    for (const ParameterSpec& p : Part::parameters) numbers += p.size();
    if (numbers > 0) label += "\n" + thousands(numbers) + " parameters";
    const bool is_frozen = frozen || Thawed<typename PartTraits<Part>::Described>::is_frozen;
    return dot.node(label, shape_text<typename PartTraits<Part>::Out>(),
                    std::string(style) + (is_frozen ? ", style=\"filled,dashed\"" : ""));
  }
};

}  // namespace detail

}  // namespace aila::inline v0
