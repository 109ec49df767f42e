// Models that go from the host to the device and back, in memory and through files: every bit is kept.
#include <aila/io.hpp>
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "compare.hpp"

using namespace aila;

namespace {

struct Words
    : Network<Tokens<9>, Embedding<5>, Stack<integrate::Attention<>, Repeat<2, Lstm<6>>>, LastStep, Linear<3>> {};
struct Normed : Network<Image<6, 6, 2>, Conv<4, NoBias>, BatchNorm<>, Relu, GlobalMaxPool, Linear<3>> {};

/// A model as no initialiser makes it: trained for two steps, so that rows and running statistics have moved.
template <class Net, class Backend>
Model<Net, Backend> trained() {
  using In = NetworkInput<Net>;
  Model<Net, Backend> model(Seed{3});
  if constexpr (Model<Net>::tables > 0) model.all_tables()[0].initialise(37, Seed{3});
  Samples<In> data;
  std::mt19937_64 engine(5);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < 16 * In::elements; ++i) {
    if constexpr (In::is_tokens)
      data.inputs.push_back(static_cast<std::int32_t>(engine() % 37));
    else
      data.inputs.push_back(normal(engine));
  }
  for (std::size_t i = 0; i < 16; ++i) data.targets.push_back(static_cast<float>(engine() % 3));
  Inline alone;
  Trainer<Net, CrossEntropy, Adam, Backend> trainer(model, {}, {}, {.batch = 16}, alone);
  std::vector<std::size_t> all(16);
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (int step = 0; step < 2; ++step) REQUIRE(trainer.step(data, all).finite);
  return model;
}

/// Rows that differ in a bit: of tensors, running statistics among them, and of tables.
template <class A, class B>
std::size_t different(const A& a, const B& b) {
  const auto of_a = a.tensors(), of_b = b.tensors();
  REQUIRE(of_a.size() == of_b.size());
  std::size_t count = 0;
  for (std::size_t t = 0; t < of_a.size(); ++t) {
    INFO(of_a[t].name);
    CHECK(of_a[t].name == of_b[t].name);
    REQUIRE(of_a[t].rows == of_b[t].rows);
    REQUIRE(of_a[t].width == of_b[t].width);
    for (std::size_t r = 0; r < of_a[t].rows; ++r)
      count += std::memcmp(of_a[t].row(r).data(), of_b[t].row(r).data(), of_a[t].width * sizeof(float)) == 0 ? 0 : 1;
  }
  return count;
}

/// What a predictor gives, which reads the memory of the backend.
template <class Net, class Backend>
std::vector<float> predicted(const Model<Net, Backend>& model) {
  using In = NetworkInput<Net>;
  std::vector<ElementOf<In, float>> x(3 * In::elements);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<ElementOf<In, float>>(i * 7 % 30);
  Predictor<Net, Backend> predictor(model, 3);
  const auto y = predictor.batch(x);
  return {y.begin(), y.end()};
}

template <class Net, class From, class To>
void check_moves(const char* name) {
  INFO(std::string(name), " from ", std::string(From::name), " to ", std::string(To::name));
  const auto from = trained<Net, From>();
  Model<Net, To> in_memory(Seed{8}), from_file(Seed{9});
  const Model<Net, To> untouched(Seed{8});
  const auto has_moved = [&](const Model<Net, To>& model) {
    CHECK(different(from, model) == 0);
    Model<Net, From> back(Seed{10});
    back.restore(model.state());
    CHECK(different(from, back) == 0);
    CHECK(predicted(back) == predicted(from));
    return predicted(model);
  };
  CHECK(!std::ranges::equal(in_memory.parameters(), from.parameters()));
  in_memory.restore(from.state());
  const auto first = has_moved(in_memory);
  const auto path = std::filesystem::temp_directory_path() / (std::string("aila_moves_") + name + ".safetensors");
  io::save(from, path);
  io::load(from_file, path);
  CHECK(has_moved(from_file) == first);
  // A file of what came holds the bytes of the file that it came from.
  const auto read = [](const std::filesystem::path& of) {
    const auto file = io::SafetensorsFile::read(of.string());
    std::vector<std::vector<float>> all;
    for (const auto& tensor : file.tensors()) all.push_back(file.as<float>(tensor.name));
    return all;
  };
  const auto before = read(path);
  io::save(from_file, path);
  CHECK(read(path) == before);
  std::filesystem::remove(path);
  CHECK(predicted(untouched) != first);
}
template <class Net>
void check_both_ways(const char* name) {
  check_moves<Net, backend::Cuda, backend::Cpu>(name);
  check_moves<Net, backend::Cpu, backend::Cuda>(name);
}

}  // namespace

TEST_CASE("a model with a table of words keeps every bit from the device to the host and back, and through files") {
  if (!gpu::is_there()) return;
  check_both_ways<Words>("words");
}

TEST_CASE("a model with running statistics keeps every bit from the device to the host and back, and through files") {
  if (!gpu::is_there()) return;
  const auto model = trained<Normed, backend::Cuda>();
  CHECK(std::ranges::any_of(model.parameter("batch_norm.running_mean"), [](float mean) { return mean != 0; }));
  check_both_ways<Normed>("normed");
}
