// The kernel of one layer on any host backend, with the weights, lengths and gradients that a test wants.
#pragma once

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

/// A placed layer's kernel behind functions, so that the code of checks is compiled once for many layers. Of layers
/// that keep nothing for backward.
template <class S>
struct LayerFunctions {
  std::size_t inputs, outputs, packed, parameters;
  std::array<std::size_t, 3> tensor_size;
  const std::uint32_t* offsets;
  std::size_t (*scratch)(std::size_t, aila::Capability);
  void (*pack)(aila::Weights<S>, S*);
  void (*forward)(const aila::Pass&, aila::Weights<S>, const S*, const S*, S*, S*);
  void (*predict)(const aila::Pass&, aila::Weights<S>, const S*, const S*, S*, S*);
  void (*backward)(const aila::Pass&, aila::Weights<S>, const S*, const S*, const S*, const S*, S*, aila::Gradients<S>,
                   S*);

  template <class L, class In, class Backend>
  static LayerFunctions of() {
    using aila::Capability;
    using Part = aila::Placed<L, In>;
    using K = aila::KernelFor<Part, Backend>;
    static constexpr auto layout = aila::detail::make_layout<Part>();
    static_assert(std::is_same_v<typename K::template Saved<Capability::train>, aila::NothingSaved>);
    LayerFunctions f{In::elements, Part::Out::elements,
                     K::packed,    layout.size,
                     {},           layout.offset.data(),
                     K::scratch,   K::pack,
                     nullptr,      nullptr,
                     nullptr};
    for (std::size_t t = 0; t < Part::tensors; ++t) f.tensor_size[t] = Part::parameters[t].size();
    f.forward = [](const aila::Pass& pass, aila::Weights<S> w, const S* packed, const S* x, S* y, S* scratch) {
      aila::NothingSaved saved;
      K::template forward<Capability::train>(pass, w, packed, x, y, saved, scratch);
    };
    f.predict = [](const aila::Pass& pass, aila::Weights<S> w, const S* packed, const S* x, S* y, S* scratch) {
      aila::NothingSaved saved;
      K::template forward<Capability::predict>(pass, w, packed, x, y, saved, scratch);
    };
    f.backward = [](const aila::Pass& pass, aila::Weights<S> w, const S* packed, const S* x, const S* y, const S* dy,
                    S* dx, aila::Gradients<S> g, S* scratch) {
      aila::NothingSaved saved;
      K::template backward<Capability::train>(pass, w, packed, x, y, dy, dx, g, saved, scratch);
    };
    return f;
  }
};

/// Whatever a kernel should not read is no number.
template <class S>
class OneLayer {
 public:
  using Values = std::vector<S>;
  static constexpr S nan = std::numeric_limits<S>::quiet_NaN();

  std::vector<std::int32_t> lengths;  ///< none: all steps are valid
  S before = S(0);                    ///< what gradients hold before a backward

  explicit OneLayer(const LayerFunctions<S>& layer, std::size_t samples = 1)
      : layer_(layer),
        samples_(samples),
        parameters_(layer.parameters + margin),
        gradients_(layer.parameters + margin),
        packed_(layer.packed + margin) {
    for (std::size_t t = 0; t < layer_.tensor_size.size(); ++t) {
      Values wave(layer_.tensor_size[t]);
      for (std::size_t e = 0; e < wave.size(); ++e)
        wave[e] = static_cast<S>(static_cast<float>(
            0.5 * std::sin(1.7 * static_cast<double>(e) + 0.9 * static_cast<double>(t) + 0.3)));  // the same in double
      set(t, wave);
    }
  }
  void set(std::size_t tensor, const Values& values) {
    if (!values.empty()) std::copy(values.begin(), values.end(), parameters_.data() + layer_.offsets[tensor]);
  }
  aila::Weights<S> weights() const { return {parameters_.data(), layer_.offsets}; }
  std::size_t inputs() const { return samples_ * layer_.inputs; }
  std::size_t outputs() const { return samples_ * layer_.outputs; }

  /// y for x [samples, In...], as training computes it.
  Values forward(const Values& x) {
    x_ = padded(x, x.size());
    y_ = padded({}, outputs());
    auto scratch = scratch_of(aila::Capability::train);
    layer_.pack(weights(), packed_.data());
    layer_.forward(pass(), weights(), packed_.data(), x.data(), y_.data(), scratch.data());
    return {y_.data(), y_.data() + outputs()};
  }
  /// The same as prediction computes it.
  Values predict(const Values& x) {
    Values y(outputs() + margin, nan);
    auto scratch = scratch_of(aila::Capability::predict);
    layer_.pack(weights(), packed_.data());
    layer_.predict(pass(), weights(), packed_.data(), x.data(), y.data(), scratch.data());
    y.resize(outputs());
    return y;
  }
  /// The gradient of x, after forward; `gradient` tells those of the parameters.
  Values backward(const Values& dy, bool wants_dx = true, bool wants_parameters = true) {
    const auto d = padded(dy, dy.size());
    Values dx(inputs() + margin, before);
    std::fill_n(gradients_.data(), layer_.parameters, before);
    auto scratch = scratch_of(aila::Capability::train);
    layer_.backward(pass(), weights(), packed_.data(), x_.data(), y_.data(), d.data(), wants_dx ? dx.data() : nullptr,
                    {wants_parameters ? gradients_.data() : nullptr, layer_.offsets}, scratch.data());
    dx.resize(inputs());
    return dx;
  }
  Values gradient(std::size_t tensor) const {
    const S* g = gradients_.data() + layer_.offsets[tensor];
    return {g, g + layer_.tensor_size[tensor]};
  }
  std::size_t tensors() const {
    return static_cast<std::size_t>(
        std::count_if(layer_.tensor_size.begin(), layer_.tensor_size.end(), [](std::size_t n) { return n > 0; }));
  }

 private:
  static constexpr std::size_t margin = 2 * aila::alignment_elements;

  aila::Pass pass() const {
    aila::Pass p;
    p.samples = samples_;
    p.lengths = lengths.empty() ? nullptr : lengths.data();
    return p;
  }
  static aila::AlignedArray<S> padded(const Values& values, std::size_t size) {
    aila::AlignedArray<S> a(size + margin);
    std::fill_n(a.data(), size + margin, nan);
    std::copy(values.begin(), values.end(), a.data());
    return a;
  }
  aila::AlignedArray<S> scratch_of(aila::Capability c) const { return padded({}, layer_.scratch(samples_, c)); }

  LayerFunctions<S> layer_;
  std::size_t samples_;
  aila::AlignedArray<S> parameters_, gradients_, packed_, x_, y_;
};

/// n numbers between -1 and 1, all different.
template <class S>
std::vector<S> wave(std::size_t n, double phase = 0) {
  std::vector<S> x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(static_cast<S>(std::sin(1.3 * static_cast<double>(i) + phase)));
  return x;
}

/// max|a - b| / max|b|; infinite where a number is none or the sizes differ.
template <class A, class B>
double difference(const std::vector<A>& a, const std::vector<B>& b) {
  if (a.size() != b.size()) return INFINITY;
  double worst = 0, scale = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!std::isfinite(d)) return INFINITY;
    worst = std::max(worst, d);
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
  }
  return worst / (scale < 1e-12 ? 1 : scale);
}

/// A few units in the last place of sums of some dozens of numbers.
template <class S>
constexpr double rounding = sizeof(S) == sizeof(double) ? 2e-14 : 3e-6;

/// That the Cpu's kernel in S agrees with the Reference's in double on so many samples: y, dx and all parameters'
/// gradients, whatever else is asked for; and that a sample gives the same bits alone and beside others.
template <class S>
std::string disagreement(const LayerFunctions<double>& plain_layer, const LayerFunctions<S>& cpu_layer,
                         const std::vector<std::size_t>& counts, double tolerance) {
  const auto in_double = [](const std::vector<S>& v) { return std::vector<double>(v.begin(), v.end()); };
  for (const std::size_t samples : counts) {
    const std::string where = std::string(" of ") + std::to_string(samples) + (sizeof(S) == 4 ? " in float" : "");
    OneLayer<double> plain(plain_layer, samples);
    OneLayer<S> cpu(cpu_layer, samples), alone(cpu_layer);
    plain.before = 0.25;
    cpu.before = S(0.25);
    const auto x = wave<S>(cpu.inputs()), dy = wave<S>(cpu.outputs(), 1);
    const auto y = cpu.forward(x);
    if (!(difference(y, plain.forward(in_double(x))) < tolerance)) return "y" + where;
    if (cpu.predict(x) != y) return "the prediction" + where;
    for (std::size_t n = 0; n < samples; ++n) {
      const auto from = x.begin() + static_cast<std::ptrdiff_t>(n * alone.inputs());
      const auto one = alone.forward({from, from + static_cast<std::ptrdiff_t>(alone.inputs())});
      if (!std::equal(one.begin(), one.end(), y.begin() + static_cast<std::ptrdiff_t>(n * alone.outputs())))
        return "one sample beside the others" + where;
    }
    const auto dx = cpu.backward(dy);
    if (!(difference(dx, plain.backward(in_double(dy))) < tolerance)) return "dx" + where;
    for (std::size_t t = 0; t < cpu.tensors(); ++t)
      if (!(difference(cpu.gradient(t), plain.gradient(t)) < 4 * tolerance))
        return "the gradient of tensor " + std::to_string(t) + where;
    const auto before = cpu.tensors() > 0 ? cpu.gradient(0) : std::vector<S>{};
    if (cpu.backward(dy, true, false) != dx) return "dx alone" + where;
    cpu.backward(dy, false, true);
    if (cpu.tensors() > 0 && cpu.gradient(0) != before) return "the gradient of the parameters alone" + where;
  }
  return "";
}
/// Nothing, or what is wrong with the Cpu's kernel in float and double; `slack` is for long sums.
template <class L, class In>
std::string disagreement(const std::vector<std::size_t>& counts = {1, 3, 11}, double slack = 1) {
  using aila::backend::CpuOn, aila::simd::DefaultArch;
  const auto plain = LayerFunctions<double>::of<L, In, aila::backend::Reference<double>>();
  return disagreement(plain, LayerFunctions<float>::of<L, In, CpuOn<DefaultArch, float>>(), counts,
                      slack * rounding<float>) +
         disagreement(plain, LayerFunctions<double>::of<L, In, CpuOn<DefaultArch, double>>(), counts,
                      slack * rounding<double>);
}
