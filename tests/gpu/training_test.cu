// Training on the device beside training on the host: losses, norms, weights, tables; the same bits twice.
#include <aila/io.hpp>
#include <algorithm>
#include <filesystem>
#include <numeric>
#include <thread>

#include "compare.hpp"

using namespace aila;

namespace {

struct Regression : Network<Vector<6>, Linear<16>, Tanh, LayerNorm, Linear<2>> {};
struct Steps
    : Network<Sequence<5, 3>, Stack<integrate::Attention<>, Repeat<3, Linear<8>>>, Dropout<20>, LastStep, Linear<1>> {};
struct Words : Network<Tokens<9>, Embedding<8>, MeanOverPositions, Linear<3>> {};
struct TwoTables : Network<Tokens<9>, Sum<Embedding<8>, Embedding<8>>, MeanOverPositions, Linear<3>> {};
struct OnlyTable : Network<Tokens<9>, Embedding<3>, MeanOverPositions> {};
struct Deep : Network<Sequence<6, 64>, Stack<integrate::Linear<Heads<4>>, Repeat<6, Linear<64>>>> {};
struct Normed : Network<Image<6, 6, 2>, Conv<4, NoBias>, BatchNorm<>, Relu, GlobalMaxPool, Linear<3>> {};

template <class Net>
Samples<NetworkInput<Net>> samples(std::size_t count, std::size_t targets, std::size_t classes, bool lengths) {
  using In = NetworkInput<Net>;
  Samples<In> all;
  std::mt19937_64 engine(gpu::input_seed(5));
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < count * In::elements; ++i) {
    if constexpr (In::is_tokens)
      all.inputs.push_back(static_cast<std::int32_t>(engine() % 60 * (engine() % 3) / 2));
    else
      all.inputs.push_back(normal(engine));
  }
  for (std::size_t i = 0; i < count * targets; ++i)
    all.targets.push_back(classes > 0 ? static_cast<float>(engine() % classes) : normal(engine));
  for (std::size_t i = 0; i < count; ++i) {
    if (lengths) all.lengths.push_back(static_cast<std::int32_t>(1 + engine() % In::extents[0]));
    all.weights.push_back(i % 7 == 0 ? 0.0F : 0.5F + static_cast<float>(i % 3));
  }
  return all;
}

template <class Net, class Backend>
Model<Net, Backend> model_of() {
  Model<Net, Backend> model(Seed{3});
  for (std::size_t t = 0; t < Model<Net, Backend>::tables; ++t) model.all_tables()[t].initialise(60, Seed{3 + t});
  return model;
}

/// How batches come to the device: each when it is asked for, from a copy of all, or one step ahead.
enum class Way { loaded, kept, ahead };

/// Twenty steps of a model; what each found.
template <class Net, class Loss, class Rule, class Backend>
std::vector<StepResult> train(Model<Net, Backend>& model, const Samples<NetworkInput<Net>>& data, const Loss& loss,
                              const Rule& rule, const TrainerOptions& options, Way way = Way::loaded) {
  Inline alone;
  Trainer<Net, Loss, Rule, Backend> trainer(model, loss, rule, options, alone);
  if (way == Way::kept) trainer.keep(data);
  std::vector<std::size_t> indices(data.view().size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t step = 0; step < 20; ++step) {
    std::rotate(indices.begin(), indices.begin() + 3, indices.end());
    const std::size_t batch = step % 5 == 4 ? options.batch / 2 : options.batch;  // a graph for each size
    batches.emplace_back(indices.begin(), indices.begin() + static_cast<std::ptrdiff_t>(batch));
  }
  std::vector<StepResult> all;
  for (std::size_t step = 0; step < 20; ++step) {
    std::span<const std::size_t> next;
    if (way == Way::ahead && step < 19) next = batches[step == 7 ? 3 : step + 1];  // once the caller is wrong
    all.push_back(trainer.step(data, batches[step], step == 10 ? 0.5 : 1.0, 0, next));
  }
  return all;
}

template <class Net, class Loss, class Rule>
void check_training(const char* name, const Loss& loss, const Rule& rule, TrainerOptions options, std::size_t targets,
                    std::size_t classes, bool lengths) {
  INFO(std::string(name), ", inputs of seed ", gpu::input_seed(5));
  const auto data = samples<Net>(100, targets, classes, lengths);
  auto host = model_of<Net, backend::Cpu>();
  auto device = model_of<Net, backend::Cuda>(), again = device, third = device;
  const auto on_host = train(host, data, loss, rule, options), on_device = train(device, data, loss, rule, options),
             twice = train(again, data, loss, rule, options, Way::kept),
             ahead = train(third, data, loss, rule, options, Way::ahead);
  double worst = 0;
  for (std::size_t i = 0; i < on_host.size(); ++i) {
    CHECK(on_device[i].loss == doctest::Approx(on_host[i].loss).epsilon(1e-4));
    CHECK(on_device[i].gradient_norm == doctest::Approx(on_host[i].gradient_norm).epsilon(1e-3));
    CHECK(on_device[i].finite);
    CHECK(on_device[i].loss == twice[i].loss);
    CHECK(on_device[i].loss == ahead[i].loss);
    worst = std::max(worst, std::abs(on_device[i].loss - on_host[i].loss) / std::abs(on_host[i].loss));
  }
  CHECK(std::ranges::equal(device.parameters(), again.parameters()));
  CHECK(std::ranges::equal(device.parameters(), third.parameters()));
  const auto numbers = [](std::span<const float> all) { return std::vector<double>(all.begin(), all.end()); };
  CHECK(gpu::distance(numbers(device.parameters()), numbers(host.parameters())) < 1e-3);
  for (std::size_t t = 0; t < Model<Net>::tables; ++t)
    for (std::size_t r = 0; r < 60; ++r) {
      const auto& a = device.all_tables()[t];
      const auto& b = host.all_tables()[t];
      CHECK(std::ranges::equal(a.row(r), again.all_tables()[t].row(r)));
      CHECK(gpu::distance(numbers(a.row(r)), numbers(b.row(r))) < 1e-3);
    }
  std::printf("%s: the losses of 20 steps differ by at most %.2g\n", name, worst);
}

}  // namespace

TEST_CASE("twenty steps on the device have the host's losses, and twice the same bits") {
  if (!gpu::is_there()) return;
  check_training<Regression>("regression, Adam", MeanSquaredError{}, Adam{.learning_rate = 1e-2}, {.batch = 32}, 2, 0,
                             false);
  check_training<Regression>("regression, clipped, Sgd", MeanSquaredError{},
                             Sgd{.learning_rate = 1e-2, .momentum = 0.9}, {.batch = 32, .clip_norm = 0.5}, 2, 0, false);
  check_training<Regression>("regression, part rates", MeanSquaredError{}, AdamW{.learning_rate = 1e-2},
                             {.batch = 32, .part_rates = {{"", 0.5}, {"layer_norm", 0}}}, 2, 0, false);
  check_training<Steps>("steps, dropout", MeanSquaredError{}, Adam{}, {.batch = 16}, 1, 0, false);
  check_training<Steps>("steps, lengths", MeanSquaredError{}, Adam{}, {.batch = 16}, 1, 0, true);
  check_training<Words>("words", CrossEntropy{}, Adam{.learning_rate = 1e-2}, {.batch = 40, .clip_norm = 1}, 1, 3,
                        false);
  check_training<Words>("words, lengths", CrossEntropy{}, Adam{.learning_rate = 1e-2}, {.batch = 40}, 1, 3, true);
  check_training<TwoTables>("two tables", CrossEntropy{}, Adam{.learning_rate = 1e-2}, {.batch = 40, .clip_norm = 0.1},
                            1, 3, false);
  check_training<OnlyTable>("a table alone", CrossEntropy{}, Adam{.learning_rate = 1e-2},
                            {.batch = 40, .clip_norm = 0.1}, 1, 3, false);
  check_training<Normed>("batch normalisation", CrossEntropy{}, Adam{}, {.batch = 24}, 1, 3, false);
}

TEST_CASE("two trainings at once in two threads on one device have the bits that each has alone") {
  if (!gpu::is_there()) return;
  const auto steps = samples<Steps>(100, 1, 0, true);
  const auto words = samples<Words>(100, 1, 3, false);
  using Outcome = std::pair<std::vector<double>, std::vector<float>>;
  const auto run = []<class Net, class Loss>(const Samples<NetworkInput<Net>>& data, const Loss& loss,
                                             std::type_identity<Net>, Way way) {
    auto model = model_of<Net, backend::Cuda>();
    Outcome outcome;
    auto& [losses, numbers] = outcome;
    for (const StepResult& step :
         train(model, data, loss, Adam{.learning_rate = 1e-2}, {.batch = 40, .clip_norm = 1}, way))
      losses.push_back(step.loss);
    numbers.assign(model.parameters().begin(), model.parameters().end());
    for (const auto& table : model.all_tables())
      for (std::size_t r = 0; r < table.rows(); ++r)
        numbers.insert(numbers.end(), table.row(r).begin(), table.row(r).end());
    return outcome;
  };
  const auto of_steps = [&](Way way) { return run(steps, MeanSquaredError{}, std::type_identity<Steps>{}, way); };
  const auto of_words = [&](Way way) { return run(words, CrossEntropy{}, std::type_identity<Words>{}, way); };
  const Outcome steps_alone = of_steps(Way::loaded), words_alone = of_words(Way::loaded);
  CHECK(steps_alone.first.front() != steps_alone.first.back());
  for (int round = 0; round < gpu::rounds; ++round) {
    // Of one network and of two, whose graphs are captured while the other's run.
    std::vector<Outcome> found(4);
    std::vector<std::thread> threads;
    threads.emplace_back([&] { found[0] = of_steps(Way::loaded); });
    threads.emplace_back([&] { found[1] = of_words(Way::ahead); });
    for (auto& thread : threads) thread.join();
    threads.clear();
    threads.emplace_back([&] { found[2] = of_steps(Way::ahead); });
    threads.emplace_back([&] { found[3] = of_steps(Way::kept); });
    for (auto& thread : threads) thread.join();
    CHECK(found[0] == steps_alone);
    CHECK(found[1] == words_alone);
    CHECK(found[2] == steps_alone);
    CHECK(found[3] == steps_alone);
  }
}

TEST_CASE("a step that is not finite changes nothing, and a better one follows") {
  if (!gpu::is_there()) return;
  auto data = samples<Regression>(40, 2, 0, false);
  data.weights.assign(40, 1.0F);
  auto broken = data;
  broken.inputs[7] = INFINITY;
  Model<Regression, backend::Cuda> model(Seed{1});
  const std::vector<float> before(model.parameters().begin(), model.parameters().end());
  Inline alone;
  Trainer<Regression, MeanSquaredError, Adam, backend::Cuda> trainer(model, {}, {}, {.batch = 40}, alone);
  std::vector<std::size_t> all(40);
  std::iota(all.begin(), all.end(), std::size_t{0});
  CHECK(!trainer.step(broken, all).finite);
  CHECK(trainer.steps() == 0);
  CHECK(std::ranges::equal(model.parameters(), before));
  CHECK(trainer.first_non_finite(broken, all) == "the input");
  CHECK(trainer.step(data, all).finite);
  CHECK(!std::ranges::equal(model.parameters(), before));
}

TEST_CASE("fit, evaluate, predict and files are the same on both sides") {
  if (!gpu::is_there()) return;
  const auto data = samples<Steps>(300, 1, 0, true);
  Model<Steps, backend::Cuda> device(Seed{4});
  const auto history = fit(device, data, {.validation = data, .epochs = 3, .batch = 32, .patience = 2});
  CHECK(history.epochs.size() == 3);
  CHECK(history.epochs.back().training_loss < history.epochs.front().training_loss);

  const std::string path = (std::filesystem::temp_directory_path() / "aila_gpu_test.safetensors").string();
  io::save(device, path);
  Model<Steps> host(Seed{9});
  io::load(host, path);
  std::filesystem::remove(path);
  CHECK(std::ranges::equal(host.parameters(), device.parameters()));
  Model<Steps, backend::Cuda> back(Seed{10});
  back.restore(host.state());
  CHECK(std::ranges::equal(back.parameters(), device.parameters()));
  CHECK(evaluate(device, data, MeanSquaredError{}) == doctest::Approx(evaluate(host, data, MeanSquaredError{})));

  const auto a = predict(device, data), b = predict(host, data);
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, static_cast<double>(std::abs(a[i] - b[i])));
  CHECK(worst < 1e-4);
  std::vector<std::thread> threads;
  std::vector<int> equal(4);
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Predictor<Steps, backend::Cuda> predictor(device, 300);
      for (int round = 0; round < gpu::rounds; ++round) {
        const auto y = predictor.batch(data.inputs, data.lengths);
        equal[t] += std::ranges::equal(y, a) ? 1 : 0;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(equal == std::vector<int>(4, gpu::rounds));
}

TEST_CASE("threads that predict for the first time at once do not take each other's shared memory") {
  if (!gpu::is_there()) return;
  const auto data = samples<Deep>(12, 0, 0, false);
  const Model<Deep, backend::Cuda> model(Seed{4});
  const auto expected = predict(model, data);
  std::vector<std::thread> threads;
  std::vector<int> equal(8);
  for (std::size_t t = 0; t < equal.size(); ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 2 * gpu::rounds; ++round) {  // kernels of one name with an item more for each layer
        Predictor<Deep, backend::Cuda> predictor(model, 12);
        equal[t] += std::ranges::equal(predictor.batch(data.inputs), expected) ? 1 : 0;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(equal == std::vector<int>(8, 2 * gpu::rounds));
}

TEST_CASE("what is predicted again follows the model, from the program's memory and from the device's") {
  if (!gpu::is_there()) return;
  const auto data = samples<Steps>(70, 1, 0, true);
  Model<Steps, backend::Cuda> model(Seed{4});
  Predictor<Steps, backend::Cuda> predictor(model, 70);
  const aila::cuda::Queue queue;
  aila::cuda::Array<float> inputs(data.inputs.size());
  aila::cuda::Array<std::int32_t> lengths(70);
  queue.to_device(data.inputs.data(), data.inputs.size(), inputs.data());
  queue.to_device(data.lengths.data(), 70, lengths.data());
  for (int round = 0; round < 4; ++round) {
    const auto expected = predict(model, data);
    for (int again = 0; again < 3; ++again) {
      CHECK(std::ranges::equal(predictor.batch(data.inputs, data.lengths), expected));
      const float* const there = predictor.on_device(inputs.data(), 70, lengths.data());
      std::vector<float> outputs(70);
      predictor.wait();
      queue.to_host(there, 70, outputs.data());
      CHECK(outputs == expected);
      const auto one = predictor(std::span(data.inputs).first(NetworkInput<Steps>::elements), data.lengths[0]);
      CHECK(one[0] == doctest::Approx(expected[0]).epsilon(1e-5));
    }
    fit(model, data, {.epochs = 1, .batch = 32});
  }
  CHECK_THROWS_WITH(predictor.on_device(inputs.data(), 71), "workspace: expected up to 70 samples, found 71");
}

TEST_CASE("a source that fails while it is read ahead tells it where the batch is taken") {
  if (!gpu::is_there()) return;
  struct Broken {
    const Samples<Vector<6>>* of;
    std::size_t size() const { return of->view().size(); }
    std::size_t targets_per_sample() const { return 2; }
    void load(std::size_t i, SampleSlot<Vector<6>, float>& slot) const {
      if (i == 9) throw Error("sample 9 cannot be read");
      of->view().load(i, slot);
    }
  };
  const auto data = samples<Regression>(40, 2, 0, false);
  const Broken broken{&data};
  Model<Regression, backend::Cuda> model(Seed{1});
  Inline alone;
  Trainer<Regression, MeanSquaredError, Adam, backend::Cuda> trainer(model, {}, {}, {.batch = 4}, alone);
  const std::vector<std::size_t> good{0, 1, 2, 3}, bad{7, 8, 9, 10};
  for (int i = 0; i < 3; ++i) CHECK(trainer.step(broken, good, 1, 0, bad).finite);
  CHECK_THROWS_WITH(trainer.step(broken, bad), "sample 9 cannot be read");
  CHECK(trainer.step(broken, good).finite);
}
