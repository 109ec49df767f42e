// Tools see connections at every place: tables, drawings, maps and mixture weights.
#include <aila/network/explain.hpp>
#include <aila/network/graph.hpp>
#include <aila/network/inspect.hpp>
#include <aila/network/summary.hpp>

#include "../says.hpp"
#include "named.hpp"

namespace aila {
namespace {

using namespace integrate;

template <class P>
struct Net : Network<Sequence<5, 4>, Stack<P, Repeat<3, Lstm<4>>>, LastStep, aila::Linear<1>> {};

std::vector<std::string> names_of(const std::vector<ParameterInfo>& table, const std::string& part) {
  std::vector<std::string> names;
  for (const ParameterInfo& p : table)
    if (p.name.find(part) != std::string::npos) names.push_back(p.name);
  return names;
}

TEST_CASE("tensors of a connection are named by its place") {
  using Names = std::vector<std::string>;
  CHECK(names_of(parameter_table<Net<DenseFormer<>>>(), "input") ==
        Names{"stack.1.input.weight", "stack.2.input.weight"});
  CHECK(names_of(parameter_table<Net<DenseFormer<>>>(), "end") == Names{"stack.end.weight"});
  CHECK(parameter_table<Net<DenseFormer<>>>().size() == 3 * (3 + 2) + 3 + 2);
  CHECK(names_of(parameter_table<Net<HyperConnections<2>>>(), "stack.1.update") ==
        Names{"stack.1.update.matrix", "stack.1.update.weight"});
  CHECK(names_of(parameter_table<Net<ElmoMix>>(), "end") == Names{"stack.end.weight", "stack.end.gain"});
}

TEST_CASE("DenseFormer has L (L + 3) / 2 weights, and what it computes is what it says") {
  using Of = Net<DenseFormer<>>;
  std::size_t weights = 0;
  for (const ParameterInfo& p : parameter_table<Of>())
    if (p.name.ends_with("input.weight") || p.name.ends_with("end.weight")) weights += p.size;
  CHECK(weights == 3 * (3 + 3) / 2);

  Model<Of> model{Seed{1}};
  set_weights(model, "input.weight", {0.5, -0.25, 0.75});
  set_weights(model, "end.weight", {0.5, -0.25, 0.75, 1.25});
  const auto x = inputs<float>(20);
  const auto maps = layer_maps(model, std::span<const float>(x), "");
  const auto map = [&](const std::string& path) {
    for (const auto& m : maps)
      if (m.path == path) return m.values;
    FAIL("no map of ", path);
    return std::vector<float>{};
  };
  const std::vector<std::vector<float>> h{x, map("stack.0.epilogue"), map("stack.1.epilogue"), map("stack.2.epilogue")};
  const std::vector<double> w{0.5, -0.25, 0.75, 1.25};
  for (const auto& [path, count] :
       {std::pair<std::string, std::size_t>{"stack.1.input", 2}, {"stack.2.input", 3}, {"stack.end", 4}}) {
    INFO(path);
    const auto found = map(path);
    for (std::size_t e = 0; e < x.size(); ++e) {
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += w[i] * static_cast<double>(h[i][e]);
      CHECK(static_cast<double>(found[e]) == doctest::Approx(sum).epsilon(1e-5));
    }
  }
}

TEST_CASE("mixture weights are told with the names of their items, signed ones as they are") {
  Model<Net<Together<DenseFormer<>, integrate::Linear<>>>> model{Seed{1}};
  set_weights(model, "input.weight", {0.5, -0.25, 0.75});
  const auto x = inputs<float>(40);
  const auto weights = mixture_weights(model, std::span<const float>(x));
  REQUIRE(weights.size() == 5);
  using Names = std::vector<std::string>;
  CHECK(weights[0].path == "stack.1.input");
  CHECK(weights[0].items == Names{"input", "h_0"});
  CHECK(weights[0].mean[1] == doctest::Approx(-0.25));
  CHECK(weights[1].path == "stack.1.integrate");
  CHECK(weights[1].items == Names{"own", "h_0"});
  CHECK(weights[1].mean[0] == doctest::Approx(0.5));
  CHECK(weights[2].items == Names{"input", "h_0", "h_1"});
  CHECK(weights[2].of("h_1") == doctest::Approx(0.75));
  CHECK(weights[4].path == "stack.end");
  CHECK(weights[4].items == Names{"input", "h_0", "h_1", "h_2"});
  CHECK(weights[4].mean == std::vector<double>{0, 0, 0, 1});

  using Deltas = Mixture<AttachedAt<Place::readout>, Of<Items::deltas>, StaticScores<>, InBlocks<2>, LearnedItems<1>>;
  const Model<Net<Deltas>> blocks{Seed{1}};
  const auto of_blocks = mixture_weights(blocks, std::span<const float>(x));
  REQUIRE(of_blocks.size() == 1);
  CHECK(of_blocks[0].items == Names{"input", "block_0", "block_1", "task"});
  for (const double w : of_blocks[0].mean) CHECK(w == doctest::Approx(0.25));
}

TEST_CASE("drawings and tables show them") {
  const std::string dense = graph<Net<Together<DenseFormer<2>, ElmoMix>>>();
  CHECK(dense.find("stack, dense_former, elmo_mix") != std::string::npos);
  CHECK(dense.find("stack.2.input\\ndense_former") != std::string::npos);
  CHECK(dense.find("stack.end\\nelmo_mix") != std::string::npos);
  const std::string hyper = graph<Net<HyperConnections<2>>>();
  for (const char* part : {"stack.begin", "stack.0.input", "stack.2.update", "stack.end"})
    CHECK(hyper.find(part) != std::string::npos);
  const std::string table = summary<Net<HyperConnections<2>>>();
  CHECK(table.find("hyper_update     [5, 8]") != std::string::npos);
  struct Open : Network<Sequence<5, 4>, Stack<ValueResidual, Repeat<2, SelfAttention<2>>>, LastStep> {};
  CHECK(summary<Open>().find("stack.1.inside") != std::string::npos);
  CHECK(graph<Open>().find("stack.1.inside\\nvalue_residual\\n[5, 12]") != std::string::npos);
}

}  // namespace
}  // namespace aila
