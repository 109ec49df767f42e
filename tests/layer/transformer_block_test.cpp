#include <doctest/doctest.h>

#include <aila/network/graph.hpp>
#include <aila/network/summary.hpp>

#include "on_backend.hpp"

using namespace aila;

namespace {

template <class L>
struct Net : Network<Sequence<5, 8>, L> {};
struct Encoder : Network<Sequence<19, 10>, Repeat<2, TransformerBlock<5, 21, Relu>>, TransformerBlock<1, 3, PostNorm>> {
};

static_assert(std::is_same_v<TransformerBlock<2, 16, PostNorm, Relu, Dropout<10>, Causal>,
                             TransformerBlock<2, 16, Causal, Dropout<10>, Relu, PostNorm>>);
static_assert(std::is_same_v<TransformerBlock<2, 16>, TransformerBlock<2, 16, Dropout<0>, PreNorm, Gelu>>);
static_assert(!std::is_same_v<TransformerBlock<2, 16>, TransformerBlock<2, 16, PostNorm>>);
static_assert(std::is_same_v<NetworkOutput<Net<TransformerBlock<2, 16>>>, Sequence<5, 8>>);
// Four maps of attention, two of the feed-forward network, two norms: torch.nn.TransformerEncoderLayer(8, 2, 16).
static_assert(parameter_count<Net<TransformerBlock<2, 16>>> == 4 * 8 * 9 + 16 * 9 + 8 * 17 + 4 * 8);
static_assert(parameter_count<Net<TransformerBlock<2, 16, PostNorm, Dropout<10>>>> == 600);

template <class L>
std::string names() {
  std::string text;
  for (const ParameterInfo& p : parameter_table<Net<L>>()) text += p.name + "\n";
  return text;
}

}  // namespace

TEST_CASE("the tensors of a block are named by its parts") {
  CHECK(names<TransformerBlock<2, 16>>() ==
        "transformer_block.attention.layer_norm.weight\n"
        "transformer_block.attention.layer_norm.bias\n"
        "transformer_block.attention.self_attention.input_weight\n"
        "transformer_block.attention.self_attention.input_bias\n"
        "transformer_block.attention.self_attention.output_weight\n"
        "transformer_block.attention.self_attention.output_bias\n"
        "transformer_block.feed_forward.layer_norm.weight\n"
        "transformer_block.feed_forward.layer_norm.bias\n"
        "transformer_block.feed_forward.linear.weight\n"
        "transformer_block.feed_forward.linear.bias\n"
        "transformer_block.feed_forward.linear_1.weight\n"
        "transformer_block.feed_forward.linear_1.bias\n");
  CHECK(
      names<TransformerBlock<2, 16, PostNorm>>().ends_with("transformer_block.layer_norm_1.weight\n"
                                                           "transformer_block.layer_norm_1.bias\n"));
}

TEST_CASE("tables and drawings show the parts of a block") {
  using Block = Net<TransformerBlock<2, 16, Dropout<10>>>;
  const std::string table = summary<Block>(), drawing = graph<Block>();
  CHECK(table.find("transformer_block.feed_forward.dropout_1") != std::string::npos);
  CHECK(table.find("self_attention, 2 heads") != std::string::npos);
  CHECK(drawing.find("transformer_block.attention") != std::string::npos);
}

TEST_CASE("transformer blocks on the CPU agree with the plain loops") {
  CHECK(cpu_error<Encoder>(2) <= 10);  // rounding passes through six norms
  CHECK(cpu_error<Encoder>(3, {19, 7, 1}) <= 10);
}

TEST_CASE("dropout of a block draws while training alone") {
  OnBackend<Net<TransformerBlock<2, 16, Dropout<50>>>, CpuFloat> net(2);
  const auto x = waves<float>(80);
  const auto resting = net.run(x, x);
  net.pass.training = true;
  const auto first = net.run(x, x);
  CHECK(first.y == first.predicted);  // the pass asks for it, whatever is kept
  CHECK(first.y != resting.y);
  net.pass.step = 1;
  CHECK(net.run(x, x).y != first.y);
}
