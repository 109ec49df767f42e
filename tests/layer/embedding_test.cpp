#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/any_model.hpp>
#include <aila/io/model_file.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
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

template <class M>
std::vector<typename M::Scalar> numbers_of(const M& model) {
  std::vector<typename M::Scalar> all;
  for (const auto& tensor : model.tensors())
    for (std::size_t r = 0; r < tensor.rows; ++r) all.insert(all.end(), tensor.row(r).begin(), tensor.row(r).end());
  return all;
}

TEST_CASE(
    "the list of all that a model holds is its parameters and behind them its tables, in the order of the layers") {
  struct Plain : Network<Sequence<3, 2>, BatchNorm<>, Frozen<Linear<2>>> {};
  struct Two : Network<Tokens<4>, Sum<Embedding<3>, Chain<Frozen<Embedding<2>>, Linear<3>>>, Linear<1>> {};
  const auto check = []<class Net>(const Model<Net, Reference64>& model) {
    std::vector<std::string> names, expected;
    std::size_t numbers = model.parameters().size();
    for (const auto& tensor : model.tensors()) {
      names.push_back(tensor.name + extents_text(tensor.extents.data(), tensor.rank));
      CHECK(tensor.is_finite());
      CHECK(tensor.size == tensor.rows * tensor.width);
    }
    for (const ParameterInfo& p : parameter_table<Net>())
      expected.push_back(p.name + extents_text(p.extents.data(), p.rank));
    for (const auto& t : model.all_tables()) {
      expected.push_back(t.info().name + "[" + std::to_string(t.rows()) + ", " + std::to_string(t.width()) + "]");
      CHECK(model.tensors()[expected.size() - 1].offset == numbers);
      numbers += t.rows() * t.width();
    }
    CHECK(names == expected);
    return names;
  };
  check(Model<Plain, Reference64>{});
  CHECK(check(Model<Tagger, Reference64>{Seed{1}, {11}}).back() == "embedding.weight[11, 3]");
  Model<Two, Reference64> two{Seed{1}, {5, 7}};
  const auto names = check(two);
  CHECK(names[names.size() - 2] == "sum.embedding.weight[5, 3]");
  CHECK(names.back() == "sum.chain.embedding.weight[7, 2]");
  CHECK(two.tensors().back().kind == ParameterKind::frozen);
  two.all_tables()[1].row(6)[1] = std::numeric_limits<double>::infinity();
  CHECK(!two.tensors().back().is_finite());
}

TEST_CASE("an update that makes a row infinite stops the training, names the table and is undone with the weights") {
  Model<Tagger> model{Seed{5}, {11}};
  const auto before = numbers_of(model);
  CHECK(says(
      [&] {
        fit(model, reviews<float>(9), MeanSquaredError{}, Sgd{.learning_rate = 0.1},
            {.epochs = 3, .batch = 9, .part_rates = {{"embedding.", 1e42}}});
      },
      "training stopped at epoch 1, step 1: after the update a parameter is not finite; the first value that is not "
      "finite is in the parameter embedding.weight"));
  CHECK(numbers_of(model) == before);
}

TEST_CASE("a row that is not finite later on gives back the rows and weights of the best epoch") {
  Model<Tagger> model{Seed{5}, {11}};
  std::vector<float> first;
  const auto spoil = [&](const EpochRecord&) {
    first = numbers_of(model);
    model.table("embedding.weight").row(0)[2] = std::numeric_limits<float>::quiet_NaN();
    return true;
  };
  CHECK(
      says([&] { fit(model, reviews<float>(9), {.epochs = 3, .batch = 9, .on_epoch = spoil}); },
           "training stopped at epoch 2, step 1: the loss is not finite; the first value that is not finite is in the "
           "parameter embedding.weight"));
  CHECK(numbers_of(model) == first);
}

TEST_CASE("a step whose gradient is not finite is not taken by a table either, which the error names") {
  Model<Tagger> model{Seed{5}, {11}};
  model.edit([](std::span<float> p) { std::fill_n(p.data() + parameter_table<Tagger>()[0].offset, 6, 3e38F); });
  auto& table = model.table("embedding.weight");
  for (std::size_t r = 0; r < 11; ++r) std::ranges::copy(std::array{3e-38F, -3e-38F, 0.0F}, table.row(r).begin());
  auto data = reviews<float>(9);
  std::ranges::fill(data.targets, 100.0F);
  const auto before = numbers_of(model);
  CHECK(says([&] { fit(model, data, MeanSquaredError{}, Sgd{}, {.epochs = 1}); },
             "epoch 1, step 1: the gradient is not finite; the first value that is not finite is in the gradient of "
             "embedding.weight"));
  CHECK(numbers_of(model) == before);
}

TEST_CASE("rows that a table had before it grew keep their moments") {
  Model<Tagger> whole{Seed{5}, {15}}, growing{Seed{5}, {11}};
  const auto data = reviews<float>(9);
  std::vector<std::size_t> indices(9);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  Inline executor;
  Trainer on_whole(whole, MeanSquaredError{}, Adam{}, {.batch = 9}, executor);
  Trainer on_growing(growing, MeanSquaredError{}, Adam{}, {.batch = 9}, executor);
  for (int step = 0; step < 2; ++step) {
    on_whole.step(data, indices);
    on_growing.step(data, indices);
    auto all = whole.state();
    if (step == 0) growing.restore(std::move(all));
  }
  CHECK(numbers_of(growing) == numbers_of(whole));
}

TEST_CASE("all that a model holds passes to another with other rows, and a predictor sees it") {
  const auto data = reviews<float>(9);
  Model<Tagger> model{Seed{5}, {11}}, other{Seed{6}, {3}};
  Predictor<Tagger> predictor(other, 9);
  const auto outputs = [&] {
    const auto y = predictor.batch(data.inputs, data.lengths);
    return std::vector<float>(y.begin(), y.end());
  };
  const auto expected = predict(model, data);
  CHECK(outputs() != expected);
  predictor.use(model);
  CHECK(outputs() == expected);
  predictor.use(other);
  CHECK(outputs() != expected);
  other.restore(model.state());
  CHECK(outputs() == expected);
  const Model<Tagger> copy = other;
  CHECK(numbers_of(copy) == numbers_of(model));

  const auto refuses = [&](auto&& change, const char* sentence) {
    auto state = Model<Tagger>{Seed{7}, {11}}.state();
    change(state);
    return says([&] { other.restore(std::move(state)); }, sentence) && numbers_of(other) == numbers_of(model);
  };
  CHECK(refuses([](auto& state) { state.tables.clear(); }, "expected the rows of 1 tables, found those of 0"));
  CHECK(refuses([](auto& state) { state.parameters.pop_back(); }, "assign: expected the "));
  struct Wide : Network<Tokens<4>, Embedding<4>> {};
  CHECK(refuses([](auto& state) { state.tables = Model<Wide>{Seed{}, {2}}.state().tables; },
                "embedding.weight: expected rows of 3 numbers, found rows of 4"));
  struct Many : Network<Tokens<4>, Embedding<3>> {};
  CHECK(refuses([](auto& state) { state.tables = Model<Many>{Seed{}, {51}}.state().tables; },
                "embedding.weight: expected at most 50 rows (MostRows), found 51"));
}

TEST_CASE("a network chosen at run time counts, keeps, gives back and saves its rows with the weights") {
  const auto data = reviews<float>(12);
  const auto any = NetworkUnit<Tagger>::make(Seed{3});
  CHECK(any->parameter_count() == 11);
  any->tables()[0].initialise(11, Seed{3});
  CHECK(any->parameter_count() == 11 + 33);
  CHECK(any->tensors().back().name == "embedding.weight");
  const auto start = any->state();
  const auto at_first = any->predict(data);
  any->fit(data, Adam{.learning_rate = 0.05}, {.epochs = 3, .batch = 6});
  const auto trained = any->predict(data);
  CHECK(trained != at_first);

  const aila_test::TemporaryFolder folder;
  io::save(*any, folder / "w.safetensors", {{"task", "words"}});
  any->restore(start);
  CHECK(any->predict(data) == at_first);
  const auto again = NetworkUnit<Tagger>::make(Seed{4});
  again->tables()[0].initialise(2, Seed{4});
  io::load(*again, folder / "w.safetensors");
  CHECK(again->predict(data) == trained);
  Model<Tagger> model;
  io::load(model, folder / "w.safetensors");
  CHECK(predict(model, data) == trained);
  io::save(model, folder / "m.safetensors", {{"task", "words"}});
  CHECK(aila_test::read_raw(folder / "m.safetensors") == aila_test::read_raw(folder / "w.safetensors"));
}

TEST_CASE("the description tells widths of tables apart, and files that knew nothing of them are read") {
  struct Free : Network<Tokens<4>, Embedding<3>, MeanOverPositions> {};
  struct Wide : Network<Tokens<4>, Embedding<4>, MeanOverPositions> {};
  struct Held : Network<Tokens<4>, Frozen<Embedding<3, MostRows<9>>>, MeanOverPositions> {};
  CHECK(description_hash<Free>() == hash_path("embedding.weight[rows, 3];"));
  CHECK(description_hash<Free>() != description_hash<Wide>());
  CHECK(description_hash<Free>() == description_hash<Held>());  // rows fit, whoever trains them

  const aila_test::TemporaryFolder folder;
  const auto path = folder / "tagger.safetensors";
  const Model<Tagger> model{Seed{5}, {11}};
  io::save(model, path);
  const auto file = io::SafetensorsFile::read(path);
  auto metadata = file.metadata();
  CHECK(metadata.at(io::description_key) == io::detail::hexadecimal(description_hash<Tagger>()));
  metadata[io::description_key] = io::detail::hexadecimal(
      hash_path("linear.weight[2, 3]0;linear.bias[2]0;linear_1.weight[1, 2]0;linear_1.bias[1]0;"));
  io::write_safetensors(path, file.tensors(), metadata);
  Model<Tagger> other;
  io::load(other, path);
  CHECK(numbers_of(other) == numbers_of(model));
  metadata[io::description_key] = io::detail::hexadecimal(7);
  io::write_safetensors(path, file.tensors(), metadata);
  CHECK(says([&] { io::load(other, path); }, "the weights are of another network, description 0000000000000007"));
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
