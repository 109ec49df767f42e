// Runs a network of the zoo on the numbers of figures/make_zoo.py, and compares output and all gradients with what
// PyTorch gave: of every tensor's gradient the largest, the sum, the sum of magnitudes and a sum with random factors.
#pragma once

#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/compose/walk.hpp>
#include <aila/core/math.hpp>
#include <aila/io/safetensors.hpp>
#include <aila/network/workspace.hpp>
#include <aila/zoo/zoo.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "../one_batch.hpp"
#include "../source_dir.hpp"

namespace zoo_check {

using namespace aila;
using io::SafetensorsFile;

/// Element i of a stream of numbers in [-1/2, 1/2): the same bits as in make_zoo.py.
inline double number(std::uint32_t stream, std::size_t i) {
  std::uint32_t h = static_cast<std::uint32_t>(i) * 0x9E3779B1U + stream * 0x85EBCA77U;
  h = (h ^ h >> 15) * 0x2C1B3C6DU;
  h = (h ^ h >> 12) * 0x297A2D39U;
  return (h ^ h >> 15) / 4294967296.0 - 0.5;
}
constexpr std::uint32_t x_stream = 100001, dy_stream = 100002, sum_stream = 100003;

template <class S>
void fill(std::uint32_t stream, std::size_t count, S* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<S>(2 * number(stream, i));
}

/// Values of tensor number t.
template <class S>
void fill_tensor(const ParameterInfo& p, std::uint32_t t, S* to) {
  const bool about_one = p.name.ends_with(".running_var") || (p.rank == 1 && p.name.ends_with(".weight"));
  const double fan_in = static_cast<double>(p.size / p.extents[0]);
  for (std::size_t i = 0; i < p.size; ++i)
    to[i] =
        static_cast<S>(p.rank > 1 ? number(t, i) * 2 * std::sqrt(3 / fan_in) : number(t, i) / 2 + (about_one ? 1 : 0));
}

/// Largest, sum, sum of magnitudes, sum with random factors.
template <class S>
std::array<double, 4> measures(const S* g, std::size_t count) {
  std::array<double, 4> m{};
  for (std::size_t i = 0; i < count; ++i) {
    const auto v = static_cast<double>(g[i]);
    m[0] = std::isfinite(v) ? std::max(m[0], std::abs(v)) : INFINITY;
    m[1] += v;
    m[2] += std::abs(v);
    m[3] += v * 2 * number(sum_stream, i);
  }
  return m;
}

/// The worst of the four differences: of the largest in units of it, of sums in units of the sum of magnitudes;
/// absolutely where all is zero.
inline double difference(const std::array<double, 4>& ours, const double* figure) {
  const double largest = figure[0] < 1e-12 ? 1 : figure[0], sum = figure[0] < 1e-12 ? 1 : figure[2];
  return std::max({std::abs(ours[0] - figure[0]) / largest, std::abs(ours[1] - figure[1]) / sum,
                   std::abs(ours[2] - figure[2]) / sum, std::abs(ours[3] - figure[3]) / sum});
}
/// max|ours - figure| / max|figure|
template <class S>
double difference(const S* ours, const std::vector<double>& figure) {
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < figure.size(); ++i) {
    const double off = std::abs(static_cast<double>(ours[i]) - figure[i]);
    worst = std::isfinite(off) ? std::max(worst, off) : INFINITY;
    largest = std::max(largest, std::abs(figure[i]));
  }
  return worst / largest;
}

inline bool has(const SafetensorsFile& file, const char* name) {
  return file.find(name) != nullptr;
}

/// The worst difference on one backend.
template <class Net, class Backend>
double check_on(const SafetensorsFile& file, double tolerance) {
  INFO(file.name(), " on ", std::string(Backend::name));
  using S = typename Backend::Scalar;
  using Batch = OneBatch<Net, Backend>;
  using Training = typename Batch::Training;
  const auto& table = parameter_table<Net>();
  const std::vector<double> sizes = file.as<double>("sizes"), rows = file.as<double>("gradients");
  REQUIRE(sizes.size() == table.size());
  const Batch batch([&](S* parameters) {
    for (std::size_t t = 0; t < table.size(); ++t) {
      REQUIRE_MESSAGE(static_cast<double>(table[t].size) == sizes[t], table[t].name);
      fill_tensor(table[t], static_cast<std::uint32_t>(t), parameters + table[t].offset);
    }
  });

  Pass pass;
  pass.samples = file.at("y").shape.at(0);
  std::vector<std::int32_t> lengths;
  if (has(file, "lengths")) {
    for (const double n : file.as<double>("lengths")) lengths.push_back(static_cast<std::int32_t>(n));
    pass.lengths = lengths.data();
  }
  double worst = 0;
  const auto compare = [&](const std::string& name, double off) {
    worst = std::max(worst, off);
    CHECK_MESSAGE(off <= tolerance, name);
  };
  std::vector<S> x(pass.samples * Training::In::elements), dy(pass.samples * Training::Out::elements);
  REQUIRE(file.at("y").shape.back() * pass.samples == dy.size());
  fill(x_stream, x.size(), x.data());
  fill(dy_stream, dy.size(), dy.data());

  compare("y, predicting", difference(batch.predict(pass, x).data(), file.as<double>("y")));
  Training training(pass.samples);
  compare("y", difference(batch.forward(training, pass, x).data(), file.as<double>("y")));
  if (has(file, "y_training")) {
    pass.training = pass.collects = true;
    compare("y_training", difference(batch.forward(training, pass, x).data(), file.as<double>("y_training")));
  }
  const auto found = batch.backward(training, pass, dy);
  compare("dx", difference(measures(found.input.data(), x.size()), file.as<double>("dx").data()));
  for (std::size_t t = 0; t < table.size(); ++t)
    compare(table[t].name,
            difference(measures(found.parameters.data() + table[t].offset, table[t].size), rows.data() + 4 * t));
  return worst;
}

inline SafetensorsFile read(const char* name) {
  return SafetensorsFile::read(std::string(AILA_SOURCE_DIR "/tests/zoo/figures/") + name + ".safetensors");
}
/// What float may be away.
inline constexpr double in_float = 3e-4;

/// Plain loops and the CPU's kernels in double to 1e-10, the CPU's in float to 3e-4.
template <class Net>
void check(const char* name) {
  using backend::CpuOn, simd::DefaultArch;
  const auto file = read(name);
  const double exact = check_on<Net, backend::Reference<double>>(file, 1e-10);
  const double precise = check_on<Net, CpuOn<DefaultArch, double>>(file, 1e-10);
  const double fast = check_on<Net, CpuOn<DefaultArch, float>>(file, in_float);
  MESSAGE(std::string(name), ": worst ", exact, " in plain loops, ", precise, " on the CPU, ", fast, " there in float");
}

}  // namespace zoo_check
