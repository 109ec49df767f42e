// A network on the reference backend, with the weights, passes and gradients that a test wants.
#pragma once

#include <aila/backend/reference.hpp>
#include <aila/compose/walk.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/workspace.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

template <class Net, class Scalar>
class Run {
 public:
  using Values = std::vector<Scalar>;
  using Space = aila::Workspace<Net, aila::backend::Reference<Scalar>, aila::Capability::train>;

  aila::Pass pass;

  explicit Run(std::size_t samples = 1) : space_(samples), parameters_(room), gradients_(room) {
    pass.samples = samples;
  }

  void set(std::string_view name, const Values& values) {
    const auto& info = find(name);
    if (values.size() != info.size) throw std::invalid_argument("a tensor of another size");
    std::copy(values.begin(), values.end(), parameters_.data() + info.offset);
  }
  /// Small numbers, different in every element of every tensor.
  void set_all() {
    std::size_t t = 0;
    for (const auto& info : aila::parameter_table<Net>()) {
      for (std::size_t e = 0; e < info.size; ++e)
        parameters_.data()[info.offset + e] =
            Scalar(0.5 * std::sin(1.7 * static_cast<double>(e) + 0.9 * static_cast<double>(t) + 0.3));
      ++t;
    }
  }

  /// The outputs for x [samples, In...]; whatever the kernels do not write is NaN.
  Values forward(const Values& x) {
    if (x.size() != pass.samples * Space::In::elements) throw std::invalid_argument("an input of another size");
    std::copy(x.begin(), x.end(), space_.input());
    const std::size_t outputs = pass.samples * Space::Out::elements;
    std::fill_n(space_.output(), outputs, std::numeric_limits<Scalar>::quiet_NaN());
    space_.forward(pass, parameters_.data(), nullptr, space_.input());
    return {space_.output(), space_.output() + outputs};
  }
  /// The gradient of the input, after forward; `gradient` tells those of the parameters.
  Values backward(const Values& dy) {
    std::copy(dy.begin(), dy.end(), space_.output_gradient());
    std::fill_n(gradients_.data(), room, Scalar(0));
    space_.backward(pass, parameters_.data(), nullptr, gradients_.data(), true);
    return {space_.input_gradient(), space_.input_gradient() + pass.samples * Space::In::elements};
  }
  Values gradient(std::string_view name) const {
    const auto& info = find(name);
    return {gradients_.data() + info.offset, gradients_.data() + info.offset + info.size};
  }
  std::span<const Scalar> all_gradients() const { return {gradients_.data(), Space::layout.size}; }

 private:
  static constexpr std::size_t room = Space::layout.size + 2 * aila::alignment_elements;

  static const aila::ParameterInfo& find(std::string_view name) {
    for (const auto& info : aila::parameter_table<Net>())
      if (info.name == name) return info;
    throw std::invalid_argument("no tensor of this name");
  }

  Space space_;
  aila::AlignedArray<Scalar> parameters_, gradients_;
};

/// n numbers between -1.5 and 1.5.
template <class Scalar>
std::vector<Scalar> numbers(std::size_t n, double phase = 0) {
  std::vector<Scalar> x;
  for (std::size_t i = 0; i < n; ++i)
    x.push_back(static_cast<Scalar>(1.5 * std::sin(2.3 * static_cast<double>(i) + phase)));
  return x;
}

/// A few units in the last place of numbers around 1.
template <class Scalar>
constexpr double precision = sizeof(Scalar) == sizeof(double) ? 1e-14 : 5e-6;
