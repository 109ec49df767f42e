// The blocks of C++ in README.md, compiled and run as they stand there.
#include <doctest/doctest.h>

#include <aila/learn/check_gradients.hpp>
#include <cmath>
#include <string_view>

#include <aila/aila.hpp>
using namespace aila;

struct Forecaster
    : Network<Sequence<12, 1>,                                     // twelve months of one price
              Stack<integrate::Attention<>, Repeat<4, Lstm<64>>>,  // four layers, each attends to those before it
              LastStep, Linear<1>> {};

static_assert(parameter_count<Forecaster> == 157'505);  // known before the program runs

struct Follower : Network<Sequence<200, 1>, Lstm<32>, LastStep, Linear<1>> {};

/// a_j = sigmoid(gate) * mean of the earlier layers, feature by feature, with a learned gate.
struct GatedMean : integrate::Policy {
  static constexpr const char* name = "gated_mean";
  template <class Own, class Before>
  static constexpr bool accepts = Before::same_width && Before::features(0) == Own::features;
  template <class Own, class Before>
  static consteval auto parameters() {
    return std::array{parameter("gate", {Own::features}, init::zeros()).without_decay()};
  }
  template <class Own, class Before, class V>
  static constexpr void forward(const V*, const V* const* before, auto w, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = math::sigmoid(V(w[0][f])) * mean<Before>(before, f);
  }
  template <class Own, class Before, class V>
  static constexpr void backward(const V*, const V* const* before, auto w, const V* da, V*, V* const* d_before,
                                 auto& g) {
    for (std::size_t f = 0; f < Own::features; ++f) {
      const V gate = math::sigmoid(V(w[0][f]));
      for (std::size_t i = 0; i < Before::count; ++i) d_before[i][f] += da[f] * gate / V(Before::count);
      g.add(0, f, da[f] * mean<Before>(before, f) * gate * (V(1) - gate));
    }
  }
  template <class Before, class V>
  static constexpr V mean(const V* const* before, std::size_t f) {
    V sum = before[0][f];
    for (std::size_t i = 1; i < Before::count; ++i) sum += before[i][f];
    return sum / V(Before::count);
  }
};

namespace {

Samples<Sequence<12, 1>> waves(std::size_t count) {
  Samples<Sequence<12, 1>> samples;
  for (std::size_t n = 0; n < count; ++n) {
    for (std::size_t t = 0; t < 12; ++t)
      samples.inputs.push_back(static_cast<float>(std::sin(0.4 * static_cast<double>(n + t))));
    samples.targets.push_back(static_cast<float>(std::sin(0.4 * static_cast<double>(n + 12))));
  }
  return samples;
}

TEST_CASE("the program of the README trains and predicts") {
  const auto train = waves(96), valid = waves(24);
  std::array<float, 12> window{};
  std::copy_n(valid.inputs.begin(), 12, window.begin());

  Model<Forecaster> model{Seed{7}};
  const History history = fit(model, train, {.validation = valid, .epochs = 100, .patience = 10, .threads = 2});

  Predictor<Forecaster> predict{model};   // owns its workspace; the model stays const
  const float next = predict(window)[0];  // no allocation, noexcept

  CHECK(history.best_validation_loss < 0.01);
  CHECK(std::abs(next - valid.targets[0]) < 0.2F);
  static_assert(noexcept(predict(window)));
}

TEST_CASE("the stream of the README gives a number for each number") {
  const Model<Follower> follower{Seed{3}};
  const std::vector<float> signal{0.1F, 0.4F, -0.2F};
  std::vector<float> output;

  Stream<Follower> stream{follower};  // the state; weights stay in the model, and may change
  for (const float x : signal) output.push_back(stream.step(x)[0]);
  stream.reset();  // the next step is a first one again

  CHECK(output.size() == 3);
  CHECK(stream.step(0.1F)[0] == output[0]);
}

TEST_CASE("the wavefront of the README gives what its predictor gives") {
  const Model<Forecaster> model{Seed{3}};
  const std::array<float, 12> window{0.1F, 0.4F, -0.2F};

  WavefrontPredictor<Forecaster> predict_now{model};  // owns its threads, two where nothing else is said
  const float soon = predict_now(window)[0];          // no allocation, noexcept

  CHECK(soon == Predictor{model}(window)[0]);
  static_assert(noexcept(predict_now(window)));
}

TEST_CASE("the policy of the README has right gradients on both backends") {
  const GradientCheck check = check_gradients<GatedMean, Sequence<5, 4>>();  // against central differences, in double

  CHECK_MESSAGE(check.ok, check.where);
  CHECK(std::string_view(GatedMean::name) == "gated_mean");
  CHECK(check_gradients<GatedMean, Sequence<5, 4>, backend::CpuDouble>().ok);
}
}  // namespace
