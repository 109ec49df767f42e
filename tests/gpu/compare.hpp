// A network on the device beside the same in double on the host: outputs and all gradients.
//
// AILA_TEST_SEED=N in the environment draws other inputs; the numbers that a failure names are those of its seed. Each
// case prints how much of what is allowed its worst tensor takes: ./gpu_recurrent | sort -rn | head
#pragma once

#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/cuda.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "../float_rounding.hpp"

namespace gpu {

/// Whether this machine has a device. Tests say that they were skipped where it has none.
inline bool is_there() {
  int count = 0;
  const bool found = cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
  if (!found) std::puts("skipped: no GPU was found");
  return found;
}

/// What the library says where f() throws.
template <class F>
std::string said(F&& f) {
  try {
    f();
  } catch (const aila::Error& e) {
    return e.what();
  }
  return "nothing";
}

/// What a forward and a backward gave.
struct Results {
  std::vector<double> outputs, input_gradient, gradient;
  std::vector<std::vector<double>> rows;  ///< gradients of tables, summed by row
};

struct Case {
  std::size_t samples = 3;
  std::vector<std::int32_t> lengths{};  ///< none: all steps
  bool training = false;
  std::size_t rows = 40;  ///< of tables
  double scale = 1;       ///< of inputs
};

template <class Net, class Backend>
Results results(const aila::Model<Net, Backend>& model, const Case& of, std::uint64_t seed) {
  using namespace aila;
  using Workspace = aila::Workspace<Net, Backend, Capability::train>;
  using Scalar = typename Workspace::Scalar;
  using In = typename Workspace::In;
  using Out = typename Workspace::Out;
  Workspace workspace(of.samples);
  auto& queue = workspace.queue();
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  const auto number = [&] { return static_cast<Scalar>(normal(engine)); };
  for (std::size_t i = 0; i < of.samples * In::elements; ++i) {
    if constexpr (In::is_tokens)
      workspace.host_input()[i] = static_cast<std::int32_t>(engine() % of.rows);
    else
      workspace.host_input()[i] = static_cast<Scalar>(of.scale) * number();
  }
  std::vector<Scalar> dy(of.samples * Out::elements);
  for (Scalar& d : dy) d = number();
  queue.run([&] { workspace.send_input(of.samples); });
  queue.to_device(dy.data(), dy.size(), workspace.output_gradient());

  Pass pass;
  pass.samples = of.samples;
  pass.training = of.training;
  pass.collects = of.training;
  pass.seed = Seed{7};
  pass.step = 5;
  pass.lengths = workspace.take_lengths(of.lengths.empty() ? nullptr : of.lengths.data(), of.samples);
  const auto refs = model.table_refs();
  pass.tables = refs.data();
  workspace.forward(pass, model.kernel_parameters(), model.packed(), workspace.input());
  Results r;
  const Scalar* const y = workspace.host_output(of.samples);
  r.outputs.assign(y, y + of.samples * Out::elements);

  constexpr const auto& layout = Model<Net, Backend>::layout;
  ArrayOn<Scalar, Backend> gradient(layout.size + 2 * alignment_elements);
  constexpr std::size_t tables = Model<Net, Backend>::tables;
  std::vector<ArrayOn<std::int32_t, Backend>> rows;
  std::vector<ArrayOn<Scalar, Backend>> values;
  std::vector<RowGradients> row_gradients(tables + 1);
  if constexpr (tables > 0)
    for (std::size_t t = 0; t < tables; ++t) {
      const std::size_t most = of.samples * network_tables<Net>()[t].steps;
      rows.emplace_back(most);
      values.emplace_back(most * model.all_tables()[t].stride());
      row_gradients[t] = {rows[t].data(), values[t].data(), 0};
    }
  pass.row_gradients = row_gradients.data();
  workspace.backward(pass, model.kernel_parameters(), model.packed(), gradient.data(), !In::is_tokens);
  std::vector<Scalar> copy(layout.size);
  queue.to_host(gradient.data(), layout.size, copy.data());
  r.gradient.assign(copy.begin(), copy.end());
  if constexpr (!In::is_tokens) {
    copy.resize(of.samples * In::elements);
    queue.to_host(workspace.input_gradient(), copy.size(), copy.data());
    r.input_gradient.assign(copy.begin(), copy.end());
  }
  if constexpr (tables > 0)
    for (std::size_t t = 0; t < tables; ++t) {
      const auto& table = model.all_tables()[t];
      const std::size_t taken = row_gradients[t].count, stride = table.stride();
      std::vector<std::int32_t> row(taken);
      std::vector<Scalar> value(taken * stride);
      queue.to_host(rows[t].data(), taken, row.data());
      queue.to_host(values[t].data(), taken * stride, value.data());
      r.rows.emplace_back(table.rows() * table.width());
      for (std::size_t i = 0; i < taken; ++i)
        for (std::size_t f = 0; row[i] >= 0 && f < table.width(); ++f)
          r.rows[t][static_cast<std::size_t>(row[i]) * table.width() + f] += value[i * stride + f];
    }
  return r;
}

/// |a - b| / |b|, 0 where both are nothing; of numbers that are none on either side, infinity.
inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  if (!(difference == difference)) return INFINITY;
  return difference == 0 ? 0 : std::sqrt(difference / norm);
}

/// Where the host stands for a device, all but small batches take long: they are made smaller until a forward has no
/// more than so many operations. The plain loops are the measure there, which compile sooner than the CPU's kernels.
#ifdef AILA_TEST_MOST_FLOPS
using Measure = aila::backend::Reference<float>;
inline constexpr std::size_t most_flops = AILA_TEST_MOST_FLOPS;
inline constexpr double leeway = 3;              // the plain loops have other errors than the CPU's kernels
inline constexpr int rounds = 2;                 ///< of threads that predict at once
inline constexpr std::uint64_t usual_seed = 18;  // of no input a ReLU's is so near to 0 that rounding tells its sign
#else
using Measure = aila::backend::Cpu;
inline constexpr std::size_t most_flops = static_cast<std::size_t>(-1);
inline constexpr double leeway = 1;
inline constexpr int rounds = 20;
inline constexpr std::uint64_t usual_seed = 17;
#endif

/// The seed of inputs: the environment's, or that of the test.
inline std::uint64_t input_seed(std::uint64_t usual = usual_seed) {
  const char* const given = std::getenv("AILA_TEST_SEED");
  return given == nullptr ? usual : std::strtoull(given, nullptr, 10);
}

/// Where LayerNorm of a few features amplifies rounding one run of the measure says little. Where the device is further
/// than that allows, the worst of so many is taken, on weights one unit in the last place apart, and the case says so.
/// 1: one run has to do. Inputs of another seed may come so near to 0 at a ReLU that rounding tells its sign; distances
/// are tenths then, and another seed will do.
inline constexpr std::uint64_t draws = 8;

/// What is asked of the device: a relative distance of at most 1e-5 from double, or three times that of the CPU's
/// kernels in float, where a case is hard.
inline double allowed(double of_measure) {
  return std::max(1e-5, 3 * of_measure);
}

/// Checks a network on the device against the plain loops in double, and that a second run gives the same bits.
template <class Net>
void compare(const std::string& name, const Case& of = {}) {
  using namespace aila;
  using Exact = backend::Reference<double>;
  constexpr std::size_t tables = Model<Net, backend::Cuda>::tables;
  Model<Net, backend::Cuda> device(Seed{3});
  Model<Net, Exact> exact(Seed{3});
  Model<Net, Measure> measure(Seed{3});
  if constexpr (tables > 0)
    for (std::size_t t = 0; t < tables; ++t) {
      device.all_tables()[t].initialise(of.rows, Seed{3});
      const auto& table = device.all_tables()[t];
      std::vector<double> rows;
      for (std::size_t r = 0; r < table.rows(); ++r) rows.insert(rows.end(), table.row(r).begin(), table.row(r).end());
      exact.all_tables()[t].assign(rows);
      measure.all_tables()[t].take(table);
    }
  device.edit([&](std::span<float> p) {  // away from the first values, which may be zeros
    std::mt19937_64 engine(11);
    std::normal_distribution<float> normal;
    for (const ParameterInfo& info : parameter_table<Net>())
      for (std::size_t i = 0; i < info.size; ++i) {
        float& value = p[info.offset + i];
        value += info.kind == ParameterKind::buffer ? 0.1F * std::abs(normal(engine)) : 0.1F * normal(engine);
      }
  });
  const std::vector<double> parameters(device.parameters().begin(), device.parameters().end());
  exact.assign(parameters);
  const std::uint64_t seed = input_seed();
  const Results b = results(exact, of, seed), a = results(device, of, seed), again = results(device, of, seed);
  std::vector<Results> in_float;
  const auto measure_again = [&] {
    std::vector<float> weights(device.parameters().begin(), device.parameters().end());
    for (const ParameterInfo& info : parameter_table<Net>()) {
      if (info.kind == ParameterKind::buffer) continue;
      const auto at = weights.begin() + static_cast<std::ptrdiff_t>(info.offset);
      std::vector<float> tensor(at, at + static_cast<std::ptrdiff_t>(info.size));
      float_rounding::perturb(tensor, in_float.size(), info.offset);  // the first run has the weights as they are
      std::ranges::copy(tensor, at);
    }
    measure.assign(weights);
    in_float.push_back(results(measure, of, seed));
  };
  measure_again();
  const std::string where = name + ", " + std::to_string(of.samples) + " samples" +
                            (of.lengths.empty() ? "" : ", lengths") + (of.training ? ", training" : "");
  INFO(where, ", inputs of seed ", seed);
  struct {
    double share = 0, by_one_run = 0, distance = 0, usual = 0;
    std::string what;
  } worst;
  const auto check = [&](const std::string& what, const auto& part) {
    INFO(what);
    const std::vector<double> found = part(a), expected = part(b);
    const double d = distance(found, expected);
    const auto usual_of = [&](const Results& c) { return distance(part(c), expected); };
    const auto share_of = [&](double usual) { return std::isfinite(usual) ? d / allowed(usual) : INFINITY; };
    const double by_one_run = share_of(usual_of(in_float[0]));
    if (!(by_one_run <= 1))
      while (in_float.size() < draws) measure_again();
    double usual = 0;
    for (const Results& c : in_float) usual = std::max(usual, usual_of(c));
    const double share = share_of(usual);
    if (worst.what.empty() || !(share <= worst.share)) worst = {share, worst.by_one_run, d, usual, what};
    worst.by_one_run = std::max(worst.by_one_run, by_one_run);
    CHECK(share <= leeway);
    if (!(share <= leeway)) {
      std::printf("%s, inputs of seed %llu: %s: relative distance %.3g, on the host %.3g\n", where.c_str(),
                  static_cast<unsigned long long>(seed), what.c_str(), d, usual);
      for (std::size_t i = 0, shown = 0; i < found.size() && shown < 4; ++i)
        if (!(std::abs(found[i] - expected[i]) <= 1e-4 * std::abs(expected[i]) + 1e-6)) {
          std::printf("  number %zu of %zu: expected %.7g, found %.7g\n", i, found.size(), expected[i], found[i]);
          ++shown;
        }
    }
    CHECK(distance(part(again), found) == 0);
  };
  check("outputs", [](const Results& r) { return r.outputs; });
  check("gradient of the input", [](const Results& r) { return r.input_gradient; });
  for (const ParameterInfo& info : parameter_table<Net>())
    check(info.name, [&](const Results& r) {
      const auto at = r.gradient.begin() + static_cast<std::ptrdiff_t>(info.offset);
      return std::vector<double>(at, at + static_cast<std::ptrdiff_t>(info.size));
    });
  for (std::size_t t = 0; t < tables; ++t) check("rows of a table", [&](const Results& r) { return r.rows[t]; });
  std::printf("%.3f of what is allowed", worst.share);
  if (worst.by_one_run > 1) std::printf(" (HARD: %.3f by one run)", worst.by_one_run);
  std::printf(": %s: %s %.2g, on the host %.2g\n", where.c_str(), worst.what.c_str(), worst.distance, worst.usual);
}

/// Some sizes of batch, with lengths where the input has steps.
template <class Net>
void compare_all(const std::string& name, std::initializer_list<std::size_t> samples = {1, 5, 67},
                 bool training = false) {
  using In = aila::NetworkInput<Net>;
  std::size_t before = 0;
  for (const std::size_t asked : samples) {
    const std::size_t n =
        std::min(asked, std::max<std::size_t>(most_flops / std::max<std::size_t>(aila::flops<Net>, 1), 1));
    if (n == std::exchange(before, n)) continue;
    Case of{.samples = n, .training = training};
    compare<Net>(name, of);
    if constexpr (In::is_tokens || In::rank == 2) {
      for (std::size_t i = 0; i < n; ++i) of.lengths.push_back(static_cast<std::int32_t>(1 + i * 7 % In::extents[0]));
      compare<Net>(name, of);
    }
  }
}

}  // namespace gpu
