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

/// Net<most> over samples of `length` steps against Net<length>. The output is one of steps, or a vector.
template <template <std::size_t> class Net, std::size_t length, class Backend>
void check_length() {
  using S = typename Backend::Scalar;
  using Padded = OnBackend<Net<most>, Backend>;
  using Alone = OnBackend<Net<length>, Backend>;
  constexpr bool vector = Alone::Out::rank == 1;
  constexpr std::size_t in = Alone::In::features, out = vector ? Alone::Out::elements : Alone::Out::features;
  INFO("length ", length, " on ", std::string(Backend::name));
  const auto x = waves<S>(Alone::In::elements), dy = waves<S>(Alone::Out::elements, 1);
  Alone alone(1);
  const auto expected = alone.run(x, dy);
  const std::int32_t lengths[] = {length};
  for (const double behind : {0.25, 1e38, double(INFINITY), double(NAN)}) {
    Padded one(1);
    one.pass.lengths = lengths;
    const auto found = one.run(padded(x, in, behind), vector ? dy : padded(dy, out, behind));
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
  (check_length<Net, 4, Backends>(), ...);
}

/// Samples side by side give what each gives by itself; gradients are summed.
template <class Net, class Backend>
void check_batch_on() {
  using S = typename Backend::Scalar;
  using Run = OnBackend<Net, Backend>;
  INFO("on ", std::string(Backend::name));
  const std::vector<std::int32_t> lengths{4, most, 1, 0, 7, 3};
  const auto x = waves<S>(lengths.size() * Run::In::elements), dy = waves<S>(lengths.size() * Run::Out::elements, 1);
  Run together(lengths.size());
  together.pass.lengths = lengths.data();
  const auto found = together.run(x, dy);
  Results<S> expected;
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    Run alone(1);
    alone.pass.lengths = lengths.data() + n;
    const auto cut = [n](const std::vector<S>& all, std::size_t size) {
      return std::vector<S>(all.begin() + static_cast<std::ptrdiff_t>(n * size),
                            all.begin() + static_cast<std::ptrdiff_t>((n + 1) * size));
    };
    const auto one = alone.run(cut(x, Run::In::elements), cut(dy, Run::Out::elements));
    CHECK(one.predicted == cut(found.predicted, Run::Out::elements));
    CHECK(one.y == cut(found.y, Run::Out::elements));
    CHECK(one.dx == cut(found.dx, Run::In::elements));
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
template <class Net, class Backend>
void check_values_on() {
  using S = typename Backend::Scalar;
  using Run = OnBackend<Net, Backend>;
  INFO("on ", std::string(Backend::name));
  const std::vector<std::int32_t> lengths{4, most, 1, 7};
  const auto run = [&](double behind) {
    Run net(lengths.size());
    net.pass.lengths = lengths.data();
    net.pass.training = net.pass.collects = true;
    auto x = waves<S>(lengths.size() * Run::In::elements), dy = waves<S>(lengths.size() * Run::Out::elements, 1);
    const auto put = [&](std::vector<S>& map, std::size_t width) {
      for (std::size_t n = 0; n < lengths.size(); ++n)
        std::fill(map.begin() + static_cast<std::ptrdiff_t>((n * most + static_cast<std::size_t>(lengths[n])) * width),
                  map.begin() + static_cast<std::ptrdiff_t>((n + 1) * most * width), static_cast<S>(behind));
    };
    put(x, Run::In::features);
    if constexpr (Run::Out::rank == 2 && Run::Out::positions == most) put(dy, Run::Out::features);
    return net.run(x, dy);
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
  (check_values_on<Net, Backends>(), ...);
}

template <class Net, class... Backends>
void check_batch() {
  (check_batch_on<Net, Backends>(), ...);
}

}  // namespace padding
