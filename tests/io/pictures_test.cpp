// Pictures made of plots: a confusion matrix, the weights between layers, panels.
#include <doctest/doctest.h>

#include <aila/io/plot.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "temporary_folder.hpp"

using namespace aila;
using namespace aila_test;

TEST_CASE("a confusion map has the percent of each class, and nothing for a class without samples") {
  metric::ConfusionMatrix matrix(3);
  // Two of class 0, of which one is taken for 2; one of class 1.
  matrix.add(std::vector<float>{1, 0, 0, 0, 0, 1, 0, 1, 0}, std::vector<int>{0, 0, 1});
  const auto map = io::confusion_map("m", matrix, {"a", "b", "c"});
  CHECK(map.row_labels == std::vector<std::string>{"a", "b", "c"});
  const std::vector<double> expected{50, 0, 50, 0, 100, 0};
  CHECK(std::vector(map.values.begin(), map.values.begin() + 6) == expected);
  for (std::size_t i = 6; i < 9; ++i) CHECK(std::isnan(map.values[i]));
  CHECK(io::svg(map).find("50.0") != std::string::npos);
  CHECK(error_of([&] { io::confusion_map("m", matrix, {"a"}); }) ==
        "confusion_map: expected 3 names of classes, found 1");
}

TEST_CASE("a mixture map counts layers from one, and leaves empty what a layer has not") {
  const std::vector<MixtureWeights> layers{
      {.path = "stack.1.integrate", .layer = 1, .heads = 1, .items = {"own", "h_0"}, .mean = {0.25, 0.75}},
      {.path = "stack.2.integrate",
       .layer = 2,
       .heads = 2,
       .items = {"own", "h_0", "h_1"},
       .mean = {0.5, 0.25, 0.25, 0.25, 0.5, 0.25}}};
  const auto map = io::mixture_map("weights", layers);
  CHECK(map.row_labels == std::vector<std::string>{"layer 2", "layer 3"});
  CHECK(map.column_labels == std::vector<std::string>{"own output", "layer 1", "layer 2"});
  CHECK(map.values[0] == 0.25);
  CHECK(map.values[1] == 0.75);
  CHECK(std::isnan(map.values[2]));
  CHECK(map.values[3] == 0.375);  // the mean of the heads
  CHECK(error_of([] { io::mixture_map("weights", {}); }) ==
        "mixture_map: expected at least one layer with weights, found none");
}

TEST_CASE("the rows of several stacks carry their paths") {
  const MixtureWeights layer{.path = "1.1.integrate", .layer = 1, .heads = 1, .items = {"h_0"}, .mean = {1}};
  auto other = layer;
  other.path = "4.1.integrate";
  CHECK(io::mixture_map("", {layer, other}).row_labels == std::vector<std::string>{"1.1.integrate", "4.1.integrate"});
}

TEST_CASE("panels stand in rows, each as high as its highest") {
  const io::LineChart low{.title = "low", .dates = {"1", "2"}, .lines = {}, .width = 300, .height = 200};
  auto high = low;
  high.height = 260;
  const auto a = io::svg(low), b = io::svg(high);
  const auto document = io::panels({a, b, a}, 2);
  CHECK(document.starts_with("<svg xmlns='http://www.w3.org/2000/svg' width='600' height='460' "));
  CHECK(document.find("<svg x='300' y='0' ") != std::string::npos);
  CHECK(document.find("<svg x='0' y='260' ") != std::string::npos);
  CHECK(error_of([] { io::panels({"no document"}, 1); }) ==
        "panels: expected documents that plots of this library gave, found one without width");
}
