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
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../float_rounding.hpp"
#include "../one_batch.hpp"
#include "../source_dir.hpp"

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
/// How a file names what it has of a network.
struct Names {
  std::string part(const std::string& name) const { return name; }
  std::string weight(const ParameterInfo& p) const { return "w." + p.name; }
  std::string gradient(const ParameterInfo& p) const { return "dw." + p.name; }
  static constexpr bool tells_extents = true, has_one_case = true;
};
/// Of a file with a layer a case, "same.x", whose tensors are "same.w" and "same.b".
struct NamesOfCase {
  std::string name;
  std::string part(const std::string& part) const { return name + "." + part; }
  std::string weight(const ParameterInfo& p) const { return part(p.name.ends_with("bias") ? "b" : "w"); }
  std::string gradient(const ParameterInfo& p) const { return part(p.name.ends_with("bias") ? "db" : "dw"); }
  static constexpr bool tells_extents = false, has_one_case = false;
};

/// The worst deviation; with a `seed` of weights one unit in the last place beside those of the file.
template <class Net, class Backend, class NamesInFile = Names>
double check_on(const SafetensorsFile& file, double tolerance, const NamesInFile& names = {}, std::uint64_t seed = 0) {
  INFO(file.name(), " ", names.part("x"), " on ", std::string(Backend::name));
  using Batch = OneBatch<Net, Backend>;
  using Training = typename Batch::Training;
  using S = typename Backend::Scalar;
  std::size_t tensors = 0;
  const Batch batch([&](S* parameters) {
    for (const ParameterInfo& p : parameter_table<Net>()) {
      const std::string name = names.weight(p);
      if constexpr (NamesInFile::tells_extents)
        REQUIRE_MESSAGE(std::ranges::equal(file.at(name).shape, std::span(p.extents).first(p.rank)), p.name);
      const auto values = file.as<double>(name);
      REQUIRE_MESSAGE(values.size() == p.size, p.name);
      std::vector<S> weights(values.size());
      std::transform(values.begin(), values.end(), weights.begin(), [](double v) { return S(v); });
      float_rounding::perturb(weights, seed, p.offset);
      std::copy(weights.begin(), weights.end(), parameters + p.offset);
      ++tensors;
    }
  });
  if constexpr (NamesInFile::has_one_case) {
    for (const auto& tensor : file.tensors()) tensors -= tensor.name.starts_with("w.") ? 1 : 0;
    CHECK(tensors == 0);
  }

  const auto x = file.as<S>(names.part("x")), dy = file.as<S>(names.part("dy"));
  Pass pass;
  pass.samples = file.at(names.part("x")).shape.at(0);
  REQUIRE(x.size() == pass.samples * Training::In::elements);
  REQUIRE(dy.size() == pass.samples * Training::Out::elements);
  std::vector<std::int32_t> lengths;
  for (const auto& tensor : file.tensors())
    if (tensor.name == "training") pass.training = pass.collects = true;
  for (const auto& tensor : file.tensors())
    if (tensor.name == "lengths")
      for (const double n : file.as<double>("lengths")) lengths.push_back(static_cast<std::int32_t>(n));
  if (!lengths.empty()) pass.lengths = lengths.data();

  // Steps behind a sample's length are no outputs: zeros, whatever PyTorch makes of them.
  auto y = file.as<double>(names.part("y"));
  detail::clear_padding_after<typename Training::Placed::Layer, typename Training::In>(pass, y.data());

  double worst = 0;
  const auto compare = [&](const std::string& name, const std::vector<double>& figure, const S* ours,
                           std::size_t count) {
    const double off = difference(figure, name, ours, count);
    worst = std::max(worst, off);
    CHECK_MESSAGE(off <= tolerance, name);
  };
  const auto predicted = batch.predict(pass, x);
  compare("y, predicted", y, predicted.data(), predicted.size());
  Training training(pass.samples);
  const auto computed = batch.forward(training, pass, x);
  compare("y", y, computed.data(), computed.size());
  const auto found = batch.backward(training, pass, dy);
  compare("dx", file.as<double>(names.part("dx")), found.input.data(), found.input.size());
  for (const ParameterInfo& p : parameter_table<Net>())
    if (p.kind != ParameterKind::buffer || pass.training)  // statistics change in training alone
      compare(p.name, file.as<double>(names.gradient(p)), found.parameters.data() + p.offset, p.size);
  return worst;
}

/// A backend in float to 1e-5, or what its rounding allows, which is printed.
template <class Net, class Backend>
double check_in_float(const SafetensorsFile& file) {
  const float_rounding::Bound bound(1e-5, [&](std::uint64_t seed) {
    return check_on<Net, backend::Reference<float>>(file, INFINITY, Names{}, seed);
  });
  const double worst = check_on<Net, Backend>(file, bound.most);
  bound.print(file.name(), Backend::name, worst);
  return worst;
}

inline SafetensorsFile read(const std::string& name, const std::string& folder = "layer") {
  return SafetensorsFile::read(AILA_SOURCE_DIR "/tests/" + folder + "/figures/" + name + ".safetensors");
}
/// Plain loops in double to 1e-10.
template <class Net>
void check_in_double(const std::string& name, const std::string& folder = "layer") {
  check_on<Net, backend::Reference<double>>(read(name, folder), 1e-10);
}
/// The same, and the CPU's kernels in float to 1e-5.
template <class Net>
void check(const std::string& name, const std::string& folder = "layer") {
  const auto file = read(name, folder);
  check_on<Net, backend::Reference<double>>(file, 1e-10);
  check_on<Net, backend::Cpu>(file, 1e-5);
}

template <class In, class... Layers>
struct Net : Network<In, Layers...> {};

}  // namespace layer_figures
