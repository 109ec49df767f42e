// The examples' networks: their first twenty steps on the device have the host's losses, as far as float has.
#include <aila/zoo/aila_image.hpp>
#include <aila/zoo/aila_sequence.hpp>
#include <numeric>

#include "compare.hpp"

using namespace aila;

namespace {

using Linear4 = integrate::Linear<Heads<4>>;
using Tied = integrate::Attention<TiedValues>;
using Forecaster = zoo::AilaSequence<Linear4, Sequence<12, 1>, 1>;
using Reviewer = zoo::AilaSequence<Tied, Sequence<200, 100>, 1, AttentionPooling<64>>;
using Classifier = zoo::AilaImage<Linear4, Image<32, 32, 3>, 10>;

template <class Net, class Scalar>
Samples<NetworkInput<Net>, Scalar> samples(std::size_t count, std::size_t classes, bool lengths) {
  using In = NetworkInput<Net>;
  Samples<In, Scalar> all;
  std::mt19937_64 engine(7);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < count * In::elements; ++i) all.inputs.push_back(normal(engine));
  for (std::size_t i = 0; i < count; ++i) {
    all.targets.push_back(classes > 0 ? static_cast<Scalar>(engine() % classes) : static_cast<Scalar>(normal(engine)));
    if (lengths) all.lengths.push_back(static_cast<std::int32_t>(1 + engine() % In::extents[0]));
  }
  return all;
}

/// rate(step) times the learning rate, as the example has it. Steps make rounding larger: after some of them float
/// differs from double by more than 1e-4, on the host too, and three times its distance is then the bound.
template <class Net, class Loss, class Rate>
void check_task(const char* name, const Loss& loss, const AdamW& optimiser, std::size_t batch, std::size_t classes,
                bool lengths, Rate&& rate) {
  const auto train = [&]<class Backend>(Backend) {
    const auto data = samples<Net, typename Backend::Scalar>(2 * batch, classes, lengths);
    Model<Net, Backend> model(Seed{1});
    ThreadPool pool(4);
    Trainer<Net, Loss, AdamW, Backend> trainer(model, loss, optimiser, {.batch = batch, .clip_norm = 1}, pool);
    std::vector<std::size_t> indices(2 * batch);
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    std::vector<double> losses;
    for (std::size_t step = 0; step < 20; ++step) {
      losses.push_back(trainer.step(data, std::span(indices).first(batch), rate(step)).loss);
      std::rotate(indices.begin(), indices.begin() + 17, indices.end());
    }
    return losses;
  };
  const auto exact = train(backend::CpuDouble{}), host = train(backend::Cpu{}), device = train(backend::Cuda{});
  double of_host = 0, of_device = 0;
  for (std::size_t step = 0; step < 20; ++step) {
    CAPTURE(step);
    of_host = std::max(of_host, std::abs(host[step] - exact[step]) / std::abs(exact[step]));
    of_device = std::max(of_device, std::abs(device[step] - exact[step]) / std::abs(exact[step]));
    CHECK(of_device <= std::max(1e-4, 3 * of_host));
  }
  std::printf("%s: of 20 steps' losses the device is %.2g from double at most, the host %.2g\n", name, of_device,
              of_host);
}

}  // namespace

TEST_CASE("twenty steps of the examples' networks") {
  if (!gpu::is_there()) return;
  const auto whole = [](std::size_t) { return 1.0; };
  const auto rises = [](std::size_t step) { return static_cast<double>(step + 1) / 352; };
  check_task<Forecaster>("forecast", MeanSquaredError{}, AdamW{.learning_rate = 1e-3}, 32, 0, false, whole);
  check_task<Reviewer>("sentiment", BinaryCrossEntropy{}, AdamW{.learning_rate = 1e-3}, 64, 2, true, whole);
  check_task<Classifier>("image", CrossEntropy{}, AdamW{.learning_rate = 2e-3}, 128, 10, false, rises);
}
