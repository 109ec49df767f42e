// Every loss on the device beside the host's: the sum over a batch, each number of the gradient, and a few steps of
// training.
#include <numeric>

#include "compare.hpp"

using namespace aila;

namespace {

struct OfVectors : Network<Vector<5>, Identity> {};
struct OfSteps : Network<Sequence<4, 3>, Identity> {};
struct Trained : Network<Sequence<4, 3>, Linear<8>, Tanh, Linear<3>> {};

/// What a loss is taken of.
template <class Net, class Loss>
struct Batch {
  using Out = NetworkOutput<Net>;
  static constexpr std::size_t targets_of_one = Loss::template targets<Out>;
  std::vector<float> outputs, targets, weights;
  std::vector<std::int32_t> lengths;

  static constexpr bool takes_classes = targets_of_one != Out::elements;
  static constexpr bool takes_shares = std::is_same_v<Loss, BinaryCrossEntropy>;

  explicit Batch(std::size_t samples, bool has_lengths) {
    std::mt19937_64 engine(gpu::input_seed(samples));
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < samples * Out::elements; ++i) outputs.push_back(2 * normal(engine));
    for (std::size_t i = 0; i < samples * targets_of_one; ++i)
      targets.push_back(takes_classes  ? static_cast<float>(engine() % Out::features)
                        : takes_shares ? static_cast<float>(engine() % 5) / 4
                                       : normal(engine));
    for (std::size_t i = 0; i < samples; ++i) {
      weights.push_back(0.25F + static_cast<float>(i % 3));
      if (has_lengths) lengths.push_back(static_cast<std::int32_t>(1 + i % Out::positions));
    }
  }
  /// Samples that take no part, whatever they hold.
  void leave_some_out() {
    for (std::size_t n = 0; n < weights.size(); n += 4) {
      weights[n] = 0;
      outputs[n * Out::elements] = NAN;
      outputs[n * Out::elements + 1] = INFINITY;
    }
  }
  /// What overflows on the way, what is exactly right, and what is no number.
  void strain() {
    const float strange[] = {1e30F, -1e30F, 3e38F, 100, -100, INFINITY, -INFINITY, NAN, 0, 1e-30F};
    for (std::size_t i = 0; i < outputs.size(); i += 3) outputs[i] = strange[i / 3 % std::size(strange)];
    if constexpr (!takes_classes)
      for (std::size_t i = 1; i < outputs.size(); i += 7) outputs[i] = targets[i];
  }
};

struct Found {
  double sum = 0, sum_alone = 0;  ///< alone: where nobody asks for the gradient
  std::vector<double> gradient;
};

template <class Net, class Backend, class Loss>
Found of(const Batch<Net, Loss>& batch, const Loss& loss) {
  using S = typename Backend::Scalar;
  using Over = LossOver<Loss, typename detail::BoundNetwork<Net>::Bound, KernelsOf<Backend>>;
  typename Backend::Queue queue;
  const auto there = [&]<class T>(const std::vector<T>& numbers) {
    ArrayOn<T, Backend> all(numbers.size());
    queue.to_device(numbers.data(), numbers.size(), all.data());
    return all;
  };
  const auto scalars = [&](const std::vector<float>& numbers) {
    return there(std::vector<S>(numbers.begin(), numbers.end()));
  };
  const auto outputs = scalars(batch.outputs), targets = scalars(batch.targets), weights = scalars(batch.weights);
  const auto lengths = there(batch.lengths);
  auto gradient = scalars(std::vector<float>(batch.outputs.size()));
  ArrayOn<S, Backend> scratch(Over::scratch);
  LossArrays<S> arrays{.samples = batch.weights.size(),
                       .lengths = batch.lengths.empty() ? nullptr : lengths.data(),
                       .outputs = outputs.data(),
                       .targets = targets.data(),
                       .weights = weights.data(),
                       .gradient = gradient.data(),
                       .scratch = scratch.data(),
                       .queue = &queue};
  Found found;
  queue.run([&] { found.sum = Over::run(loss, 0.5, arrays); });
  arrays.gradient = nullptr;
  queue.run([&] { found.sum_alone = Over::run(loss, 0.5, arrays); });
  std::vector<S> copy(batch.outputs.size());
  queue.to_host(gradient.data(), copy.size(), copy.data());
  found.gradient.assign(copy.begin(), copy.end());
  return found;
}

/// Equal, no numbers both, or apart by rounding.
bool alike(double a, double b) {
  return a == b || (a != a && b != b) || std::abs(a - b) <= 1e-5 * std::abs(b) + 1e-7;
}

template <class Net, class Loss>
void check(const Loss& loss, bool has_lengths) {
  for (const std::size_t samples : {1, 37, 1000}) {
    INFO(samples, " samples", std::string(has_lengths ? ", lengths" : ""), ", inputs of seed ",
         gpu::input_seed(samples));
    Batch<Net, Loss> batch(samples, has_lengths);
    if (samples > 1) batch.leave_some_out();
    const auto exact = of<Net, backend::Reference<double>>(batch, loss);
    const auto cpu = of<Net, backend::Cpu>(batch, loss), device = of<Net, backend::Cuda>(batch, loss);
    REQUIRE(exact.sum != 0);
    CHECK(device.sum == doctest::Approx(exact.sum).epsilon(1e-6));
    CHECK(device.sum_alone == doctest::Approx(device.sum).epsilon(1e-6));
    CHECK(gpu::distance(device.gradient, exact.gradient) <= gpu::allowed(gpu::distance(cpu.gradient, exact.gradient)));
    batch = Batch<Net, Loss>(samples, has_lengths);
    batch.strain();
    const auto strained_cpu = of<Net, backend::Cpu>(batch, loss), strained = of<Net, backend::Cuda>(batch, loss);
    CHECK(alike(strained.sum, strained_cpu.sum));
    CHECK(alike(strained.sum_alone, strained_cpu.sum_alone));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < strained.gradient.size(); ++i)
      if (!alike(strained.gradient[i], strained_cpu.gradient[i]) && wrong++ < 3)
        MESSAGE("number ", i, ": the CPU ", strained_cpu.gradient[i], ", the device ", strained.gradient[i],
                ", output ", batch.outputs[i]);
    CHECK(wrong == 0);
  }
}
template <class Loss>
void check(const char* name, const Loss& loss) {
  INFO(std::string(name));
  check<OfVectors>(loss, false);
  check<OfSteps>(loss, false);
  check<OfSteps>(loss, true);
}

/// Five steps of training, with lengths and weights, and the loss after them.
template <class Loss, class Backend>
std::vector<double> trained(const Loss& loss) {
  Batch<Trained, Loss> batch(48, true);
  Samples<NetworkInput<Trained>> data;
  data.inputs = batch.outputs;
  data.targets = batch.targets;
  data.weights = batch.weights;
  data.lengths = batch.lengths;
  Model<Trained, Backend> model(Seed{3});
  Inline alone;
  Trainer<Trained, Loss, Sgd, Backend> trainer(model, loss, Sgd{.learning_rate = 0.1}, {.batch = 48}, alone);
  std::vector<std::size_t> all(48);
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<double> found;
  for (int step = 0; step < 5; ++step) found.push_back(trainer.step(data, all).loss);
  found.push_back(evaluate(model, data, loss));
  return found;
}
template <class Loss>
void check_training(const char* name, const Loss& loss) {
  INFO(std::string(name));
  const auto device = trained<Loss, backend::Cuda>(loss), host = trained<Loss, backend::Cpu>(loss);
  CHECK(host.back() < host.front());
  for (std::size_t i = 0; i < host.size(); ++i) CHECK(device[i] == doctest::Approx(host[i]).epsilon(1e-5));
}

}  // namespace

TEST_CASE(
    "each loss has on the device the sum and the gradient that it has in double, and what overflows as on the CPU") {
  if (!gpu::is_there()) return;
  check("mean squared error", MeanSquaredError{});
  check("mean absolute error", MeanAbsoluteError{});
  check("Huber", Huber{.delta = 0.7});
  check("quantile", Quantile{.q = 0.2});
  check("binary cross-entropy", BinaryCrossEntropy{});
  check("binary cross-entropy, smoothed", BinaryCrossEntropy{.label_smoothing = 0.1});
  check("cross-entropy", CrossEntropy{});
  check("cross-entropy, smoothed", CrossEntropy{.label_smoothing = 0.1});
}

TEST_CASE("training by each loss has on the device the losses that it has on the host") {
  if (!gpu::is_there()) return;
  check_training("mean squared error", MeanSquaredError{});
  check_training("mean absolute error", MeanAbsoluteError{});
  check_training("Huber", Huber{.delta = 0.7});
  check_training("quantile", Quantile{.q = 0.2});
  check_training("binary cross-entropy", BinaryCrossEntropy{.label_smoothing = 0.1});
  check_training("cross-entropy", CrossEntropy{.label_smoothing = 0.1});
}
