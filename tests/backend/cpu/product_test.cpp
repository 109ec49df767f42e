#include <doctest/doctest.h>
#include <aila/backend/cpu/product/product.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace aila;

namespace {

using Arch = simd::DefaultArch;
using Sizes = std::initializer_list<std::size_t>;

// Small multiples of 1/8: products and sums are exact, so every order of summation must give the same Scalars.
template <class S>
std::vector<S> numbers(std::size_t count, unsigned seed) {
  std::vector<S> out(count);
  for (S& x : out) x = static_cast<S>(static_cast<int>((seed = seed * 1664525U + 1013904223U) >> 28) - 8) / 8;
  return out;
}

template <class S>
struct Packed {
  std::vector<S> storage;
  Packed(const std::vector<S>& b, std::size_t row_stride, std::size_t col_stride, std::size_t K, std::size_t N)
      : storage(cpu::packed_size<S, Arch>(K, N), std::numeric_limits<S>::quiet_NaN()) {
    cpu::pack<S, Arch>(b.data(), row_stride, col_stride, K, N, storage.data());
  }
};

// Buffers end with the last Scalar that may be touched, so that an address sanitizer sees the next one.
template <class S>
bool product_is_right(std::size_t M, std::size_t K, std::size_t N, bool transposed, bool with_bias, bool accumulate,
                      bool columns_of_a) {
  const std::size_t lda = columns_of_a ? M + 1 : K + 2, ldc = N + 3;
  const auto a = numbers<S>(columns_of_a ? (K - 1) * lda + M : (M - 1) * lda + K, 1);
  const auto b = numbers<S>(K * N, 2), bias = numbers<S>(N, 3), before = numbers<S>((M - 1) * ldc + N, 4);
  const Packed<S> packed(b, transposed ? 1 : N, transposed ? K : 1, K, N);
  auto c = before;
  if (!accumulate)
    for (std::size_t i = 0; i < c.size(); ++i)
      if (i % ldc < N) c[i] = std::numeric_limits<S>::quiet_NaN();
  cpu::multiply_packed<S, Arch>(M, K, N, a.data(), columns_of_a ? 1 : lda, columns_of_a ? lda : 1,
                                packed.storage.data(), with_bias ? bias.data() : nullptr, c.data(), ldc, accumulate);
  for (std::size_t i = 0; i < c.size(); ++i) {
    const std::size_t m = i / ldc, n = i % ldc;
    S want = before[i];
    if (n < N) {
      want = accumulate ? want : S(0);
      if (with_bias) want += bias[n];
      for (std::size_t k = 0; k < K; ++k)
        want += a[columns_of_a ? k * lda + m : m * lda + k] * b[transposed ? n * K + k : k * N + n];
    }
    if (!(c[i] == want)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("parts are nearly equal and cover the whole") {
  static_assert(cpu::Parts(8, 6).count == 2 && cpu::Parts(8, 6).size(0) == 4 && cpu::Parts(8, 6).begin(1) == 4);
  static_assert(cpu::Parts(0, 4).count == 0);
  for (std::size_t total = 1; total < 40; ++total)
    for (std::size_t most = 1; most < 9; ++most) {
      const cpu::Parts parts(total, most);
      CHECK(parts.begin(parts.count) == total);
      CHECK(parts.size(0) - parts.size(parts.count - 1) <= 1);
      CHECK(parts.size(0) <= most);
    }
}

TEST_CASE_TEMPLATE("packed products are right for any number of rows and columns", S, float, double) {
  for (std::size_t M = 1; M <= 20; ++M)
    for (std::size_t N : Sizes{1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 48, 64, 65, 100, 129})
      for (std::size_t K : Sizes{1, 7, 16, 33}) {
        INFO(M, " x ", K, " x ", N);
        CHECK(product_is_right<S>(M, K, N, (M + N) % 2 == 0, M % 3 != 0, (M / 2) % 2 == 0, M % 5 == 0));
      }
  CHECK(product_is_right<S>(1000, 40, 20, true, true, false, false));
}

TEST_CASE_TEMPLATE("a row's result has the same bits whatever rows are beside it", S, float, double) {
  constexpr std::size_t M = 13, K = 37, N = 150;
  std::vector<S> a(M * K), b(K * N), together(M * N), alone(N);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<S>(std::sin(static_cast<double>(i)));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<S>(std::cos(static_cast<double>(i)));
  const Packed<S> packed(b, N, 1, K, N);
  cpu::multiply_packed<S, Arch>(M, K, N, a.data(), K, 1, packed.storage.data(), nullptr, together.data(), N, false);
  for (std::size_t m = 0; m < M; ++m) {
    cpu::multiply_packed<S, Arch>(1, K, N, a.data() + m * K, K, 1, packed.storage.data(), nullptr, alone.data(), N,
                                  false);
    bool same = true;
    for (std::size_t n = 0; n < N; ++n) same &= alone[n] == together[m * N + n];
    CHECK(same);
  }
}

/// Of sums that do depend on their order.
template <class S, std::size_t K, std::size_t N>
bool same_bits_where_sizes_are_known(std::size_t M, bool with_bias, bool accumulate) {
  std::vector<S> a(M * K), b(K * N), bias(N), c(M * N + 1, S(0.5));
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<S>(std::sin(0.7 * static_cast<double>(i)));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<S>(std::cos(1.3 * static_cast<double>(i)));
  for (std::size_t i = 0; i < N; ++i) bias[i] = static_cast<S>(i) / 7;
  const Packed<S> packed(b, N, 1, K, N);
  auto expected = c;
  const S* const start = with_bias ? bias.data() : nullptr;
  cpu::multiply_packed<S, Arch>(M, K, N, a.data(), K, 1, packed.storage.data(), start, expected.data(), N, accumulate);
  cpu::multiply_packed_of<K, N, S, Arch>(M, a.data(), packed.storage.data(), start, c.data(), accumulate);
  return c == expected;
}

TEST_CASE_TEMPLATE("a product whose sizes the compiler knows has the same bits", S, float, double) {
  for (std::size_t M = 0; M <= 53; ++M) {
    CAPTURE(M);
    CHECK(same_bits_where_sizes_are_known<S, 1, 1>(M, true, false));
    CHECK(same_bits_where_sizes_are_known<S, 16, 16>(M, false, false));
    CHECK(same_bits_where_sizes_are_known<S, 16, 33>(M, true, true));
    CHECK(same_bits_where_sizes_are_known<S, 70, 5>(M, true, false));
    CHECK(same_bits_where_sizes_are_known<S, 64, 65>(M, false, true));
    CHECK(same_bits_where_sizes_are_known<S, 3, 300>(M, true, true));
  }
}

TEST_CASE_TEMPLATE("packing pads the columns with zeros", S, float, double) {
  constexpr std::size_t W = simd::width<S, Arch>, K = W + 3;
  const std::vector<S> b(K, S(1));
  const Packed<S> packed(b, 1, K, K, 1);
  bool right = packed.storage.size() == K * W;
  for (std::size_t i = 0; i < packed.storage.size(); ++i) right &= packed.storage[i] == (i % W == 0 ? S(1) : S(0));
  CHECK(right);
}

TEST_CASE_TEMPLATE("products over rows add to what is there, for any sizes", S, float, double) {
  for (std::size_t P : Sizes{1, 2, 95, 97, 200})
    for (std::size_t M : Sizes{1, 2, 3, 4, 5, 7, 8, 16, 30, 67})
      for (std::size_t N : Sizes{1, 2, 3, 4, 7, 8, 15, 17, 64, 100}) {
        const std::size_t lda = M + 2, ldb = N + 1, ldc = N + 5;
        const auto a = numbers<S>((P - 1) * lda + M, 5), b = numbers<S>((P - 1) * ldb + N, 6);
        const auto before = numbers<S>((M - 1) * ldc + N, 7);
        auto c = before;
        cpu::multiply_transposed_add<S, Arch>(P, M, N, a.data(), lda, b.data(), ldb, c.data(), ldc);
        bool right = true;
        for (std::size_t i = 0; i < c.size(); ++i) {
          S want = before[i];
          if (i % ldc < N)
            for (std::size_t p = 0; p < P; ++p) want += a[p * lda + i / ldc] * b[p * ldb + i % ldc];
          right &= c[i] == want;
        }
        INFO(P, ": ", M, " x ", N);
        CHECK(right);
      }
}

TEST_CASE_TEMPLATE("segments of rows are summed together", S, float, double) {
  constexpr std::size_t M = 9, N = 21;
  const auto a = numbers<S>(20 * M, 8), b = numbers<S>(30 * N, 9);
  const cpu::RowSegment<S> segments[] = {
      {a.data(), b.data() + 3 * N, 4}, {a.data() + 5 * M, b.data(), 0}, {a.data() + 10 * M, b.data() + 20 * N, 10}};
  std::vector<S> c(M * N), want(M * N);
  cpu::multiply_segments_add<S, Arch>(segments, 3, M, N, M, N, c.data(), N);
  for (const auto& s : segments)
    for (std::size_t p = 0; p < s.rows; ++p)
      for (std::size_t i = 0; i < M * N; ++i) want[i] += s.a[p * M + i / N] * s.b[p * N + i % N];
  CHECK(c == want);

  for (const std::size_t columns : {N, std::size_t{2}}) {  // narrow ones lie the other way in registers
    std::vector<S> written(M * N, std::numeric_limits<S>::quiet_NaN()), added(M * N);
    cpu::multiply_segments_add<S, Arch>(segments, 3, M, columns, M, N, written.data(), columns, true);
    cpu::multiply_segments_add<S, Arch>(segments, 3, M, columns, M, N, added.data(), columns);
    CHECK(std::memcmp(written.data(), added.data(), M * columns * sizeof(S)) == 0);
  }
}

TEST_CASE_TEMPLATE("column sums add to what is there and read nothing behind a row", S, float, double) {
  for (std::size_t P : Sizes{1, 6})
    for (std::size_t N : Sizes{1, 3, 8, 16, 37}) {
      const auto a = numbers<S>((P - 1) * (N + 1) + N, 10);
      auto out = numbers<S>(N, 11), want = out;
      for (std::size_t p = 0; p < P; ++p)
        for (std::size_t n = 0; n < N; ++n) want[n] += a[p * (N + 1) + n];
      cpu::add_columns<S, Arch>(P, N, a.data(), N + 1, out.data());
      CHECK(out == want);
    }
}
