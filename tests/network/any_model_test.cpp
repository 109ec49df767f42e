#include <doctest/doctest.h>

#include <aila/any_model.hpp>
#include <map>
#include <memory>
#include <vector>

#include "../says.hpp"

namespace aila {
namespace {

using In = Sequence<4, 2>;
using Any = AnyModel<In, Vector<1>>;

struct Plain : Network<In, Stack<integrate::None, Repeat<2, Lstm<4>>>, LastStep, Linear<1>> {};
struct Mixed : Network<In, Stack<integrate::Attention<>, Repeat<2, Lstm<4>>>, LastStep, Linear<1>> {};

Samples<In> samples() {
  Samples<In> all;
  for (int i = 0; i < 24 * 8; ++i) all.inputs.push_back(static_cast<float>((i * 37) % 101) / 50 - 1);
  for (std::size_t i = 0; i < 24; ++i) all.targets.push_back(all.inputs[8 * i] / 2);
  return all;
}

TEST_CASE("a network is chosen at run time, and trains as its model does") {
  const std::map<std::string, std::unique_ptr<Any> (*)(Seed)> makers{{"plain", NetworkUnit<Plain>::make},
                                                                     {"mixed", NetworkUnit<Mixed>::make}};
  const auto data = samples();
  for (const auto& [name, make] : makers) {
    CAPTURE(name);
    const auto any = make(Seed{3});
    const double before = any->evaluate(data);
    const History history = any->fit(data, Adam{.learning_rate = 0.02}, {.epochs = 20, .batch = 8});
    CHECK(history.epochs.size() == 20);
    CHECK(any->evaluate(data) < before);
    CHECK(any->predict(data).size() == 24);
    CHECK(any->summary().find("lstm") != std::string::npos);
    CHECK(any->graph().starts_with("digraph"));
    CHECK(any->parameters().size() >= any->parameter_count());
    CHECK(any->mixture_weights(data.inputs).empty() == (name == "plain"));
  }

  const auto any = NetworkUnit<Mixed>::make(Seed{3});
  any->fit(data, Adam{}, {.epochs = 2, .batch = 8});
  Model<Mixed> model{Seed{3}};
  fit(model, data, {.epochs = 2, .batch = 8});
  CHECK(std::equal(model.parameters().begin(), model.parameters().end(), any->parameters().begin()));
  CHECK(any->predict(data) == predict(model, data));
  CHECK(any->evaluate(data) == evaluate(model, data));
  CHECK(any->parameter_count() == parameter_count<Mixed>);
  CHECK(any->description() == description_hash<Mixed>());
  CHECK(any->table().size() == parameter_table<Mixed>().size());
}

TEST_CASE("weights pass from one to another of the same network alone") {
  const auto one = NetworkUnit<Mixed>::make(Seed{1}), two = NetworkUnit<Mixed>::make(Seed{2});
  const auto other = NetworkUnit<Plain>::make(Seed{1});
  const auto data = samples();
  CHECK(one->predict(data) != two->predict(data));
  two->assign(one->parameters());
  CHECK(one->predict(data) == two->predict(data));
  CHECK(one->description() != other->description());
  CHECK(says([&] { other->assign(one->parameters()); }, "assign: expected the"));
}

TEST_CASE("another loss may be compiled into a unit") {
  const auto data = samples();
  const auto squares = NetworkUnit<Plain>::make(Seed{1});
  const auto absolutes = NetworkUnit<Plain, MeanAbsoluteError>::make(Seed{1});
  Model<Plain> model{Seed{1}};
  CHECK(absolutes->evaluate(data) == evaluate(model, data, MeanAbsoluteError{}));
  CHECK(squares->evaluate(data) == evaluate(model, data));
}

}  // namespace
}  // namespace aila
