#include <doctest/doctest.h>
#include <aila/backend/cpu/recurrent/lstm_sequence.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace lstm_test {
using namespace aila;

namespace {

using Arch = simd::DefaultArch;
using Numbers = std::vector<double>;

template <class S>
Numbers numbers(std::size_t count, unsigned seed, double scale) {
  Numbers out(count);
  for (double& x : out)
    x = static_cast<S>(scale * (static_cast<double>((seed = seed * 1664525U + 1013904223U) >> 8) / 8388608.0 - 1));
  return out;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// The equations as they are written, in double; gradients by hand, one step and unit at a time.
struct Plain {
  std::size_t n, T, F, U;
  Numbers x, w_ih, w_hh, bias, dy;
  std::vector<std::int32_t> lengths;
  Numbers y, dx, d_ih, d_hh, d_bias;

  void run() {
    y.assign(n * T * U, 0);
    dx.assign(n * T * F, 0);
    d_ih.assign(4 * U * F, 0);
    d_hh.assign(4 * U * U, 0);
    d_bias.assign(4 * U, 0);
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t length = lengths.empty() ? T : static_cast<std::size_t>(lengths[s]);
      std::vector<Numbers> gates(length), cells(length + 1, Numbers(U)), hs(length + 1, Numbers(U));
      for (std::size_t t = 0; t < length; ++t) {
        gates[t].resize(4 * U);
        for (std::size_t k = 0; k < 4 * U; ++k) {
          double z = bias[k];
          for (std::size_t f = 0; f < F; ++f) z += w_ih[k * F + f] * x[(s * T + t) * F + f];
          for (std::size_t u = 0; u < U; ++u) z += w_hh[k * U + u] * hs[t][u];
          gates[t][k] = k / U == 2 ? std::tanh(z) : sigmoid(z);
        }
        for (std::size_t u = 0; u < U; ++u) {
          cells[t + 1][u] = gates[t][U + u] * cells[t][u] + gates[t][u] * gates[t][2 * U + u];
          y[(s * T + t) * U + u] = hs[t + 1][u] = gates[t][3 * U + u] * std::tanh(cells[t + 1][u]);
        }
      }
      Numbers dh(U), dc(U);
      for (std::size_t t = length; t-- > 0;) {
        Numbers dz(4 * U), before(U);
        for (std::size_t u = 0; u < U; ++u) {
          const double i = gates[t][u], f = gates[t][U + u], g = gates[t][2 * U + u], o = gates[t][3 * U + u];
          const double tc = std::tanh(cells[t + 1][u]), d = dh[u] + dy[(s * T + t) * U + u];
          dc[u] += d * o * (1 - tc * tc);
          dz[u] = dc[u] * g * i * (1 - i);
          dz[U + u] = dc[u] * cells[t][u] * f * (1 - f);
          dz[2 * U + u] = dc[u] * i * (1 - g * g);
          dz[3 * U + u] = d * tc * o * (1 - o);
          dc[u] *= f;
        }
        for (std::size_t k = 0; k < 4 * U; ++k) {
          d_bias[k] += dz[k];
          for (std::size_t f = 0; f < F; ++f) {
            d_ih[k * F + f] += dz[k] * x[(s * T + t) * F + f];
            dx[(s * T + t) * F + f] += dz[k] * w_ih[k * F + f];
          }
          for (std::size_t u = 0; u < U; ++u) {
            d_hh[k * U + u] += dz[k] * hs[t][u];
            before[u] += dz[k] * w_hh[k * U + u];
          }
        }
        dh = before;
      }
    }
  }
};

template <class S>
std::vector<S> narrow(const Numbers& from) {
  return std::vector<S>(from.begin(), from.end());
}

// max |a - b - start| / max |b|
template <class S>
double error(const std::vector<S>& a, const Numbers& b, S start) {
  double worst = 0, largest = 1e-30;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double off = std::abs(static_cast<double>(a[i]) - static_cast<double>(start) - b[i]);
    worst = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(worst, off);
    largest = std::max(largest, std::abs(b[i]));
  }
  return a.size() == b.size() ? worst / largest : std::numeric_limits<double>::infinity();
}

template <class S, std::size_t T, std::size_t F, std::size_t U>
void agrees(std::size_t n, bool with_lengths) {
  INFO("n ", n, " T ", T, " F ", F, " U ", U, " lengths ", with_lengths);
  const double wide = 1 / std::sqrt(static_cast<double>(U));
  Plain plain{n,
              T,
              F,
              U,
              numbers<S>(n * T * F, 1, 1),
              numbers<S>(4 * U * F, 2, wide),
              numbers<S>(4 * U * U, 3, wide),
              numbers<S>(4 * U, 4, wide),
              numbers<S>(n * T * U, 5, 1),
              {},
              {},
              {},
              {},
              {},
              {}};
  const S nan = std::numeric_limits<S>::quiet_NaN();
  auto x = narrow<S>(plain.x), dy = narrow<S>(plain.dy);
  if (with_lengths)
    for (std::size_t s = 0; s < n; ++s) {
      plain.lengths.push_back(static_cast<std::int32_t>((s * 7 + n) % (T + 1)));
      const auto length = static_cast<std::size_t>(plain.lengths[s]);
      std::fill_n(x.data() + (s * T + length) * F, (T - length) * F, nan);  // what is behind a length is never read
      std::fill_n(dy.data() + (s * T + length) * U, (T - length) * U, nan);
    }
  plain.run();
  const std::int32_t* lengths = with_lengths ? plain.lengths.data() : nullptr;

  const auto w_ih = narrow<S>(plain.w_ih), w_hh = narrow<S>(plain.w_hh), bias = narrow<S>(plain.bias);
  using Lstm = cpu::LstmSequence<S, Arch>;
  constexpr cpu::RecurrentSizes<Lstm> sizes{T, F, U};
  const cpu::RecurrentTensors<const S> weights{w_ih.data(), w_hh.data(), bias.data()};
  std::vector<S> packed(sizes.packed(), nan);
  cpu::pack_recurrent(sizes, weights, packed.data());
  std::vector<S> predicted(n * T * U, nan), y(n * T * U, nan), saved(sizes.saved_size(n), nan);
  std::vector<S> scratch(sizes.forward_scratch(n, false), nan);
  cpu::recurrent_forward<Lstm, false>(sizes, n, x.data(), lengths, packed.data(), predicted.data(),
                                      static_cast<S*>(nullptr), scratch.data(), {});
  scratch.assign(sizes.forward_scratch(n, true), nan);
  cpu::recurrent_forward<Lstm, true>(sizes, n, x.data(), lengths, packed.data(), y.data(), saved.data(), scratch.data(),
                                     {});
  CHECK(predicted == y);
  const double bound = std::is_same_v<S, float> ? 1e-5 : 1e-11;
  CHECK(error<S>(y, plain.y, 0) < bound);

  scratch.assign(sizes.backward_scratch(n), nan);
  const S start = S(0.25);
  std::vector<S> dx(n * T * F, start), d_ih(4 * U * F, start), d_hh(4 * U * U, start), d_bias(4 * U, start);
  const auto backward = [&](S* to_x, S* to_ih, bool sets_dx = false, bool sets_to = false) {
    auto kept = saved;  // what forward left is written over
    cpu::recurrent_backward(sizes, n, x.data(), lengths, weights, packed.data(), y.data(), dy.data(), to_x, sets_dx,
                            {to_ih, d_hh.data(), d_bias.data()}, sets_to, kept.data(), scratch.data());
  };
  backward(dx.data(), d_ih.data());
  CHECK(error<S>(dx, plain.dx, start) < bound);
  CHECK(error<S>(d_ih, plain.d_ih, start) < bound);
  CHECK(error<S>(d_hh, plain.d_hh, start) < bound);
  CHECK(error<S>(d_bias, plain.d_bias, start) < bound);

  auto without_dx = std::vector<S>(4 * U * F, start);
  backward(nullptr, without_dx.data());
  CHECK(without_dx == d_ih);

  std::vector<S> written(n * T * F, nan), added(n * T * F, S(0));
  backward(written.data(), without_dx.data(), true);
  backward(added.data(), without_dx.data());
  CHECK(written == added);

  // Written, the gradients of weights have the bits of those added to zeros.
  std::vector<std::vector<S>> both;
  for (const S fill : {S(0), nan}) {
    std::ranges::fill(d_ih, fill);
    std::ranges::fill(d_hh, fill);
    std::ranges::fill(d_bias, fill);
    backward(dx.data(), d_ih.data(), true, fill != 0);
    for (const auto* all : {&d_ih, &d_hh, &d_bias}) both.push_back(*all);
  }
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(std::memcmp(both[i].data(), both[i + 3].data(), both[i].size() * sizeof(S)) == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("the LSTM agrees with the equations written plainly, forward and backward, for 1 to 9 samples", S,
                   float, double) {
  for (std::size_t n = 1; n <= 9; ++n)
    for (bool with_lengths : {false, true}) {
      agrees<S, 12, 1, 16>(n, with_lengths);
      agrees<S, 5, 3, 7>(n, with_lengths);
      agrees<S, 33, 10, 20>(n, with_lengths);
    }
}

TEST_CASE_TEMPLATE("the LSTM agrees for sizes of one, for wide layers and for many samples", S, float, double) {
  for (bool with_lengths : {false, true}) {
    agrees<S, 1, 1, 1>(2, with_lengths);
    agrees<S, 130, 2, 5>(1, with_lengths);
    agrees<S, 20, 100, 64>(8, with_lengths);
    agrees<S, 20, 32, 48>(8, with_lengths);  // backward reads the weights where they lie
    agrees<S, 3, 17, 150>(3, with_lengths);
    agrees<S, 4, 5, 33>(70, with_lengths);
  }
}

TEST_CASE("a sample's output has the same bits whatever samples are beside it") {
  constexpr std::size_t n = 7, T = 9, F = 4, U = 24;
  const auto x = narrow<float>(numbers<float>(n * T * F, 1, 1)),
             w_ih = narrow<float>(numbers<float>(4 * U * F, 2, 0.3)),
             w_hh = narrow<float>(numbers<float>(4 * U * U, 3, 0.3)), bias = narrow<float>(numbers<float>(4 * U, 4, 1));
  using Lstm = cpu::LstmSequence<float, Arch>;
  constexpr cpu::RecurrentSizes<Lstm> sizes{T, F, U};
  std::vector<float> packed(sizes.packed()), together(n * T * U), alone(n * T * U),
      scratch(sizes.forward_scratch(n, false));
  cpu::pack_recurrent(sizes, {w_ih.data(), w_hh.data(), bias.data()}, packed.data());
  const auto forward = [&](std::size_t count, const float* from, float* to) {
    cpu::recurrent_forward<Lstm, false>(sizes, count, from, nullptr, packed.data(), to, static_cast<float*>(nullptr),
                                        scratch.data(), {});
  };
  forward(n, x.data(), together.data());
  for (std::size_t s = 0; s < n; ++s) forward(1, x.data() + s * T * F, alone.data() + s * T * U);
  CHECK(alone == together);
}
}  // namespace lstm_test
