// Memory that a device does not have, and devices that are none for these kernels.
#include <functional>

#include "compare.hpp"

using namespace aila;

namespace {

using Cuda = backend::Cuda;

struct Small : Network<Vector<6>, Linear<16>, Tanh, Linear<2>> {};
struct Words : Network<Tokens<4>, Embedding<64>, MeanOverPositions, Linear<1>> {};

/// Leaves the thread's device so many bytes while it lives.
class Leaves {
 public:
  explicit Leaves(std::size_t bytes) {
#ifdef AILA_EMULATED_DEVICE
    emulated::device(0).memory = emulated::device(0).used + bytes;
#else
    for (std::size_t piece = std::size_t{1} << 33; piece >= std::size_t{1} << 21; piece /= 2)
      for (;;) {
        std::size_t free = 0, all = 0;
        void* at = nullptr;
        if (cudaMemGetInfo(&free, &all) != cudaSuccess || free < bytes + piece) break;
        if (cudaMalloc(&at, piece) != cudaSuccess) {
          cudaGetLastError();
          break;
        }
        held_.push_back(at);
      }
#endif
  }
  Leaves(const Leaves&) = delete;
  Leaves& operator=(const Leaves&) = delete;
  ~Leaves() {
#ifdef AILA_EMULATED_DEVICE
    emulated::device(0).memory = emulated::Device{}.memory;
#else
    for (void* const at : held_) cudaFree(at);
#endif
  }

 private:
  std::vector<void*> held_;
};

/// Of the first device, which tells its name, what it was asked for and what is free.
void check_sentence(const std::string& sentence, const std::string& who, const std::string& what) {
  CAPTURE(sentence);
  CHECK(sentence.starts_with(who + ": expected no more than device 0 ("));
  CHECK(sentence.find(") has memory for, found " + what + " (") != std::string::npos);
  CHECK(sentence.find(" bytes at once, ") != std::string::npos);
  CHECK(sentence.ends_with(" bytes free)"));
}

Samples<Tokens<4>> sentences(std::size_t count) {
  Samples<Tokens<4>> all;
  for (std::size_t i = 0; i < 4 * count; ++i) all.inputs.push_back(static_cast<std::int32_t>(i * 7 % 40));
  for (std::size_t i = 0; i < count; ++i) all.targets.push_back(static_cast<float>(i % 3));
  return all;
}

}  // namespace

TEST_CASE("samples that the device has no memory for are refused in one sentence, and nothing is lost") {
  if (!gpu::is_there()) return;
  const Leaves few(std::size_t{64} << 20);
  Model<Small, Cuda> model(Seed{1});
  for (const std::size_t many : {std::size_t{4'000'000}, std::size_t{1} << 40}) {
    const std::string found = std::to_string(many) + " samples";
    check_sentence(gpu::said([&] { Predictor<Small, Cuda>(model, many); }), "workspace", found);
    Inline alone;
    check_sentence(
        gpu::said([&] { Trainer<Small, MeanSquaredError, Adam, Cuda>(model, {}, {}, {.batch = many}, alone); }),
        "workspace", found);
  }
  Predictor<Small, Cuda> predict(model);
  CHECK(std::isfinite(predict(std::array<float, 6>{})[0]));
}

TEST_CASE("rows of a table that the device has no memory for, or none for what trains them, are refused so, too") {
  if (!gpu::is_there()) return;
  constexpr std::size_t rows = 300'000;  // 77 MB
  const auto data = sentences(8);
  Model<Words, Cuda> model(Seed{1}, {rows});
  const std::vector<std::size_t> batch{0, 1, 2};
  Inline alone;
  Trainer<Words, MeanSquaredError, Adam, Cuda> trainer(model, {}, {}, {.batch = 4}, alone);
  Predictor<Words, Cuda> predict(model);
  const std::array<std::int32_t, 4> words{1, 2, 3, 4};
  {
    const Leaves few(std::size_t{16} << 20);
    check_sentence(gpu::said([&] { predict(words); }), "embedding.weight", std::to_string(rows * 64 + 32) + " numbers");
  }
  const float before = predict(words)[0];
  {
    const Leaves few(std::size_t{16} << 20);
    check_sentence(gpu::said([&] { trainer.step(data, batch); }), "embedding.weight",
                   std::to_string(rows) + " rows to train");
  }
  CHECK(predict(words)[0] == before);
  CHECK(trainer.step(data, batch).finite);
  CHECK(predict(words)[0] != before);
}

#ifdef AILA_EMULATED_DEVICE
namespace {

struct Series : Network<Sequence<72, 2>, Stack<integrate::Linear<>, Repeat<3, Lstm<4>>>, LastStep, Linear<1>> {};

/// What a program does with a device, some of it twice. What fails is done again.
struct Program {
  std::vector<float> numbers;
  std::vector<std::string> sentences;

  template <class F>
  auto insist(F&& f) {
    try {
      return f();
    } catch (const Error& e) {
      sentences.push_back(e.what());
    }
    return f();
  }
  void give(auto&& all) { numbers.insert(numbers.end(), all.begin(), all.end()); }

  /// Steps and evaluations whose samples are loaded, and, from then on, kept.
  void train(Model<Words, Cuda>& model, const Samples<Tokens<4>>& data, ThreadPool& pool) {
    using Training = Trainer<Words, MeanSquaredError, Adam, Cuda>;
    auto trainer = insist([&] {
      return std::make_unique<Training>(model, MeanSquaredError{}, Adam{}, TrainerOptions{.batch = 3}, pool);
    });
    const std::vector<std::size_t> batch{0, 1, 2}, next{1, 2, 3};
    const auto step = [&](const std::vector<std::size_t>& of) {
      numbers.push_back(static_cast<float>(insist([&] { return trainer->step(data, of, 1, 1, next).loss; })));
    };
    step(batch);
    insist([&] { trainer->keep(data); });
    for (int i = 0; i < 3; ++i) step(next);
    give(insist([&] { return trainer->gradient(); }));
    using Evaluation = Evaluator<Words, MeanSquaredError, Cuda>;
    auto evaluator = insist([&] { return std::make_unique<Evaluation>(ExecutorRef(pool)); });
    insist([&] { evaluator->keep(data); });
    for (int i = 0; i < 2; ++i)
      numbers.push_back(static_cast<float>(insist([&] { return evaluator->loss(model, data, {}); })));
  }

  template <class Net, class Input>
  void live(const Samples<NetworkInput<Net>>& data, std::initializer_list<std::size_t> rows, const Input& x) {
    ThreadPool pool(2);
    auto model = insist([&] { return std::make_unique<Model<Net, Cuda>>(Seed{1}, rows); });
    if constexpr (std::is_same_v<Net, Words>) train(*model, data, pool);
    auto predictor = insist([&] { return std::make_unique<Predictor<Net, Cuda>>(*model, 2); });
    for (int i = 0; i < 3; ++i) give(insist([&] { return (*predictor)(x); }));
    const Model<Net, Cuda> copy = insist([&] { return *model; });
    predictor->use(copy);
    give(insist([&] { return (*predictor)(x); }));
    if constexpr (std::is_same_v<Net, Series>) {
      auto stream = insist([&] { return std::make_unique<Stream<Net, Cuda>>(*model); });
      for (int i = 0; i < 3; ++i) give(insist([&] { return stream->step(std::array{0.5F, 0.25F}); }));
      insist([&] { stream->reset(); });
    }
  }
};

/// A program with no memory at the so-manieth call that takes some, for each of them.
template <class F>
void check_each_call(F&& live) {
  Program whole;
  emulated::without_memory_at(0);
  live(whole);
  const std::size_t calls = emulated::without_memory_at(0);
  CHECK(whole.sentences.empty());
  CHECK(calls > 20);
  std::size_t told = 0;
  for (std::size_t call = 1; call <= calls; ++call) {
    CAPTURE(call);
    Program program;
    emulated::without_memory_at(call);
    live(program);
    REQUIRE(program.sentences.size() <= 1);
    const std::string first = program.sentences.empty() ? "nothing" : program.sentences[0];
    CAPTURE(first);
    REQUIRE(std::ranges::equal(program.numbers, whole.numbers, [](float a, float b) {
      return std::abs(a - b) < 1e-5F;  // another path has another order of sums
    }));
    for (const std::string& sentence : program.sentences) {
      CAPTURE(sentence);
      ++told;
      CHECK(sentence.find(": expected no more than ") != std::string::npos);
      CHECK((sentence.find(" device 0 (emulated) has memory for, found ") != std::string::npos ||
             sentence.find(" this machine has memory for, found ") != std::string::npos));
      CHECK((sentence.find(" bytes at once") != std::string::npos || sentence.find("what cuda") != std::string::npos));
    }
  }
  emulated::without_memory_at(0);
  CHECK(told > 10);
  CHECK(told < calls);  // where it only were a copy, there is none
}

}  // namespace

TEST_CASE("wherever memory is lacking, one sentence tells it, or work goes on without, and what follows is right") {
  SUBCASE("words") {
    check_each_call(
        [](Program& program) { program.live<Words>(sentences(4), {40}, std::array<std::int32_t, 4>{1, 2, 3, 4}); });
  }
  SUBCASE("series") {
    std::vector<float> x;
    for (std::size_t i = 0; i < 144; ++i) x.push_back(static_cast<float>(i % 11) / 11 - 0.5F);
    check_each_call([&](Program& program) { program.live<Series>({}, {}, x); });
  }
}

TEST_CASE("a device that is too old is refused in one sentence, when it is first used") {
  std::string sentence;
  emulated::device(1).capability = 75;
  cudaSetDevice(1);
  for (int turn = 0; turn < 2; ++turn)
    CHECK(gpu::said([] { Model<Small, Cuda> model(Seed{1}); }) ==
          "cuda: expected a GPU of compute capability 8.0 or newer, found 7.5 of device 1 (emulated)");
  CHECK(gpu::said([] { aila::cuda::Queue queue; }).starts_with("cuda: expected a GPU of compute capability 8.0"));
  cudaSetDevice(0);
  emulated::device(1).capability = emulated::Device{}.capability;
  CHECK(gpu::said([] { Model<Small, Cuda> model(Seed{1}); }) == "nothing");
}
#endif

namespace nowhere {  // with a name, for the host has none of others
__global__ void starts() {}
}  // namespace nowhere

TEST_CASE("a kernel that cannot start is told by its name and the line that starts it, or by what it asks for") {
  if (!gpu::is_there()) return;
  aila::cuda::Queue queue;
  Pass pass;
  pass.queue = &queue;
  const std::string sentence = gpu::said([&] { aila::cuda::launch(pass, &nowhere::starts, 1, 4096, 0); });
  CAPTURE(sentence);
  CHECK(sentence.starts_with("cuda: the start of starts failed on device 0: "));
  CHECK(sentence.find(" (memory_test.cu:") != std::string::npos);
  const std::string shared = gpu::said([&] { aila::cuda::launch(pass, &nowhere::starts, 1, 32, 1 << 20); });
  CAPTURE(shared);
  CHECK(shared.starts_with("cuda: expected a GPU that gives a block 1048576 bytes of shared memory, found device 0 ("));
}
