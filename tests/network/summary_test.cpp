#include <doctest/doctest.h>

#include <aila/backend/reference.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/summary.hpp>
#include <set>
#include <string>
#include <vector>

using namespace aila;

namespace {

template <class Policy>
struct Forecaster : Network<Sequence<12, 1>, Stack<Policy, Repeat<4, Lstm<64>>>, LastStep, Linear<1>> {};
struct Perceptron : Network<Vector<2>, Frozen<Linear<3>>, Tanh, Linear<1000>> {};
struct Bare : Network<Sequence<4, 2>, Stack<integrate::Residual, Linear<3>, Linear<3>, Epilogue<Identity>>> {};
struct Nested
    : Network<Sequence<4, 2>, Frozen<Stack<integrate::DenseNet, Linear<3>, Chain<Linear<4>, Dropout<20>>, Linear<5>>>,
              Residual<Linear<5>, Relu>> {};

/// Halves the steps, so that a later layer reads means of windows. A user's layer with an unusual name and options.
struct Halved {
  static constexpr const char* name = "say \"half\" \\";
  static const char* options() { return "two\nlines"; }
  template <class In>
  using Out = Sequence<In::positions / 2, In::features>;
};
struct Pooled : Network<Sequence<8, 3>, Stack<integrate::Attention<>, Linear<3>, Halved>> {};

/// A user's layer with a kernel of its own for one backend, which has no name.
struct Doubled {
  static constexpr const char* name = "doubled";
  template <class In>
  using Out = In;
};
template <class In>
struct DoubledKernel : KernelDefaults<double> {};
template <class In>
DoubledKernel<In> select_kernel(rank::Layer, Placed<Doubled, In>, backend::Reference<double>);
struct Own : Network<Vector<2>, Doubled> {};

/// And a kernel for a whole chain.
struct Whole : Chain<Doubled, Doubled> {
  static constexpr const char* name = "whole";
};
template <class In>
struct WholeKernel : DoubledKernel<In> {
  static constexpr const char* name = "one for all";
};
template <class In>
WholeKernel<In> select_kernel(rank::Fused, Placed<Whole, In>, backend::Reference<double>);
struct Fused : Network<Vector<2>, Whole> {};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = text.find('\n', from);
    all.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return all;
}
std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// What Graphviz would refuse: text that is not one graph of balanced frames, known nodes and closed quotes.
void check_dot(const std::string& dot) {
  std::set<std::string> nodes;
  int depth = 0;
  for (const std::string& line : lines(dot)) {
    int quotes = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (quotes % 2 == 1 && line[i] == '\\')
        ++i;
      else
        quotes += line[i] == '"';
      if (quotes % 2 == 0) depth += (line[i] == '{') - (line[i] == '}');
    }
    CHECK(quotes % 2 == 0);
    const std::string content = line.substr(std::min(line.size(), line.find_first_not_of(' ')));
    const std::size_t arrow = content.find(" -> ");
    if (content[0] != 'n' || content.starts_with("node")) continue;
    if (arrow == std::string::npos) {
      CHECK(nodes.insert(content.substr(0, content.find(' '))).second);
    } else {
      CHECK(nodes.contains(content.substr(0, arrow)));
      CHECK(nodes.contains(content.substr(arrow + 4, content.find_first_of(" ;", arrow + 4) - arrow - 4)));
    }
  }
  CHECK(depth == 0);
  CHECK(dot.starts_with("digraph network {\n"));
}

}  // namespace

TEST_CASE("numbers have separators at the thousands") {
  CHECK(thousands(0) == "0");
  CHECK(thousands(999) == "999");
  CHECK(thousands(1000) == "1,000");
  CHECK(thousands(1234567) == "1,234,567");
}

TEST_CASE("a summary is the table of a network, line by line") {
  // memory: 3, 3 and 1000 doubles of outputs. Workspace: 32 elements each of input, output (1'024), two maps; 16 of
  // scratch
  CHECK(summary<Perceptron, backend::Reference<double>>() ==
        "layer     kind            output  parameters  FLOPs  memory  kernel\n"
        "-------------------------------------------------------------------------------------\n"
        "input                     [2]\n"
        "linear    linear, frozen  [3]              9     15      24  reference linear\n"
        "tanh      tanh            [3]              0      3      24  body, element by element\n"
        "linear_1  linear          [1000]       4,000  7,000   8,000  reference linear\n"
        "\n"
        "parameters        4,009 (4,000 trainable, 9 frozen), and 0 numbers in buffers\n"
        "FLOPs             7,018 a sample, forward\n"
        "workspace         8,832 bytes to predict one sample, 17,792 to train on one\n"
        "backend           reference\n"
        "description hash  " +
            detail::hexadecimal(description_hash<Perceptron>()) + "\n");
}

TEST_CASE("a summary says that rows of tables, whose number it cannot know, are not counted") {
  struct Words : Network<Tokens<4>, Embedding<3>, MeanOverPositions, Linear<1>> {};
  const std::string text = summary<Words, backend::Reference<double>>();
  CHECK(text.find("rows x 3") != std::string::npos);
  CHECK(text.find("parameters        4 (4 trainable, 0 frozen), and 0 numbers in buffers; the rows of a table are not "
                  "counted\n") != std::string::npos);
}

TEST_CASE("a summary lists every layer of a stack with its policy, options and kernels") {
  const std::string text = summary<Forecaster<integrate::Attention<TiedValues, Heads<4>>>>();
  CHECK(text.find("stack.0.core       lstm") != std::string::npos);
  CHECK(text.find("stack.0.integrate") == std::string::npos);  // nothing to integrate there
  CHECK(text.find("stack.3.integrate  attention, 4 heads, tied values  [12, 64]      12,288") != std::string::npos);
  CHECK(text.find("145,217 trainable, 0 frozen") != std::string::npos);
  CHECK(text.find(KernelFor<Placed<Lstm<64>, Sequence<12, 64>>, backend::Cpu>::name) != std::string::npos);
  CHECK(text.find("own kernel") == std::string::npos);
  CHECK(text.find("backend           cpu\n") != std::string::npos);
  CHECK(summary<Forecaster<integrate::Linear<Score<Context>, TaskEmbedding, Heads<2>>>>().find(
            "linear, 2 heads, task embedding, scores of context") != std::string::npos);
  CHECK(summary<Forecaster<integrate::Attention<KeyWidth<8>, MeanOfHeads>>>().find(
            "attention, keys of 8, mean of heads") != std::string::npos);
}

TEST_CASE("a bare stack has no rows for epilogues, and parts of a frozen one are frozen") {
  const auto bare = lines(summary<Bare, backend::Reference<float>>());
  CHECK(bare[3].starts_with("stack.0.core "));
  CHECK(bare[4].starts_with("stack.1.core "));
  CHECK(bare[5].starts_with("stack.1.integrate  residual"));
  CHECK(bare[6].empty());
  const std::string nested = summary<Nested, backend::Reference<float>>();
  CHECK(nested.find("stack.1.core.linear   linear, frozen") != std::string::npos);
  CHECK(nested.find("stack.1.core.dropout  dropout, 20 %, frozen") != std::string::npos);
  CHECK(nested.find("residual.relu         relu ") != std::string::npos);
}

TEST_CASE("kernels of users are named, and a kernel of a whole is named for its parts") {
  CHECK(summary<Own, backend::Reference<double>>().find("own kernel") != std::string::npos);
  CHECK(count(summary<Fused, backend::Reference<double>>(), "one for all") == 2);
}

TEST_CASE("rows of a summary have one column under the other") {
  const auto rows = lines(summary<Forecaster<integrate::Linear<>>, backend::Reference<float>>());
  const std::size_t kernel = rows[0].find("kernel"), parameters = rows[0].find("parameters") + 10;
  for (std::size_t r = 3; !rows[r].empty(); ++r) {
    CHECK(rows[r][kernel - 1] == ' ');
    CHECK(rows[r][kernel] != ' ');
    CHECK(rows[r][parameters - 1] != ' ');
    CHECK(rows[r][parameters] == ' ');
    CHECK(rows[r].size() <= rows[1].size());
  }
}

TEST_CASE("a graph is valid dot, and the same every time") {
  const std::string dot = graph<Forecaster<integrate::Attention<>>>();
  check_dot(dot);
  CHECK(dot == graph<Forecaster<integrate::Attention<>>>());
  check_dot(graph<Nested>());
  check_dot(graph<Bare>());
  check_dot(graph<Perceptron>());
}

TEST_CASE("earlier layers are connected to the integration of later ones, by policy") {
  const auto blue = [](const std::string& dot) { return count(dot, "#2a6fbb"); };
  CHECK(blue(graph<Forecaster<integrate::Attention<>>>()) == 6);
  CHECK(blue(graph<Forecaster<integrate::Linear<>>>()) == 6);
  CHECK(blue(graph<Forecaster<integrate::Residual>>()) == 3);
  CHECK(blue(graph<Forecaster<integrate::None>>()) == 0);
  CHECK(blue(graph<Forecaster<integrate::DenseNet>>()) == 2 + 3);
  CHECK(count(graph<Forecaster<integrate::DenseNet>>(), "concatenate") == 2);
}

TEST_CASE("the edges of a small residual stack are those of its equations") {
  // n1, n2: cores; n3 = y_2 + h_1
  const std::string dot = graph<Bare>();
  const std::string edges = dot.substr(dot.find("  n0 ->"));
  CHECK(edges ==
        "  n0 -> n1;\n"
        "  n1 -> n2;\n"
        "  n2 -> n3;\n"
        "  n1 -> n3 [color=\"#2a6fbb\", fontsize=8, label=\"\"];\n"
        "}\n");
}

TEST_CASE("nested stacks and chains are frames inside frames") {
  const std::string dot = graph<Nested>();
  CHECK(count(dot, "subgraph cluster_") == 3);
  CHECK(dot.find("label=\"stack: stack, frozen, densenet\"") != std::string::npos);
  CHECK(dot.find("    subgraph cluster_1 {\n      label=\"stack.1.core: chain, frozen\"") != std::string::npos);
  CHECK(dot.find("label=\"residual\"") != std::string::npos);
  CHECK(count(dot, "dashed") == 7);  // all leaves of the frozen stack: four cores, three norms
}

TEST_CASE("names and options of users are escaped, and pooled maps are marked") {
  const std::string dot = graph<Pooled>();
  check_dot(dot);
  CHECK(dot.find("say \\\"half\\\" \\\\, two\\nlines") != std::string::npos);
  CHECK(dot.find("label=\"mean of windows\"") != std::string::npos);
}
