// What the networks of the zoo are made of: the numbers of zoo.hpp and of the papers, and the tables that summary
// prints.
#include <doctest/doctest.h>

#include <aila/network/summary.hpp>
#include <aila/zoo/zoo.hpp>
#include <string>

using namespace aila;

namespace {

using Text = Sequence<200, 100>;
using Heads4 = integrate::Linear<Heads<4>>;
using Tied = integrate::Attention<TiedValues>;

static_assert(parameter_count<zoo::ResNet<20>> == 269'722);
static_assert(parameter_count<zoo::ResNet<110>> == 1'727'962, "1.7 million in the paper");
static_assert(parameter_count<zoo::DenseNetBc<100, 12>> == 769'162);
static_assert(parameter_count<zoo::DenseNetBc<190, 40>> == 25'624'430, "25.6 million in the paper");
static_assert(parameter_count<zoo::EfficientNetB0<>> == 5'288'548);
static_assert(parameter_count<zoo::EfficientNetB0<32, 10>> == parameter_count<zoo::EfficientNetB0<>> - 990 * 1281);
static_assert(parameter_count<zoo::Lstm2<Text, 2>> == 4 * 64 * (100 + 64 + 1) + 4 * 64 * (64 + 64 + 1) + 2 * 65);
static_assert(parameter_count<zoo::AttentionLstm<Text, 2>> == parameter_count<zoo::Lstm2<Text, 2>> + 64 * 66);
static_assert(parameter_count<zoo::TransformerEncoder<Text, 2>> == 64 * 101 + 4 * 49'984 + 2 * 64 + 2 * 65);
static_assert(parameter_count<zoo::TransformerEncoder<Text, 2, 64, 4, LearnedPositions, FirstStep>> ==
              parameter_count<zoo::TransformerEncoder<Text, 2>> + 64 + 201 * 64);
static_assert(parameter_count<zoo::ResidualCnn1d<Text, 2>> == 64 * 702 + 8 * (64 * 194) + 2 * 65);
static_assert(parameter_count<zoo::VisionTransformer<>> == 128 * 49 + 66 * 128 + 6 * 198'272 + 2 * 128 + 10 * 129);
static_assert(parameter_count<zoo::AilaSequence<Heads4, Text, 2>> == 167'106);
static_assert(parameter_count<zoo::AilaSequence<Tied, Text, 2>> == 170'626);
static_assert(parameter_count<zoo::AilaImage<Heads4>> == 138'890);
static_assert(parameter_count<zoo::AilaImage<Tied>> == 142'410);
static_assert(parameter_count<zoo::AilaImage<integrate::None>> == 64 * 28 + 3 * (64 * 577) + 4 * 128 + 10 * 65);

/// A network behind words: a chain among others.
struct Reviews : Network<Tokens<200>, Frozen<Embedding<100>>, zoo::Lstm2<Text, 2>> {};
static_assert(parameter_count<Reviews> == parameter_count<zoo::Lstm2<Text, 2>>);
static_assert(std::is_same_v<NetworkOutput<Reviews>, Vector<2>>);

/// Adds up parameters and operations of all layers, and multiplications of convolutions and linear maps.
struct Totals {
  std::size_t& parameters;
  std::size_t& operations;
  std::size_t& multiplications;
  template <class Part>
  void operator()(const std::string&) const {
    for (const ParameterSpec& p : Part::parameters) {
      if (p.kind == ParameterKind::buffer) continue;
      parameters += p.size();
      if (p.rank == 4) multiplications += p.size() * Part::Out::positions;
      if (p.rank == 2) multiplications += p.size();
    }
    operations += Part::flops;
  }
};

/// Millions of multiplications, rounded, of an image network whose linear maps have one position.
template <class Net>
std::size_t multiplications() {
  std::size_t parameters = 0, operations = 0, multiplied = 0;
  for_each_layer<Net>(Totals{parameters, operations, multiplied});
  CHECK(parameters == parameter_count<Net>);
  CHECK(operations <= flops<Net>);  // sums and products that join branches are no layers
  CHECK(operations > flops<Net> - flops<Net> / 100);
  return (multiplied + 500'000) / 1'000'000;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The table of a network, which ends in its totals and names a kernel for every layer.
template <class Net>
std::string checked_summary(const std::string& parameters, const std::string& operations) {
  std::string text = summary<Net>();
  CHECK(says(text, "\nparameters        " + parameters + " ("));
  CHECK(says(text, "\nFLOPs             " + operations + " a sample"));
  CHECK(thousands(parameter_count<Net>) == parameters);
  CHECK(thousands(flops<Net>) == operations);
  CHECK(!says(text, "own kernel"));
  return text;
}

}  // namespace

TEST_CASE("multiplications are as published, and the layers add up to the totals") {
  CHECK(multiplications<zoo::EfficientNetB0<>>() == 386);  // 0.39 billion in arXiv 1905.11946 and torchvision
  CHECK(multiplications<zoo::ResNet<20>>() == 41);         // 0.041 billion for 32 x 32
  CHECK(multiplications<zoo::DenseNetBc<100, 12>>() == 288);
}

TEST_CASE("the table of every network has its layers, kernels and totals") {
  const auto efficient = checked_summary<zoo::EfficientNetB0<>>("5,288,548", "796,379,392");
  CHECK(says(efficient, "squeeze_excitation.linear "));
  CHECK(says(efficient, "[7, 7, 1280]"));
  const auto residual = checked_summary<zoo::ResNet<20>>("269,722", "81,757,450");
  CHECK(says(residual, "[8, 8, 64]"));
  CHECK(says(checked_summary<zoo::DenseNetBc<100, 12>>("769,162", "588,860,098"), "[8, 8, 342]"));
  CHECK(says(checked_summary<zoo::AilaImage<Heads4>>("138,890", "37,646,602"), "stack.3.integrate"));
  CHECK(says(
      checked_summary<zoo::AilaSequence<Tied, Text, 2>>("170,626", thousands(flops<zoo::AilaSequence<Tied, Text, 2>>)),
      "stack.3.integrate"));
  CHECK(says(checked_summary<zoo::VisionTransformer<>>("1,205,898", "169,194,498"), "class_token"));
  CHECK(says(checked_summary<zoo::TransformerEncoder<Text, 2>>("206,658", "127,091,458"), "[200, 64]"));
  CHECK(says(checked_summary<zoo::Lstm2<Text, 2>>("75,394", thousands(flops<zoo::Lstm2<Text, 2>>)), "[200, 64]"));
  CHECK(says(checked_summary<zoo::AttentionLstm<Text, 2>>("79,618", thousands(flops<zoo::AttentionLstm<Text, 2>>)),
             "attention_pooling"));
  CHECK(says(checked_summary<zoo::ResidualCnn1d<Text, 2>>("144,386", thousands(flops<zoo::ResidualCnn1d<Text, 2>>)),
             "[200, 64]"));
}
