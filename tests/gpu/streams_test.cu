// Streams of whole networks on the device: after each step what the sequence so far has there.
#include "compare.hpp"

using namespace aila;

namespace {

template <class Policy>
struct Stacked : Network<Sequence<9, 5>, Linear<16>,
                         Stack<Policy, Lstm<16>, Lstm<16>, Chain<Linear<16>, Gru<16>>, Lstm<16>>, LastStep, Linear<2>> {
};
/// It keeps its steps.
template <class Policy>
struct Rows : Network<Sequence<9, 5>, Linear<12>, Stack<Policy, Repeat<3, Lstm<12>>>, LayerNorm, Linear<3>, Softmax> {};
struct Words : Network<Tokens<9>, Embedding<12>, Dropout<10>,
                       Stack<integrate::Attention<TiedValues>, Repeat<3, Lstm<12>>>, LastStep, Linear<2>> {};

template <class Net>
void check(const char* name) {
  INFO(std::string(name), ", inputs of seed ", gpu::input_seed());
  using In = NetworkInput<Net>;
  using Out = NetworkOutput<Net>;
  Model<Net, backend::Cuda> model(Seed{3});
  if constexpr (Model<Net>::tables > 0) model.all_tables()[0].initialise(30, Seed{3});
  model.edit([](std::span<float> p) {  // away from first values that make mixtures all alike
    std::mt19937_64 engine(11);
    std::normal_distribution<float> normal;
    for (const ParameterInfo& info : parameter_table<Net>())
      for (std::size_t i = 0; i < info.size; ++i) p[info.offset + i] += 0.2F * normal(engine);
  });
  std::mt19937_64 engine(gpu::input_seed());
  std::normal_distribution<float> normal;
  std::vector<ElementOf<In, float>> x(In::elements);
  for (auto& v : x) {
    if constexpr (In::is_tokens)
      v = static_cast<std::int32_t>(engine() % 30);
    else
      v = normal(engine);
  }
  Predictor<Net, backend::Cuda> predictor(model);
  Stream<Net, backend::Cuda> stream(model);
  double worst = 0;
  std::vector<float> before;
  for (int round = 0; round < 2; ++round) {
    std::vector<float> all;
    for (std::size_t t = 0; t < In::positions; ++t) {
      constexpr std::size_t width = In::elements / In::positions;
      const auto step = stream.step(std::span<const ElementOf<In, float>, width>(x.data() + t * width, width));
      const auto so_far = predictor(x, static_cast<std::int32_t>(t + 1));
      constexpr bool keeps_steps = SequenceShape<Out>;
      const auto expected = so_far.subspan(keeps_steps ? t * step.size() : 0, step.size());
      const std::vector<double> a(step.begin(), step.end()), b(expected.begin(), expected.end());
      worst = std::max(worst, gpu::distance(a, b));
      all.insert(all.end(), step.begin(), step.end());
    }
    CHECK(worst <= 1e-5);
    if (round == 1) CHECK(all == before);  // the same bits from the first step on again
    before = all;
    stream.step(
        std::span<const ElementOf<In, float>, In::elements / In::positions>(x.data(), In::elements / In::positions));
    stream.reset();
  }
  CHECK(std::ranges::any_of(before, [&](float y) { return std::abs(y - before[0]) > 1e-3F; }));  // steps tell
  std::printf("%s: steps are %.2g from the sequence at most\n", name, worst);
}

}  // namespace

TEST_CASE("a stream on the device gives after each step of a stack what the sequence so far has there") {
  if (!gpu::is_there()) return;
  check<Stacked<integrate::Attention<>>>("attention behind the cores");
  check<Stacked<integrate::AttentionResiduals<>>>("scores before the cores");
  check<Rows<integrate::Linear<Heads<2>>>>("linear scores, a row for each step");
  check<Rows<integrate::Together<integrate::DenseFormer<>, integrate::ElmoMix>>>("several places");
  check<Rows<integrate::Highway>>("a stream along the depth");
}

TEST_CASE("a stream of tokens on the device gives after each what the text so far has there") {
  if (!gpu::is_there()) return;
  check<Words>("words");
}
