// A network on any host backend, with numbers for weights, and what a forward and a backward give.
#pragma once

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/compose/walk.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/workspace.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

using CpuFloat = aila::backend::Cpu;
using aila::backend::CpuDouble;
using ReferenceFloat = aila::backend::Reference<float>;
using ReferenceDouble = aila::backend::Reference<double>;

/// What one batch gives.
template <class S>
struct Results {
  std::vector<S> predicted, y, dx;
  std::map<std::string, std::vector<S>> gradients;
};

/// Element e of a tensor is a number that depends on the tensor's name and e alone.
template <class S>
void name_tensors(const std::vector<aila::ParameterInfo>& table, S* parameters) {
  for (const auto& p : table) {
    const double phase = static_cast<double>(aila::hash_path(p.name) % 1000);
    const double scale = p.rank > 1 ? 1.5 / std::sqrt(static_cast<double>(p.size / p.extents[0])) : 1;
    for (std::size_t e = 0; e < p.size; ++e)
      parameters[p.offset + e] = static_cast<S>(scale * std::sin(1.7 * static_cast<double>(e) + phase));
  }
}
template <class S>
Results<S> results_of(const S* predicted, const S* y, std::size_t outputs, const S* dx, std::size_t inputs,
                      const std::vector<aila::ParameterInfo>& table, const S* gradients) {
  Results<S> results{{predicted, predicted + outputs}, {y, y + outputs}, {dx, dx + inputs}, {}};
  for (const auto& p : table) results.gradients[p.name] = {gradients + p.offset, gradients + p.offset + p.size};
  return results;
}

template <class Net, class Backend>
class OnBackend {
 public:
  using S = typename Backend::Scalar;
  using Training = aila::Workspace<Net, Backend, aila::Capability::train>;
  using In = typename Training::In;
  using Out = typename Training::Out;

  aila::Pass pass;

  explicit OnBackend(std::size_t samples) : parameters_(room), packed_(Training::Kernel::packed + margin) {
    pass.samples = samples;
    name_tensors(aila::parameter_table<Net>(), parameters_.data());
    Training::Kernel::pack(aila::Weights<S>(parameters_.data(), Training::layout.offset.data()), packed_.data());
  }

  /// x [samples, In...], dy [samples, Out...]. What the kernels do not write is NaN, in the outputs and in all other
  /// memory of a workspace; dx and gradients start at zero.
  Results<S> run(const std::vector<S>& x, const std::vector<S>& dy) {
    using Predicting = aila::Workspace<Net, Backend, aila::Capability::predict>;
    const std::size_t inputs = pass.samples * In::elements, outputs = pass.samples * Out::elements;
    constexpr S nan = std::numeric_limits<S>::quiet_NaN();
    Predicting predicting(pass.samples);
    std::ranges::fill(predicting.memory(), nan);
    predicting.forward(pass, parameters_.data(), packed_.data(), x.data());
    Training training(pass.samples);
    std::ranges::fill(training.memory(), nan);
    std::copy_n(x.data(), inputs, training.input());
    training.forward(pass, parameters_.data(), packed_.data(), training.input());
    for (const std::span<S> part : training.idle()) std::ranges::fill(part, nan);
    std::copy_n(dy.data(), outputs, training.output_gradient());
    aila::AlignedArray<S> gradients(room);
    training.backward(pass, parameters_.data(), packed_.data(), gradients.data(), true);
    return results_of<S>(predicting.output(), training.output(), outputs, training.input_gradient(), inputs,
                         aila::parameter_table<Net>(), gradients.data());
  }

 private:
  static constexpr std::size_t margin = 2 * aila::alignment_elements;
  static constexpr std::size_t room = Training::layout.size + margin;
  aila::AlignedArray<S> parameters_, packed_;
};

/// n numbers between -1.5 and 1.5, the same for float and double but for rounding.
template <class S>
std::vector<S> waves(std::size_t n, double phase = 0) {
  std::vector<S> x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(static_cast<S>(1.5 * std::sin(2.3 * static_cast<double>(i) + phase)));
  return x;
}

/// max|a - b| / max|b|; infinity where one is no number.
template <class A, class B>
double apart(const std::vector<A>& a, const std::vector<B>& b) {
  double worst = a.size() == b.size() ? 0 : INFINITY, largest = 1e-30;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const double off = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    worst = off <= worst ? worst : std::isfinite(off) ? off : INFINITY;
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return worst / largest;
}

/// The worst of all results.
template <class A, class B>
double apart(const Results<A>& a, const Results<B>& b) {
  double worst = std::max({apart(a.predicted, b.predicted), apart(a.y, b.y), apart(a.dx, b.dx)});
  for (const auto& [name, gradient] : b.gradients) worst = std::max(worst, apart(a.gradients.at(name), gradient));
  return worst;
}

/// How far the kernels of the CPU, in float and double, are from the plain loops in double, as multiples of 1e-5 and
/// 1e-10: at most 1.
template <class Net>
double cpu_error(std::size_t samples, const std::vector<std::int32_t>& lengths = {}) {
  using Exact = OnBackend<Net, ReferenceDouble>;
  const auto results = [&]<class Backend>(std::type_identity<Backend>) {
    using S = typename Backend::Scalar;
    OnBackend<Net, Backend> net(samples);
    if (!lengths.empty()) net.pass.lengths = lengths.data();
    return net.run(waves<S>(samples * Exact::In::elements), waves<S>(samples * Exact::Out::elements, 1));
  };
  const auto exact = results(std::type_identity<ReferenceDouble>{});
  return std::max(apart(results(std::type_identity<CpuFloat>{}), exact) / 1e-5,
                  apart(results(std::type_identity<CpuDouble>{}), exact) / 1e-10);
}
