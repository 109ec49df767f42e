// Checks that steps behind a sample's length change nothing: a padded sample gives the bits that it gives by itself.
#pragma once

#include <doctest/doctest.h>

#include "on_backend.hpp"

namespace padding {

using namespace aila;

constexpr std::size_t most = 12;

/// From a sample of `length` steps one of `most`, with `behind` in the rest.
template <class S>
std::vector<S> padded(const std::vector<S>& x, std::size_t width, double behind) {
  std::vector<S> y(most * width, static_cast<S>(behind));
  std::copy(x.begin(), x.end(), y.begin());
  return y;
}

/// Whether b begins with a, in bits, and goes on with zeros.
template <class S>
bool goes_on_with_zeros(const std::vector<S>& b, const std::vector<S>& a) {
  return b.size() >= a.size() && std::equal(a.begin(), a.end(), b.begin()) &&
         std::all_of(b.begin() + static_cast<std::ptrdiff_t>(a.size()), b.end(), [](S v) { return v == 0; });
}

/// A network on a backend behind one type: what is checked of many is compiled once for a scalar.
template <class S>
struct Runner {
  std::string backend;
  std::size_t inputs, in_features, outputs, out_features;
  bool gives_vector, gives_all_steps;
  Results<S> (*run)(const Pass&, const std::vector<S>& x, const std::vector<S>& dy);
};
template <class Net, class Backend>
Runner<typename Backend::Scalar> runner() {
  using S = typename Backend::Scalar;
  using Run = OnBackend<Net, Backend>;
  using In = typename Run::In;
  using Out = typename Run::Out;
  return {Backend::name,
          In::elements,
          In::features,
          Out::elements,
          Out::features,
          Out::rank == 1,
          Out::rank == 2 && Out::positions == most,
          [](const Pass& pass, const std::vector<S>& x, const std::vector<S>& dy) {
            Run net(pass.samples);
            net.pass = pass;
            return net.run(x, dy);
          }};
}
inline Pass pass_of(std::size_t samples, const std::int32_t* lengths = nullptr) {
  Pass pass;
  pass.samples = samples;
  pass.lengths = lengths;
  return pass;
}

/// A network of `most` steps over samples of `length` steps against the same of `length`. The output is one of steps,
/// or a vector.
template <class S>
void check_length(std::int32_t length, const Runner<S>& long_one, const Runner<S>& alone) {
  INFO("length ", length, " on ", alone.backend);
  const auto x = waves<S>(alone.inputs), dy = waves<S>(alone.outputs, 1);
  const auto expected = alone.run(pass_of(1), x, dy);
  for (const double behind : {0.25, 1e38, double(INFINITY), double(NAN)}) {
    const auto found = long_one.run(pass_of(1, &length), padded(x, alone.in_features, behind),
                                    alone.gives_vector ? dy : padded(dy, alone.out_features, behind));
    for (const auto* y : {&found.predicted, &found.y}) CHECK(goes_on_with_zeros(*y, expected.y));
    CHECK(goes_on_with_zeros(found.dx, expected.dx));
    for (const auto& [name, gradient] : found.gradients) {
      INFO(name);
      CHECK(goes_on_with_zeros(gradient, expected.gradients.at(name)));
    }
  }
}

/// Samples of 4 steps of 12.
template <template <std::size_t> class Net, class... Backends>
void check() {
  (check_length(4, runner<Net<most>, Backends>(), runner<Net<4>, Backends>()), ...);
}

/// Samples side by side give what each gives by itself; gradients are summed.
template <class S>
void check_batch_of(const Runner<S>& net) {
  INFO("on ", net.backend);
  const std::vector<std::int32_t> lengths{4, most, 1, 0, 7, 3};
  const auto x = waves<S>(lengths.size() * net.inputs), dy = waves<S>(lengths.size() * net.outputs, 1);
  const auto found = net.run(pass_of(lengths.size(), lengths.data()), x, dy);
  Results<S> expected;
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    const auto cut = [n](const std::vector<S>& all, std::size_t size) {
      return std::vector<S>(all.begin() + static_cast<std::ptrdiff_t>(n * size),
                            all.begin() + static_cast<std::ptrdiff_t>((n + 1) * size));
    };
    const auto one = net.run(pass_of(1, lengths.data() + n), cut(x, net.inputs), cut(dy, net.outputs));
    CHECK(one.predicted == cut(found.predicted, net.outputs));
    CHECK(one.y == cut(found.y, net.outputs));
    CHECK(one.dx == cut(found.dx, net.inputs));
    for (const auto& [name, gradient] : one.gradients) {
      auto& sum = expected.gradients[name];
      sum.resize(gradient.size());
      for (std::size_t i = 0; i < gradient.size(); ++i) sum[i] += gradient[i];
    }
  }
  for (const auto& [name, sum] : expected.gradients) {
    INFO(name);
    CHECK(apart(found.gradients.at(name), sum) < (sizeof(S) == 4 ? 1e-5 : 1e-13));
  }
}

/// A training step gives the same bits whatever lies behind a length, in the input and in the gradient of the output;
/// gradients of buffers are what their statistics change by.
template <class S>
void check_values_of(const Runner<S>& net) {
  INFO("on ", net.backend);
  const std::vector<std::int32_t> lengths{4, most, 1, 7};
  const auto run = [&](double behind) {
    Pass pass = pass_of(lengths.size(), lengths.data());
    pass.training = pass.collects = true;
    auto x = waves<S>(lengths.size() * net.inputs), dy = waves<S>(lengths.size() * net.outputs, 1);
    const auto put = [&](std::vector<S>& map, std::size_t width) {
      for (std::size_t n = 0; n < lengths.size(); ++n)
        std::fill(map.begin() + static_cast<std::ptrdiff_t>((n * most + static_cast<std::size_t>(lengths[n])) * width),
                  map.begin() + static_cast<std::ptrdiff_t>((n + 1) * most * width), static_cast<S>(behind));
    };
    put(x, net.in_features);
    if (net.gives_all_steps) put(dy, net.out_features);
    return net.run(pass, x, dy);
  };
  const auto expected = run(0);
  CHECK(apart(expected, expected) == 0);  // numbers all of them
  for (const double behind : {0.25, 1e38, -1e38, double(INFINITY), -double(INFINITY), double(NAN)}) {
    INFO("behind the lengths ", behind);
    const auto found = run(behind);
    CHECK(found.predicted == expected.predicted);
    CHECK(found.y == expected.y);
    CHECK(found.dx == expected.dx);
    for (const auto& [name, gradient] : found.gradients) {
      INFO(name);
      CHECK(gradient == expected.gradients.at(name));
    }
  }
}

template <class Net, class... Backends>
void check_values() {
  (check_values_of(runner<Net, Backends>()), ...);
}

template <class Net, class... Backends>
void check_batch() {
  (check_batch_of(runner<Net, Backends>()), ...);
}

}  // namespace padding
