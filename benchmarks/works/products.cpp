// Products of small matrices by packed weights, one thread, beside libxsmm where it was found: the machine code that it
// generates for the exact size is the mark for them.
#include <aila/backend/cpu/product/product.hpp>
#include <aila/core/arena.hpp>
#include <aila/core/error.hpp>
#include <cmath>
#include <utility>

#ifdef AILA_HAS_LIBXSMM
#include <libxsmm.h>
#endif

#include "work.hpp"

namespace works {

namespace {

using Arch = aila::simd::DefaultArch;

/// A product as layers call it, which know K and N.
using Multiply = void (*)(std::size_t m, const float* a, const float* packed_b, float* c);
template <std::size_t K, std::size_t N>
void multiply(std::size_t m, const float* a, const float* packed_b, float* c) {
  aila::cpu::multiply_packed_of<K, N, float, Arch>(m, a, packed_b, nullptr, c, false);
}

/// c [M, N] = a [M, K] b [K, N].
class Product final : public Run {
 public:
  Product(std::size_t m, std::size_t k, std::size_t n, Multiply multiply)
      : multiply_(multiply),
        m_(m),
        k_(k),
        n_(n),
        a_(make(1, m * k)),
        b_(make(2, k * n)),
        packed_(aila::cpu::packed_size<float, Arch>(k, n)),
        c_(m * n),
        theirs_(m * n) {
    aila::cpu::pack<float, Arch>(b_.data(), n, 1, k, n, packed_.data());
    repeat(1);
    check("aila", c_.data());
#ifdef AILA_HAS_LIBXSMM
    // Its matrices are column-major: c^T = b^T a^T.
    const auto rows = static_cast<libxsmm_blasint>(n), columns = static_cast<libxsmm_blasint>(m),
               inner = static_cast<libxsmm_blasint>(k);
    const float one = 1, zero = 0;
    kernel_ = libxsmm_smmdispatch(rows, columns, inner, &rows, &inner, &rows, &one, &zero, nullptr, nullptr);
    if (kernel_ == nullptr) throw aila::Error("libxsmm has no kernel for this size on this processor");
    repeat_beside(1);
    check("libxsmm", theirs_.data());
#endif
  }

  void repeat(std::size_t times) override {
    for (std::size_t i = 0; i < times; ++i) {
      multiply_(m_, a_.data(), packed_.data(), c_.data());
      keep(c_.data());
    }
  }
#ifdef AILA_HAS_LIBXSMM
  const char* beside() const override { return "libxsmm"; }
  void repeat_beside(std::size_t times) override {
    for (std::size_t i = 0; i < times; ++i) {
      kernel_(b_.data(), a_.data(), theirs_.data());
      keep(theirs_.data());
    }
  }
#endif
  std::vector<Tensor> dump() override {
    const auto tensor = [](const char* name, std::size_t rows, std::size_t columns,
                           const aila::AlignedArray<float>& values) {
      return Tensor{name, {rows, columns}, {values.data(), values.data() + rows * columns}};
    };
    return {tensor("work.input", m_, k_, a_), tensor("weight", k_, n_, b_), tensor("work.output", m_, n_, c_)};
  }

 private:
  static aila::AlignedArray<float> make(std::uint32_t stream, std::size_t count) {
    aila::AlignedArray<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values.data()[i] = number(stream, i);
    return values;
  }
  void check(const char* library, const float* c) const {
    for (std::size_t i = 0; i < m_; ++i)
      for (std::size_t j = 0; j < n_; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < k_; ++k)
          sum += static_cast<double>(a_.data()[i * k_ + k]) * static_cast<double>(b_.data()[k * n_ + j]);
        if (!(std::abs(sum - static_cast<double>(c[i * n_ + j])) < 1e-4))
          throw aila::Error(std::string("the product of ") + library + " is wrong");
      }
  }

  Multiply multiply_;
  std::size_t m_, k_, n_;
  aila::AlignedArray<float> a_, b_, packed_, c_, theirs_;
#ifdef AILA_HAS_LIBXSMM
  libxsmm_smmfunction kernel_ = nullptr;
#endif
};

template <std::size_t K, std::size_t N>
void add_product(Works& works, std::size_t m) {
  works.push_back({.name = "product/" + std::to_string(m) + "x" + std::to_string(K) + "x" + std::to_string(N),
                   .flops = 2.0 * static_cast<double>(m * K * N),
                   .bytes = 4.0 * static_cast<double>(m * K + K * N + m * N),
                   .start = [m] { return std::make_unique<Product>(m, K, N, multiply<K, N>); }});
}

template <std::size_t... Size, class F>
void for_each(std::index_sequence<Size...>, F&& f) {
  (f(std::integral_constant<std::size_t, Size>{}), ...);
}

}  // namespace

void add_products(Works& works) {
  using Sizes = std::index_sequence<16, 32, 64, 128, 256>;
  for (const std::size_t m : {1, 4, 8, 16, 32, 64}) {
    for_each(Sizes{}, [&](auto k) { for_each(Sizes{}, [&](auto n) { add_product<k, n>(works, m); }); });
  }
}

}  // namespace works
