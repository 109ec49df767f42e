// A writer of Graphviz's language.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include "../core/config.hpp"

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

/// A node is a number.
using DotNode = std::size_t;

class DotWriter {
 public:
  DotNode node(const std::string& label, std::string_view style) {
    line(std::string("n").append(std::to_string(nodes_)) + " [label=\"" + dot_escaped(label) + "\"" +
         std::string(style) + "];");
    return nodes_++;
  }
  void edge(DotNode from, DotNode to) { arrow(from, to, ""); }
  /// An edge that carries an earlier map past the layers between.
  void skip(DotNode from, DotNode to, std::string_view label) {
    arrow(from, to, " [color=\"#2a6fbb\", fontsize=8, label=\"" + dot_escaped(label) + "\"]");
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
  void arrow(DotNode from, DotNode to, const std::string& attributes) {
    edges_ += "  n" + std::to_string(from) + " -> n" + std::to_string(to) + attributes + ";\n";
  }

  std::string text_;   ///< nodes and frames
  std::string edges_;  ///< written last: an edge inside a frame would pull its nodes into it
  std::size_t nodes_ = 0;
  std::size_t clusters_ = 0;
  std::size_t depth_ = 1;
};

}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
