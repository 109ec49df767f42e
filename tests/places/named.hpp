// Models of different networks with the same weights, tensor by tensor of one name, and what they give.
#pragma once

#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace aila {

/// Gives every tensor of `to` the numbers of the tensor of `from` that `name_in` names (empty: it keeps its own).
template <class ToNet, class FromNet, class Backend>
void take_weights(Model<ToNet, Backend>& to, const Model<FromNet, Backend>& from,
                  const std::function<std::string(const std::string&)>& name_in) {
  using S = typename Backend::Scalar;
  to.edit([&](std::span<S> parameters) {
    for (const ParameterInfo& p : parameter_table<ToNet>()) {
      const std::string name = name_in(p.name);
      if (name.empty()) continue;
      const auto values = from.parameter(name);
      REQUIRE(values.size() == p.size);
      std::copy(values.begin(), values.end(), parameters.begin() + static_cast<std::ptrdiff_t>(p.offset));
    }
  });
}
template <class Net, class Backend>
void set_weights(Model<Net, Backend>& model, const std::string& ending, const std::vector<double>& values) {
  using S = typename Backend::Scalar;
  std::size_t found = 0;
  model.edit([&](std::span<S> parameters) {
    for (const ParameterInfo& p : parameter_table<Net>()) {
      if (!p.name.ends_with(ending)) continue;
      ++found;
      for (std::size_t i = 0; i < p.size; ++i) parameters[p.offset + i] = static_cast<S>(values[i % values.size()]);
    }
  });
  REQUIRE(found > 0);
}

/// All numbers from the first on, other than zero and all different.
template <class S>
std::vector<S> inputs(std::size_t count) {
  std::vector<S> x;
  for (std::size_t i = 0; i < count; ++i)
    x.push_back(static_cast<S>(1.3 * std::sin(0.37 + 0.71 * static_cast<double>(i))));
  return x;
}
template <class Net, class Backend>
std::vector<typename Backend::Scalar> outputs(const Model<Net, Backend>& model) {
  Predictor predict{model};
  const auto y = predict(inputs<typename Backend::Scalar>(NetworkInput<Net>::elements));
  return {y.begin(), y.end()};
}

/// max|a - b| / max|b|
template <class S>
double apart(const std::vector<S>& a, const std::vector<S>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a[i] - b[i])));
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  REQUIRE(largest > 1e-3);
  return worst / largest;
}

}  // namespace aila
