// Runs a network of one or more layers on the inputs and weights of a file of figures (figures/make_*.py), and compares
// its output and all gradients: tensor by tensor, max|a - b| / max|b|.
#pragma once

#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/compose/walk.hpp>
#include <aila/io/safetensors.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/workspace.hpp>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace layer_figures {

using namespace aila;
using io::SafetensorsFile;

/// max|ours - figure| / max|figure|, absolutely where the figure is zero.
template <class S>
double difference(const std::vector<double>& figure, const std::string& name, const S* ours, std::size_t count) {
  REQUIRE_MESSAGE(figure.size() == count, name);
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double off = std::abs(static_cast<double>(ours[i]) - figure[i]);
    worst = std::isfinite(off) ? std::max(worst, off) : INFINITY;
    largest = std::max(largest, std::abs(figure[i]));
  }
  return worst / (largest < 1e-12 ? 1 : largest);
}
template <class S>
double difference(const SafetensorsFile& file, const std::string& name, const S* ours, std::size_t count) {
  return difference(file.as<double>(name), name, ours, count);
}

template <class Net, class Backend>
void check_on(const SafetensorsFile& file, double tolerance) {
  INFO(file.name(), " on ", std::string(Backend::name));
  using Training = Workspace<Net, Backend, Capability::train>;
  using S = typename Backend::Scalar;
  constexpr std::size_t margin = 2 * alignment_elements;
  AlignedArray<S> parameters(Training::layout.size + margin), gradients(Training::layout.size + margin);
  AlignedArray<S> packed(Training::Kernel::packed + margin);
  std::size_t tensors = 0;
  for (const ParameterInfo& p : parameter_table<Net>()) {
    const std::vector<std::size_t> extents(p.extents.begin(), p.extents.begin() + static_cast<std::ptrdiff_t>(p.rank));
    REQUIRE_MESSAGE(file.at("w." + p.name).shape == extents, p.name);
    const auto values = file.as<double>("w." + p.name);
    std::transform(values.begin(), values.end(), parameters.data() + p.offset, [](double v) { return S(v); });
    ++tensors;
  }
  for (const auto& tensor : file.tensors()) tensors -= tensor.name.starts_with("w.") ? 1 : 0;
  CHECK(tensors == 0);
  Training::Kernel::pack(Weights<S>(parameters.data(), Training::layout.offset.data()), packed.data());

  const auto x = file.as<S>("x"), dy = file.as<S>("dy");
  Pass pass;
  pass.samples = file.at("x").shape.at(0);
  std::vector<std::int32_t> lengths;
  for (const auto& tensor : file.tensors())
    if (tensor.name == "training") pass.training = pass.collects = true;
  for (const auto& tensor : file.tensors())
    if (tensor.name == "lengths")
      for (const double n : file.as<double>("lengths")) lengths.push_back(static_cast<std::int32_t>(n));
  if (!lengths.empty()) pass.lengths = lengths.data();

  // Steps behind a sample's length are no outputs: zeros, whatever PyTorch makes of them.
  auto y = file.as<double>("y");
  detail::clear_padding_after<typename Training::Placed::Layer, typename Training::In>(pass, y.data());

  Workspace<Net, Backend, Capability::predict> predicting(pass.samples);
  predicting.forward(pass, parameters.data(), packed.data(), x.data());
  CHECK(difference(y, "y", predicting.output(), dy.size()) <= tolerance);
  Training training(pass.samples);
  std::copy(x.begin(), x.end(), training.input());
  training.forward(pass, parameters.data(), packed.data(), training.input());
  CHECK(difference(y, "y", training.output(), dy.size()) <= tolerance);
  std::copy(dy.begin(), dy.end(), training.output_gradient());
  training.backward(pass, parameters.data(), packed.data(), gradients.data(), true);
  CHECK(difference(file, "dx", training.input_gradient(), x.size()) <= tolerance);
  for (const ParameterInfo& p : parameter_table<Net>())
    if (p.kind != ParameterKind::buffer || pass.training)  // statistics change in training alone
      CHECK_MESSAGE(difference(file, "dw." + p.name, gradients.data() + p.offset, p.size) <= tolerance, p.name);
}

/// Plain loops in double to 1e-10.
template <class Net>
void check_in_double(const std::string& name, const std::string& folder = "layer") {
  const auto file = SafetensorsFile::read(AILA_SOURCE_DIR "/tests/" + folder + "/figures/" + name + ".safetensors");
  check_on<Net, backend::Reference<double>>(file, 1e-10);
}
/// The same, and the CPU's kernels in float to 1e-5.
template <class Net>
void check(const std::string& name, const std::string& folder = "layer") {
  const auto file = SafetensorsFile::read(AILA_SOURCE_DIR "/tests/" + folder + "/figures/" + name + ".safetensors");
  check_on<Net, backend::Reference<double>>(file, 1e-10);
  check_on<Net, backend::Cpu>(file, 1e-5);
}

template <class In, class... Layers>
struct Net : Network<In, Layers...> {};

}  // namespace layer_figures
