// Runs a stack on the inputs and weights of a file of figures, and compares what comes out: tensor by tensor,
// max|a - b| / max|b|, absolutely where max|b| is below 1e-12.
#pragma once

#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/compose/walk.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/io/safetensors.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/workspace.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "../float_rounding.hpp"
#include "../one_batch.hpp"

namespace figures {

using aila::Capability;
using aila::ParameterInfo;
using aila::io::SafetensorsFile;

/// The name in the file of our tensor "stack.J.part.name", without the "w." or "dw." before it; biases are two there.
inline std::string name_in_file(const SafetensorsFile& file, const std::string& ours) {
  const std::size_t layer = ours.find('.') + 1, part = ours.find('.', layer) + 1, rest = ours.find('.', part) + 1;
  const std::string number = ours.substr(layer, part - 1 - layer);
  const std::string kind = ours.substr(part, rest - 1 - part), name = ours.substr(rest);
  const std::string core = "cores." + number;
  if (kind == "core" && file.find("w." + core + ".conv.weight") != nullptr) return core + ".conv." + name;
  if (kind == "core") return core + ".rnn." + (name == "bias" ? "bias_ih" : name) + "_l0";
  if (kind == "integrate") return "integrations." + number + "." + name + (name == "value" ? ".0" : "");
  return "norms." + number + "." + name;
}

inline double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values) most = std::isfinite(v) ? std::max(most, std::abs(v)) : INFINITY;
  return most;
}

/// What is compared on one backend.
struct Comparison {
  const SafetensorsFile& file;
  double tolerance;
  std::set<std::string> used{};
  double worst = 0;

  template <class Scalar>
  void compare(const std::string& name, const Scalar* ours, std::size_t count) {
    used.insert(name);
    const std::vector<double> figure = file.as<double>(name);
    REQUIRE_MESSAGE(figure.size() == count, name);
    std::vector<double> difference(count);
    for (std::size_t i = 0; i < count; ++i) difference[i] = static_cast<double>(ours[i]) - figure[i];
    const double scale = largest(figure);
    const double error = largest(difference) / (scale < 1e-12 ? 1 : scale);
    worst = std::max(worst, error);
    CHECK_MESSAGE(error <= tolerance, name);
  }

  /// Every gradient of the file was compared, but for query and key of the layer with one earlier layer: ours has none.
  void check_rest() {
    for (const auto& tensor : file.tensors()) {
      if (!tensor.name.starts_with("dw.") && !tensor.name.starts_with("weights.")) continue;
      if (tensor.name == "dw.integrations.1.query" || tensor.name == "dw.integrations.1.key")
        CHECK_MESSAGE(largest(file.as<double>(tensor.name)) < 1e-12, tensor.name);
      else
        CHECK_MESSAGE(used.contains(tensor.name), tensor.name);
    }
  }
};

/// Takes the mixture weights of each layer of a stack.
struct ComparedMixtures {
  Comparison& comparison;
  template <class Part, class S>
  void add(const std::string&, std::size_t layer, const std::uint32_t*, const aila::Pass& pass, const S* weights) {
    comparison.compare("weights." + std::to_string(layer), weights,
                       pass.samples * Part::Own::positions * Part::mixture_weights);
  }
};

/// The worst deviation; with a `seed` of weights one unit in the last place beside those of the file.
template <class Net, class Backend>
double check_on(const SafetensorsFile& file, double tolerance, std::uint64_t seed = 0) {
  using Batch = OneBatch<Net, Backend>;
  using Training = typename Batch::Training;
  using S = typename Backend::Scalar;
  using Kernel = typename Training::Kernel;
  const auto& table = aila::parameter_table<Net>();
  const Batch batch([&](S* parameters) {
    for (const ParameterInfo& p : table) {
      const std::string name = "w." + name_in_file(file, p.name);
      std::vector<double> values = file.as<double>(name);
      if (name.ends_with("bias_ih_l0")) {
        const auto second = file.as<double>(name.substr(0, name.size() - 5) + "hh_l0");
        for (std::size_t i = 0; i < values.size(); ++i) values[i] += second.at(i);
      }
      const auto& shape = file.at(name).shape;
      REQUIRE_MESSAGE(std::vector(p.extents.begin(), p.extents.begin() + static_cast<std::ptrdiff_t>(p.rank)) == shape,
                      name);
      std::vector<S> weights(values.size());
      std::transform(values.begin(), values.end(), weights.begin(), [](double v) { return S(v); });
      float_rounding::perturb(weights, seed, p.offset);
      std::copy(weights.begin(), weights.end(), parameters + p.offset);
    }
  });

  aila::Pass pass;
  pass.samples = file.at("x").shape.at(0);
  const std::vector<S> x = file.as<S>("x"), dy = file.as<S>("dy");
  REQUIRE(x.size() == pass.samples * Training::In::elements);
  REQUIRE(dy.size() == pass.samples * Training::Out::elements);
  Comparison comparison{file, tolerance};
  const auto compare = [&](const std::string& name, const std::vector<S>& ours) {
    comparison.compare(name, ours.data(), ours.size());
  };
  compare("y", batch.predict(pass, x));
  Training training(pass.samples);
  compare("y", batch.forward(training, pass, x));
  if constexpr (aila::mixes_of<Kernel>()) {
    Training inspecting(pass.samples, aila::Retain::all);
    batch.forward(inspecting, pass, x);
    typename aila::detail::PlanJoints<aila::KernelsOf<Backend>>::ForProgram weights;
    ComparedMixtures compared{comparison};
    inspecting.queue().run([&] {
      Kernel::template for_each_mixture<Capability::train>(Batch::there(inspecting, pass), batch.weights(),
                                                           inspecting.input(), inspecting.output(), inspecting.saved(),
                                                           "", weights, inspecting.scratch(), compared);
    });
  }
  const auto found = batch.backward(training, pass, dy);
  compare("dx", found.input);
  for (const ParameterInfo& p : table) {
    const std::string name = "dw." + name_in_file(file, p.name);
    comparison.compare(name, found.parameters.data() + p.offset, p.size);
    if (name.ends_with("bias_ih_l0"))
      comparison.compare(name.substr(0, name.size() - 5) + "hh_l0", found.parameters.data() + p.offset, p.size);
  }
  comparison.check_rest();
  return comparison.worst;
}

/// A backend in float to 1e-5, to 3e-4 through convolutions, or what its rounding allows, which is printed.
template <class Net, class Backend>
double check_in_float(const SafetensorsFile& file) {
  const float_rounding::Bound bound(
      file.find("w.cores.0.conv.weight") != nullptr ? 3e-4 : 1e-5,
      [&](std::uint64_t seed) { return check_on<Net, aila::backend::Reference<float>>(file, INFINITY, seed); });
  const double worst = check_on<Net, Backend>(file, bound.most);
  bound.print(file.name(), Backend::name, worst);
  return worst;
}

/// Both backends of the host: plain loops in double to 1e-10, the CPU's kernels in float.
template <class Net>
void check(const std::string& path) {
  const SafetensorsFile file = SafetensorsFile::read(path);
  const double exact = check_on<Net, aila::backend::Reference<double>>(file, 1e-10);
  check_in_float<Net, aila::backend::Cpu>(file);
  std::printf("%-36s worst: double %.1e\n", file.name().c_str(), exact);
}

}  // namespace figures
