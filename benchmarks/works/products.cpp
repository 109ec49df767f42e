// Products of small matrices by packed weights, one thread, beside libxsmm where it was found: the machine code that it
// generates for the exact size is the mark for them.
#include <aila/backend/cpu/product.hpp>
#include <aila/core/arena.hpp>
#include <aila/core/error.hpp>
#include <cmath>

#ifdef AILA_HAS_LIBXSMM
#include <libxsmm.h>
#endif

#include "work.hpp"

namespace works {

namespace {

using Arch = aila::simd::DefaultArch;

/// c [M, N] = a [M, K] b [K, N].
class Product final : public Run {
 public:
  Product(std::size_t m, std::size_t k, std::size_t n)
      : m_(m),
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
      aila::cpu::multiply_packed<float, Arch>(m_, k_, n_, a_.data(), k_, 1, packed_.data(), nullptr, c_.data(), n_,
                                              false);
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

  std::size_t m_, k_, n_;
  aila::AlignedArray<float> a_, b_, packed_, c_, theirs_;
#ifdef AILA_HAS_LIBXSMM
  libxsmm_smmfunction kernel_ = nullptr;
#endif
};

}  // namespace

void add_products(Works& works) {
  for (const std::size_t m : {1, 4, 8, 16, 32, 64})
    for (const std::size_t k : {16, 32, 64, 128, 256})
      for (const std::size_t n : {16, 32, 64, 128, 256})
        works.push_back({.name = "product/" + std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n),
                         .flops = 2.0 * static_cast<double>(m * k * n),
                         .bytes = 4.0 * static_cast<double>(m * k + k * n + m * n),
                         .start = [=] { return std::make_unique<Product>(m, k, n); }});
}

}  // namespace works
