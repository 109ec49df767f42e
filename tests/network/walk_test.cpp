#include <doctest/doctest.h>

#include <aila/compose/walk.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <algorithm>
#include <string>
#include <vector>

using namespace aila;

namespace {

struct Stacked
    : Network<Sequence<3, 2>, Stack<integrate::Attention<Heads<2>>, Repeat<3, Lstm<4>>>, LastStep, Linear<1>> {};
struct Linearly : Network<Sequence<3, 2>, Stack<integrate::Linear<TaskEmbedding>, Repeat<2, Lstm<4>>>> {};
struct Dense : Network<Sequence<3, 2>, Stack<integrate::DenseNet, Lstm<4>, Lstm<5>, Lstm<6>>> {};
struct Nested
    : Network<Sequence<3, 2>, Linear<4>,
              Chain<Linear<4>,
                    Stack<integrate::Residual, Lstm<4>, Chain<Relu, Stack<integrate::None, Linear<4>>, Linear<4>>>>,
              Residual<Linear<4>>, Linear<4>, Chain<Linear<2>>> {};

template <class Net>
std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const ParameterInfo& p : parameter_table<Net>())
    all.push_back(p.name + " " + extents_text(p.extents.data(), p.rank));
  return all;
}

template <class Net>
std::vector<std::string> paths() {
  std::vector<std::string> all;
  for_each_layer<Net>(
      [&]<class Part>(const std::string& path) { all.push_back(path + " " + detail::part_name<Part>()); });
  return all;
}

struct Silently : Network<Vector<2>, Linear<2>, Relu> {};
struct Loudly : Network<Vector<2>, Linear<2>, Tanh> {};
struct Wider : Network<Vector<2>, Linear<3>> {};
struct Held : Network<Vector<2>, Frozen<Linear<2>>, Relu> {};
struct Grouped : Network<Vector<2>, Chain<Linear<2>, Relu>> {};

}  // namespace

TEST_CASE("the tensors of a stack have names and extents in the order of its layers") {
  CHECK(names<Stacked>() == std::vector<std::string>{"stack.0.core.weight_ih [16, 2]",
                                                     "stack.0.core.weight_hh [16, 4]",
                                                     "stack.0.core.bias [16]",
                                                     "stack.0.epilogue.weight [4]",
                                                     "stack.0.epilogue.bias [4]",
                                                     "stack.1.core.weight_ih [16, 4]",
                                                     "stack.1.core.weight_hh [16, 4]",
                                                     "stack.1.core.bias [16]",
                                                     "stack.1.integrate.value.0 [4, 4]",
                                                     "stack.1.epilogue.weight [4]",
                                                     "stack.1.epilogue.bias [4]",
                                                     "stack.2.core.weight_ih [16, 4]",
                                                     "stack.2.core.weight_hh [16, 4]",
                                                     "stack.2.core.bias [16]",
                                                     "stack.2.integrate.query [4, 4]",
                                                     "stack.2.integrate.key [4, 4]",
                                                     "stack.2.integrate.value.0 [4, 4]",
                                                     "stack.2.integrate.value.1 [4, 4]",
                                                     "stack.2.epilogue.weight [4]",
                                                     "stack.2.epilogue.bias [4]",
                                                     "linear.weight [1, 4]",
                                                     "linear.bias [1]"});
  CHECK(names<Linearly>()[8] == "stack.1.integrate.projection.0 [4, 4]");
  CHECK(names<Linearly>()[9] == "stack.1.integrate.score [1, 3, 4]");
  CHECK(names<Linearly>()[10] == "stack.1.integrate.task [4]");
}

TEST_CASE("a core of DenseNet reads all earlier maps side by side") {
  CHECK(names<Dense>()[5] == "stack.1.core.weight_ih [20, 4]");
  CHECK(names<Dense>()[10] == "stack.2.core.weight_ih [24, 9]");
}

TEST_CASE("stacks in chains in stacks are walked leaf by leaf, and like layers are numbered") {
  CHECK(paths<Nested>() ==
        std::vector<std::string>{
            "linear linear", "chain.linear linear", "chain.stack.0.core lstm", "chain.stack.0.integrate none",
            "chain.stack.0.epilogue relu_layer_norm", "chain.stack.1.core.relu relu",
            "chain.stack.1.core.stack.0.core linear", "chain.stack.1.core.stack.0.integrate none",
            "chain.stack.1.core.stack.0.epilogue relu_layer_norm", "chain.stack.1.core.linear linear",
            "chain.stack.1.integrate residual", "chain.stack.1.epilogue relu_layer_norm", "residual.linear linear",
            "linear_1 linear", "chain_1.linear linear"});
}

TEST_CASE("what a walk finds is what the network has") {
  std::size_t tensors = 0, operations = 0;
  for_each_layer<Nested>([&]<class Part>(const std::string&) {
    tensors += Part::tensors;
    operations += Part::flops;
  });
  CHECK(tensors == PlacedNetwork<Nested>::tensors);
  CHECK(operations + 12 == flops<Nested>);  // the additions of the Residual, which is no leaf
  std::size_t numbers = 0;
  for (const ParameterInfo& p : parameter_table<Nested>()) numbers += p.size;
  CHECK(numbers == parameter_count<Nested>);
}

TEST_CASE("no two tensors of a network have one name") {
  auto all = names<Nested>();
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEST_CASE("the description hash is stable, and tells networks apart that cannot exchange weights") {
  // FNV-1a of "linear.weight[2, 2]0;linear.bias[2]0;": part of every weights file
  CHECK(description_hash<Silently>() == hash_path("linear.weight[2, 2]0;linear.bias[2]0;"));
  CHECK(description_hash<Silently>() == 0x40ed4bb85c267f52ULL);
  CHECK(description_hash<Silently>() == description_hash<Loudly>());  // weights fit, whatever the activation
  CHECK(description_hash<Silently>() != description_hash<Wider>());
  CHECK(description_hash<Silently>() != description_hash<Held>());
  CHECK(description_hash<Silently>() != description_hash<Grouped>());
  CHECK(description_hash<Stacked>() != description_hash<Linearly>());
}
