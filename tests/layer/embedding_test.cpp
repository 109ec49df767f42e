#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/io/model_file.hpp>
#include <cmath>
#include <numeric>

#include "io/temporary_folder.hpp"
#include "says.hpp"

namespace aila {
namespace {

struct Tagger : Network<Tokens<4>, Embedding<3, MostRows<50>>, Linear<2>, Tanh, MeanOverPositions, Linear<1>> {};
using Reference64 = backend::Reference<double>;

template <class Scalar>
Samples<Tokens<4>, Scalar> reviews(std::size_t count) {
  Samples<Tokens<4>, Scalar> s;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t t = 0; t < 4; ++t) s.inputs.push_back(static_cast<std::int32_t>((7 * i + 3 * t * t) % 11));
    s.targets.push_back(static_cast<Scalar>(std::sin(static_cast<double>(i))));
    s.lengths.push_back(static_cast<std::int32_t>(1 + i % 4));
  }
  return s;
}

TEST_CASE("an embedding gives the row of each token, and zeros where there is none or a step is not valid") {
  struct Net : Network<Tokens<4>, Embedding<3>> {};
  Model<Net> model;
  model.table("embedding.weight").assign(std::vector<float>{1, 2, 3, 4, 5, 6});
  Workspace<Net, backend::Cpu, Capability::predict> workspace(1);
  const std::vector<std::int32_t> tokens{1, 0, 2, -1}, length{4};
  const auto y = model.predict(tokens, workspace, length);
  CHECK(std::vector<float>(y.begin(), y.end()) == std::vector<float>{4, 5, 6, 1, 2, 3, 0, 0, 0, 0, 0, 0});
  const auto cut = model.predict(tokens, workspace, std::vector<std::int32_t>{1});
  CHECK(std::vector<float>(cut.begin(), cut.end()) == std::vector<float>{4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("a step changes the rows that were taken by their gradients, which central differences confirm") {
  Model<Tagger, Reference64> model{Seed{5}, {11}};
  const auto data = reviews<double>(9);
  const auto loss = [&] { return evaluate(model, data); };
  auto& table = model.table("embedding.weight");
  std::vector<double> slope;
  for (std::size_t r = 0; r < 11; ++r)
    for (std::size_t e = 0; e < 3; ++e) {
      double& w = table.row(r)[e];
      const double at = w, h = 1e-5;
      w = at + h;
      const double up = loss();
      w = at - h;
      const double down = loss();
      w = at;
      slope.push_back((up - down) / (2 * h));
    }
  std::vector<double> before;
  for (std::size_t r = 0; r < 11; ++r) before.insert(before.end(), table.row(r).begin(), table.row(r).end());
  Inline executor;
  Trainer trainer(model, MeanSquaredError{}, Sgd{.learning_rate = 0.5}, {.batch = 9}, executor);
  std::vector<std::size_t> indices(9);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  const StepResult step = trainer.step(data, indices);
  CHECK(step.finite);
  double changed = 0, squares = 0;
  for (std::size_t i = 0; i < slope.size(); ++i) {
    CHECK(table.row(i / 3)[i % 3] == doctest::Approx(before[i] - 0.5 * slope[i]).epsilon(1e-7));
    changed += std::abs(slope[i]) > 0 ? 1 : 0;
    squares += slope[i] * slope[i];
  }
  CHECK(changed > 6);
  for (const double g : trainer.gradient()) squares += g * g;
  CHECK(step.gradient_norm == doctest::Approx(std::sqrt(squares)).epsilon(1e-7));
}

std::vector<float> trained_rows(std::size_t threads) {
  Model<Tagger> model{Seed{5}, {11}};
  fit(model, reviews<float>(60), MeanSquaredError{}, AdamW{.learning_rate = 1e-2},
      {.epochs = 3, .batch = 20, .threads = threads});
  const auto& table = std::as_const(model).table("embedding.weight");
  std::vector<float> rows(model.parameters().begin(), model.parameters().end());
  for (std::size_t r = 0; r < table.rows(); ++r) rows.insert(rows.end(), table.row(r).begin(), table.row(r).end());
  return rows;
}

TEST_CASE("training an embedding gives the same bits for any number of threads") {
  const auto one = trained_rows(1);
  CHECK(trained_rows(2) == one);
  CHECK(trained_rows(3) == one);
}

TEST_CASE("a frozen embedding stays, and so does one whose rate is zero") {
  struct Net : Network<Tokens<4>, Frozen<Embedding<3>>, MeanOverPositions, Linear<1>> {};
  const auto rows = [](const auto& table) {
    std::vector<float> all;
    for (std::size_t r = 0; r < table.rows(); ++r) all.insert(all.end(), table.row(r).begin(), table.row(r).end());
    return all;
  };
  Model<Net> frozen{Seed{1}, {11}};
  const auto before = rows(frozen.table("embedding.weight"));
  fit(frozen, reviews<float>(20), {.epochs = 2});
  CHECK(rows(frozen.table("embedding.weight")) == before);
  Model<Tagger> resting{Seed{1}, {11}};
  const auto at_first = rows(resting.table("embedding.weight"));
  fit(resting, reviews<float>(20), {.epochs = 2, .part_rates = {{"embedding.", 0}}});
  CHECK(rows(resting.table("embedding.weight")) == at_first);
}

TEST_CASE("early stopping brings the best rows back") {
  Model<Tagger> model{Seed{5}, {11}};
  const auto data = reviews<float>(30);
  const auto history =
      fit(model, data, MeanSquaredError{}, Sgd{.learning_rate = 30}, {.validation = data, .epochs = 6});
  CHECK(evaluate(model, data) == doctest::Approx(history.best_validation_loss));
}

TEST_CASE("a model with a table is saved and loaded whole") {
  const aila_test::TemporaryFolder folder;
  const auto path = folder / "tagger.safetensors";
  Model<Tagger> model{Seed{5}, {11}};
  io::save(model, path);
  Model<Tagger> other{Seed{6}};
  io::load(other, path);
  CHECK(other.table("embedding.weight").rows() == 11);
  CHECK(predict(other, reviews<float>(9)) == predict(model, reviews<float>(9)));
  struct Wider : Network<Tokens<4>, Embedding<3, MostRows<10>>, Linear<2>, Tanh, MeanOverPositions, Linear<1>> {};
  Model<Wider> small;
  CHECK(says([&] { io::load(small, path); }, "needs up to 10 rows of 3"));
}

TEST_CASE("rows that do not fit are refused in one sentence") {
  CHECK(says([] { Model<Tagger>{Seed{1}, {51}}; }, "embedding.weight: expected at most 50 rows (MostRows), found 51"));
  CHECK(says([] { Model<Tagger>{Seed{1}, {5, 5}}; }, "model: expected the rows of 1 tables, found 2 numbers"));
  Model<Tagger> model;
  CHECK(says([&] { model.table("embedding.weight").assign(std::vector<float>(7)); },
             "embedding.weight: expected rows of 3 numbers, found 7 numbers in all"));
  CHECK(says([&] { model.table("linear.weight"); }, "this network has no table linear.weight"));
}

}  // namespace
}  // namespace aila
