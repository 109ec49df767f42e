// Everything that trains, predicts, saves and looks into networks on a backend with memory of its own, against
// backend::Cpu, whose kernels it has: the same bits, and nobody touches its memory but through its queue.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <aila/io.hpp>
#include <aila/network/explain.hpp>
#include <aila/network/inspect.hpp>
#include <aila/network/summary.hpp>
#include <csignal>
#include <filesystem>

#include "protected_backend.hpp"

using namespace aila;
using device::Pages;
using device::Protected;

namespace {

using Texts =
    Network<Tokens<7>, Embedding<6>, Bidirectional<Gru<5>>, Stack<integrate::Attention<Heads<2>>, Repeat<2, Lstm<10>>>,
            LastStep, BatchNorm<>, Dropout<20>, Linear<3>>;
using Pictures = Network<Image<6, 6, 3>, Conv<8>, BatchNorm<>, Relu,
                         Stack<integrate::Linear<Heads<2>>, Repeat<2, Conv<8>>>, MeanOverPositions, Linear<4>>;

template <class T>
bool same(std::span<const T> a, std::span<const T> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// Samples of numbers that tell one from another, some shorter and some lighter than others.
template <class Net, class Targets>
Samples<NetworkInput<Net>> samples(std::size_t count, Targets&& targets) {
  using In = NetworkInput<Net>;
  Samples<In> all;
  for (std::size_t n = 0; n < count; ++n) {
    for (std::size_t e = 0; e < In::elements; ++e) {
      const std::size_t number = (n * 37 + e * 11) % 23;
      if constexpr (In::is_tokens)
        all.inputs.push_back(static_cast<std::int32_t>(number % 20));
      else
        all.inputs.push_back(static_cast<float>(number) / 11.0F - 1);
    }
    all.targets.push_back(static_cast<float>(targets(n)));
    if (In::is_tokens || In::rank == 2) all.lengths.push_back(static_cast<std::int32_t>(1 + n * 5 % In::extents[0]));
    all.weights.push_back(n % 9 == 4 ? 0.0F : 0.5F + static_cast<float>(n % 3));
  }
  return all;
}

/// What two backends did with one network.
template <class Net, class Loss, class Targets>
void agree(const Loss& loss, std::size_t threads, std::initializer_list<std::size_t> rows, Targets&& targets) {
  const auto train = samples<Net>(70, targets), valid = samples<Net>(19, targets);
  const auto work = [&]<class Backend>(std::type_identity<Backend>) {
    Model<Net, Backend> model(Seed{5}, rows);
    const History history = fit(model, train, loss, AdamW{},
                                {.validation = valid,
                                 .epochs = 6,
                                 .batch = 30,
                                 .patience = 2,
                                 .clip_norm = 1,
                                 .seed = Seed{3},
                                 .threads = threads});
    return std::pair(std::move(model), history);
  };
  const auto [cpu, history_on_cpu] = work(std::type_identity<backend::Cpu>{});
  auto [model, history] = work(std::type_identity<Protected>{});

  REQUIRE(history.epochs.size() == history_on_cpu.epochs.size());
  CHECK(history.best_epoch == history_on_cpu.best_epoch);
  for (std::size_t e = 0; e < history.epochs.size(); ++e) {
    CHECK(history.epochs[e].training_loss == history_on_cpu.epochs[e].training_loss);
    CHECK(history.epochs[e].validation_loss == history_on_cpu.epochs[e].validation_loss);
    CHECK(history.epochs[e].gradient_norm == history_on_cpu.epochs[e].gradient_norm);
  }
  CHECK(same(model.parameters(), cpu.parameters()));
  for (std::size_t t = 0; t < model.all_tables().size(); ++t) {
    const auto &a = std::as_const(model).all_tables()[t], &b = cpu.all_tables()[t];
    CHECK(same(std::span(a.data(), a.rows() * a.stride()), std::span(b.data(), b.rows() * b.stride())));
  }

  CHECK(evaluate(model, valid, loss) == evaluate(cpu, valid, loss));
  const auto outputs = predict(model, valid), outputs_on_cpu = predict(cpu, valid);
  CHECK(same(std::span(outputs), std::span(outputs_on_cpu)));

  using In = NetworkInput<Net>;
  Predictor one(model);
  Predictor one_on_cpu(cpu);
  const std::span<const ElementOf<In, float>, In::elements> x(valid.inputs.data() + In::elements, In::elements);
  CHECK(same<float>(one(x), one_on_cpu(x)));
  if constexpr (In::is_tokens || In::rank == 2) CHECK(same<float>(one(x, 3), one_on_cpu(x, 3)));
  Predictor several(model, 19);
  Predictor several_on_cpu(cpu, 19);
  CHECK(same(several.batch(valid.inputs, valid.lengths), several_on_cpu.batch(valid.inputs, valid.lengths)));

  const auto maps = layer_maps(model, valid.inputs, "", valid.lengths),
             maps_on_cpu = layer_maps(cpu, valid.inputs, "", valid.lengths);
  REQUIRE(maps.size() == maps_on_cpu.size());
  CHECK(maps.size() > 3);
  for (std::size_t i = 0; i < maps.size(); ++i)
    CHECK(same(std::span(maps[i].values), std::span(maps_on_cpu[i].values)));
  const auto mixtures = mixture_weights(model, valid.inputs, valid.lengths),
             mixtures_on_cpu = mixture_weights(cpu, valid.inputs, valid.lengths);
  REQUIRE(mixtures.size() == mixtures_on_cpu.size());
  CHECK(!mixtures.empty());
  for (std::size_t i = 0; i < mixtures.size(); ++i) CHECK(mixtures[i].mean == mixtures_on_cpu[i].mean);
  if constexpr (!In::is_tokens) {
    const auto slopes = input_gradients(model, valid.inputs, 0, valid.lengths),
               slopes_on_cpu = input_gradients(cpu, valid.inputs, 0, valid.lengths);
    CHECK(same(std::span(slopes), std::span(slopes_on_cpu)));
  }

  // To a file and back, between the backends, and copies of a model that was trained.
  const auto path = std::filesystem::temp_directory_path() / ("aila_device_" + std::to_string(getpid()));
  io::save(model, path);
  Model<Net, backend::Cpu> loaded(Seed{9}, rows);
  io::load(loaded, path);
  CHECK(same(loaded.parameters(), cpu.parameters()));
  Model<Net, Protected> back(Seed{8}, rows);
  io::load(back, path);
  std::filesystem::remove(path);
  const Model<Net, Protected> copy = back;
  back.edit([](std::span<float> all) { all[0] += 1; });
  Predictor of_copy(copy);
  CHECK(same<float>(of_copy(x), one_on_cpu(x)));
  model.restore(back.state());
  CHECK(same(model.parameters(), back.parameters()));
  CHECK(!same<float>(model.parameters(), cpu.parameters()));
}

}  // namespace

TEST_CASE("training, prediction, tools and files give Cpu's bits on a backend with memory of its own") {
  for (const std::size_t threads : {std::size_t{1}, std::size_t{3}}) {
    agree<Texts>(CrossEntropy{}, threads, {20}, [](std::size_t n) { return n % 3; });
    agree<Pictures>(CrossEntropy{}, threads, {}, [](std::size_t n) { return n % 4; });
  }
}

TEST_CASE("rows that the program writes are seen by the next call, and those that training wrote by the program") {
  Model<Texts, Protected> model(Seed{5}, {20});
  Model<Texts> cpu(Seed{5}, {20});
  const auto train = samples<Texts>(30, [](std::size_t n) { return n % 3; });
  Predictor one(model);
  Predictor one_on_cpu(cpu);
  const std::span<const std::int32_t, 7> x(train.inputs.data(), 7);
  for (int round = 0; round < 3; ++round) {
    CHECK(same<float>(one(x), one_on_cpu(x)));
    fit(model, train, CrossEntropy{}, Adam{}, {.epochs = 1});
    fit(cpu, train, CrossEntropy{}, Adam{}, {.epochs = 1});
    auto row = model.table("embedding.weight").row(static_cast<std::size_t>(x[0]));
    auto row_on_cpu = cpu.table("embedding.weight").row(static_cast<std::size_t>(x[0]));
    CHECK(same<float>(row, row_on_cpu));
    row[1] = row_on_cpu[1] = static_cast<float>(round);
  }
}

TEST_CASE("streams and wavefronts") {
  using Net = Network<Sequence<40, 2>, Stack<integrate::Linear<>, Repeat<3, Lstm<8>>>, Lstm<4>, LastStep, Linear<2>>;
  const Model<Net, Protected> model(Seed{2});
  const Model<Net> cpu(Seed{2});
  const auto inputs = samples<Net>(1, [](std::size_t) { return 0; }).inputs;
  Stream steps(model);
  Stream steps_on_cpu(cpu);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t t = 0; t < 40; ++t) {
      const std::array<float, 2> x{inputs[2 * t], inputs[2 * t + 1]};
      CHECK(same<float>(steps.step(x), steps_on_cpu.step(x)));
    }
    steps.reset();
    steps_on_cpu.reset();
  }
  Predictor whole(cpu);
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    WavefrontPredictor wave(model, threads);
    CHECK(same<float>(wave(inputs), whole(inputs)));
    CHECK(same<float>(wave(inputs, 11), whole(inputs, 11)));
  }
}

TEST_CASE("a step allocates nothing, and a prediction copies what goes in and comes out") {
  const auto train = samples<Pictures>(32, [](std::size_t n) { return n % 4; });
  std::vector<std::size_t> indices(32);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i;
  Model<Pictures, Protected> model;
  Inline executor;
  Trainer trainer(model, CrossEntropy{}, Adam{}, {.batch = 32}, executor);
  trainer.step(train, indices);
  Pages::Counts before = Pages::all().counts();
  for (int i = 0; i < 4; ++i) trainer.step(train, indices);
  Pages::Counts after = Pages::all().counts();
  CHECK(after.allocations == before.allocations);
  CHECK(after.to_host == before.to_host);  // results of a step are the host's where its kernels are
  CHECK(after.to_device - before.to_device == 4 * 3 * GroupSplit::of(32).groups);  // inputs, targets, weights

  Predictor one(model);
  const std::array<float, 108> x{};
  one(x);
  before = Pages::all().counts();
  one(x);
  after = Pages::all().counts();
  CHECK(after.allocations == before.allocations);
  CHECK(after.to_device - before.to_device == 1);
  CHECK(after.to_host - before.to_host == 1);
  CHECK(after.runs - before.runs == 1);
}

namespace {

/// Notes the queue that its kernel was given.
struct Notes {
  template <class In>
  using Out = In;
};
void* noted = nullptr;
template <class S>
struct NotesKernel : KernelDefaults<S> {
  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    noted = pass.queue;
    *y = *x;
  }
};
template <class In, class Arch, class S>
NotesKernel<S> select_kernel(rank::Layer, Placed<Notes, In>, backend::CpuOn<Arch, S>);

/// A device that takes a batch as a whole.
struct Whole : Protected {
  struct Split {
    std::size_t groups, samples;
    static constexpr std::size_t evaluation = 5, most = 1;
    static constexpr Split of(std::size_t batch, std::size_t) { return {batch > 0 ? std::size_t{1} : 0, batch}; }
    static constexpr std::size_t most_samples(std::size_t batch, std::size_t) { return batch; }
    static constexpr std::size_t most_groups(std::size_t, std::size_t) { return 1; }
  };
};

}  // namespace

TEST_CASE("kernels are given the queue that their work goes to") {
  using Net = Network<Vector<1>, Notes>;
  const Model<Net, Protected> model;
  const float x = 3;
  Workspace<Net, Protected, Capability::predict> workspace(1);
  model.predict(&x, 1, workspace);
  CHECK(noted == &workspace.queue());
  CHECK(*workspace.host_output(1) == 3);
  const Model<Net> cpu;
  Predictor predict_on_cpu(cpu);
  CHECK(predict_on_cpu(std::array{x})[0] == 3);
  CHECK(noted == nullptr);
}

TEST_CASE("a backend splits batches as it says") {
  using Net = Network<Vector<3>, Linear<2>, Linear<1>>;
  const auto train = samples<Net>(23, [](std::size_t n) { return n % 2; });
  std::vector<std::size_t> indices(23);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i;
  Inline executor;
  const auto copies_of_a_step = [&]<class Backend>(std::type_identity<Backend>) {
    Model<Net, Backend> model;
    Trainer trainer(model, MeanSquaredError{}, Adam{}, {.batch = 23}, executor);
    const std::size_t before = Pages::all().counts().to_device;
    CHECK(trainer.step(train, indices).finite);
    return Pages::all().counts().to_device - before;
  };
  CHECK(copies_of_a_step(std::type_identity<Whole>{}) == 3);  // inputs, targets, weights of each group
  CHECK(copies_of_a_step(std::type_identity<Protected>{}) == 3 * GroupSplit::of(23).groups);
  const Model<Net, Whole> model;
  const std::size_t before = Pages::all().counts().to_host;
  predict(model, train);
  CHECK(Pages::all().counts().to_host - before == 5);  // groups of five
}

TEST_CASE("numbers that are not finite are found, wherever they lie") {
  auto train = samples<Pictures>(20, [](std::size_t n) { return n % 4; });
  train.inputs[5] = std::numeric_limits<float>::infinity();
  Model<Pictures, Protected> model;
  const auto says = [&](const std::string& text) {
    try {
      fit(model, train, CrossEntropy{}, Adam{}, {.epochs = 1});
      return false;
    } catch (const Error& e) {
      return std::string(e.what()).find(text) != std::string::npos;
    }
  };
  CHECK(says("is in the input"));
  train.inputs[5] = 0;
  model.edit([](std::span<float> all) { all[3] = std::numeric_limits<float>::quiet_NaN(); });
  CHECK(says("is in the parameter conv.weight"));
}

TEST_CASE("errors of sizes are those of other backends") {
  const Model<Pictures, Protected> model;
  Predictor several(model, 2);
  const std::vector<float> x(3 * 108);
  CHECK_THROWS_AS(several.batch(x), Error);
  Workspace<Pictures, Protected, Capability::predict> workspace(2);
  CHECK_THROWS_AS(model.predict(x.data(), 3, workspace), Error);
}

TEST_CASE("the summary names the backend") {
  CHECK(summary<Pictures, Protected>().find("protected pages") != std::string::npos);
}

TEST_CASE("memory of the backend cannot be read outside its queue") {
  const Model<Pictures, Protected> model;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    _exit(model.packed()[0] == 12345 ? 1 : 0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) <= 1));  // a sanitizer ends it in its own way
}

TEST_CASE("nothing is left behind") {
  const Pages::Counts counts = Pages::all().counts();
  CHECK(counts.allocations > 0);
  CHECK(counts.allocations == counts.frees);
}
