// Predictions whose recurrent layers go block by block of steps.
#include <thread>

#include "compare.hpp"

using namespace aila;

namespace {

template <class Policy>
struct Reviews : Network<Sequence<80, 20>, Stack<Policy, Repeat<3, Lstm<16>>>, LastStep, Linear<1>> {};
struct Words
    : Network<Tokens<150>, Embedding<12>, Dropout<50>, Lstm<32>, LayerNorm, Lstm<19>, MeanOverPositions, Linear<2>> {};
struct Narrow : Network<Sequence<151, 5>, Gru<19>, Residual<Gru<19>>, Linear<3>> {};  // a row for every step
struct Pooled : Network<Sequence<80, 6>, Lstm<64>, Lstm<64>, Lstm<64>, AttentionPooling<1>, Linear<4>> {};
struct Bare : Network<Sequence<150, 6>, Lstm<16>, Lstm<24>, LastStep> {};
struct Normed : Network<Sequence<150, 16>, Stack<integrate::Linear<>, Repeat<2, Lstm<16>>>, LayerNorm, LastStep> {};
struct Dense : Network<Tokens<80>, Embedding<12>, Stack<integrate::DenseNet, Repeat<3, Gru<16>>>, LastStep, Linear<2>> {
};
struct Reading : Network<Sequence<80, 16>, Stack<integrate::DenseFormer<>, Repeat<3, Lstm<16>>>, LastStep, Linear<2>> {
};
struct Deep : Network<Sequence<150, 4>, Stack<integrate::Residual, Repeat<8, Lstm<8>>>, LastStep, Linear<1>> {};
/// Recurrent layers inside a frozen part hand on their state too.
struct Held : Network<Sequence<80, 4>, Frozen<Chain<Lstm<16>, LayerNorm>>,
                      Chain<Lstm<16>, Lstm<16>, Frozen<Chain<Lstm<16>, LayerNorm>>>, LastStep, Linear<1>> {};
struct HeldWide : Network<Sequence<200, 4>, Frozen<Chain<Lstm<300>, LayerNorm>>, Lstm<16>, Lstm<16>, LastStep> {};
struct Wide : Network<Sequence<200, 4>, Lstm<300>, Lstm<8>, LastStep> {};
struct Short : Network<Sequence<12, 4>, Lstm<16>, Lstm<16>, LastStep> {};
struct Images : Network<Image<8, 8, 3>, Conv<4>, MeanOverPositions, Linear<2>> {};

template <class Net>
constexpr std::size_t blocks = aila::cuda::WavefrontCut<Net, backend::Cuda>::blocks;
static_assert(blocks<Reviews<integrate::None>> == 2);
static_assert(blocks<Pooled> == 2);
static_assert(blocks<Words> == 2);
static_assert(blocks<Narrow> == 2);
static_assert(blocks<Bare> == 2 && blocks<Normed> == 2 && blocks<Dense> == 2 && blocks<Reading> == 2);
static_assert(blocks<Deep> == 4);
static_assert(blocks<Wide> == 1, "its state lies elsewhere");
static_assert(blocks<HeldWide> == 1);
static_assert(aila::cuda::WavefrontCut<Held, backend::Cuda>::relays.layers == 4 && blocks<Held> == 2);
static_assert(blocks<Short> == 1);
static_assert(blocks<Images> == 1);

std::vector<std::int32_t> lengths_of(std::size_t samples, std::size_t steps) {
  std::vector<std::int32_t> lengths;
  for (std::size_t i = 0; i < samples; ++i) lengths.push_back(static_cast<std::int32_t>(1 + (i * 17 + 4) % steps));
  return lengths;
}
template <class Net, class Scalar>
auto inputs(std::size_t samples) {
  using In = NetworkInput<Net>;
  std::vector<ElementOf<In, Scalar>> x(samples * In::elements);
  std::mt19937_64 engine(gpu::input_seed(5));
  std::normal_distribution<float> normal;
  for (auto& v : x) {
    if constexpr (In::is_tokens)
      v = static_cast<std::int32_t>(engine() % 40);
    else
      v = static_cast<Scalar>(normal(engine));
  }
  return x;
}
template <class Net, class Backend>
Model<Net, Backend> model_of() {
  Model<Net, Backend> model(Seed{3});
  if constexpr (Model<Net, Backend>::tables > 0) model.all_tables()[0].initialise(40, Seed{3});
  return model;
}
template <class Net, class Backend>
std::vector<double> predicted(std::size_t samples, std::span<const std::int32_t> lengths) {
  const auto model = model_of<Net, Backend>();
  Predictor<Net, Backend> predictor(model, samples);
  const auto y = predictor.batch(inputs<Net, typename Backend::Scalar>(samples), lengths);
  return {y.begin(), y.end()};
}

/// Outputs of a predictor, again and again and for less, beside those of plain loops.
template <class Net>
void check(const char* name) {
  const auto model = model_of<Net, backend::Cuda>();
  Predictor<Net, backend::Cuda> predictor(model, 9);
  double worst = 0;
  for (const std::size_t samples : {9U, 2U, 9U})
    for (const bool have_lengths : {false, true}) {
      if (have_lengths && NetworkInput<Net>::rank == 3) continue;
      INFO(std::string(name), ", ", samples, " samples", std::string(have_lengths ? ", lengths" : ""),
           ", inputs of seed ", gpu::input_seed(5));
      const auto x = inputs<Net, float>(samples);
      std::vector<std::int32_t> lengths;
      if (have_lengths) lengths = lengths_of(samples, NetworkInput<Net>::positions);
      const auto exact = predicted<Net, backend::Reference<double>>(samples, lengths),
                 in_float = predicted<Net, gpu::Measure>(samples, lengths);
      std::vector<double> first;
      for (int run = 0; run < 3; ++run) {  // plain, captured, repeated
        const auto y = predictor.batch(x, lengths);
        const std::vector<double> found(y.begin(), y.end());
        const double share = gpu::distance(found, exact) / gpu::allowed(gpu::distance(in_float, exact));
        CHECK(share <= gpu::leeway);
        worst = std::max(worst, share);
        if (run == 0) first = found;
        CHECK(found == first);
      }
    }
  std::printf("%.3f of what is allowed: %s\n", worst, name);
}
}  // namespace

TEST_CASE("blocks of steps") {
  if (!gpu::is_there()) return;
  check<Reviews<integrate::None>>("lstm 16");
  check<Reviews<integrate::Linear<>>>("lstm 16, linear");
  check<Reviews<integrate::Attention<TiedValues>>>("lstm 16, attention");
  check<Words>("words");
  check<Narrow>("gru 19");
  check<Pooled>("lstm 64, pooled");
  check<Bare>("lstm 16, 24");
  check<Held>("lstm 16, frozen");
  check<Normed>("lstm 16, normed");
  check<Dense>("gru 16, dense");
  check<Deep>("lstm 8, eight layers");
  check<Reading>("lstm 16, reading all before");
}

TEST_CASE("what needs the whole sequence at once gets it") {
  if (!gpu::is_there()) return;
  check<Short>("12 steps");
  check<Images>("images");
}

TEST_CASE("more samples than are served in blocks") {
  if (!gpu::is_there()) return;
  using Net = Reviews<integrate::None>;
  const std::size_t most = aila::cuda::multiprocessors;
  const auto model = model_of<Net, backend::Cuda>();
  Predictor<Net, backend::Cuda> predictor(model, most + 1);
  const auto x = inputs<Net, float>(most + 1);
  const auto whole = predictor.batch(x);
  const std::vector<float> all(whole.begin(), whole.end());
  const auto some = predictor.batch(std::span<const float>(x.data(), most * NetworkInput<Net>::elements));
  for (std::size_t i = 0; i < most; ++i) CHECK(some[i] == doctest::Approx(all[i]).epsilon(1e-4));
}

TEST_CASE("threads predict at once") {
  if (!gpu::is_there()) return;
  using Net = Reviews<integrate::Linear<>>;
  const auto model = model_of<Net, backend::Cuda>();
  const auto x = inputs<Net, float>(5);
  std::vector<std::vector<float>> found(3);
  std::vector<std::thread> threads;
  for (auto& of : found)
    threads.emplace_back([&] {
      Predictor<Net, backend::Cuda> predictor(model, 5);
      for (int round = 0; round < gpu::rounds; ++round) {
        const auto y = predictor.batch(x);
        of.assign(y.begin(), y.end());
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(found[0] == found[1]);
  CHECK(found[0] == found[2]);
}
