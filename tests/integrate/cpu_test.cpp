#include <doctest/doctest.h>

#include "layer/on_backend.hpp"

using namespace aila;

namespace {

/// Three layers, so that the last has two before it; more positions than a tile of the kernels, and no whole number of
/// registers.
template <class Policy, std::size_t d = 20>
struct Net : Network<Sequence<37, d>, Stack<Policy, Epilogue<Identity>, Repeat<3, Linear<d>>>> {};

/// Nothing, or how far the kernels of the CPU are from the plain loops in double: in double 1e-10 of the largest
/// number, and in float, for outputs and input gradients, 1e-5 or twice what the plain loops lose by float (gradients
/// of saturated scores are differences of rounding errors).
template <class N>
std::string difference(std::size_t samples) {
  using Exact = OnBackend<N, ReferenceDouble>;
  const auto results = [&]<class Backend>(std::type_identity<Backend>) {
    using S = typename Backend::Scalar;
    return OnBackend<N, Backend>(samples).run(waves<S>(samples * Exact::In::elements),
                                              waves<S>(samples * Exact::Out::elements, 1));
  };
  const auto exact = results(std::type_identity<ReferenceDouble>{});
  const auto values = [&](const auto& found) {
    return std::max({apart(found.predicted, exact.predicted), apart(found.y, exact.y), apart(found.dx, exact.dx)});
  };
  const double wide = apart(results(std::type_identity<CpuDouble>{}), exact);
  const double narrow = values(results(std::type_identity<CpuFloat>{}));
  const double rounding = values(results(std::type_identity<ReferenceFloat>{}));
  if (wide <= 1e-10 && narrow <= std::max(1e-5, 2 * rounding)) return "";
  return "double " + std::to_string(wide * 1e10) + "e-10, float " + std::to_string(narrow * 1e5) + "e-5, rounding " +
         std::to_string(rounding * 1e5) + "e-5";
}

}  // namespace

TEST_CASE("linear integration on the CPU agrees with the plain loops over many positions") {
  CHECK(difference<Net<integrate::Linear<>>>(7) == "");
  CHECK(difference<Net<integrate::Linear<Heads<5>, TaskEmbedding>>>(7) == "");
  CHECK(difference<Net<integrate::Linear<Heads<2>, Score<Context>>, 32>>(3) == "");
}

TEST_CASE("attention over depth on the CPU agrees with the plain loops over many positions") {
  CHECK(difference<Net<integrate::Attention<>>>(7) == "");
  CHECK(difference<Net<integrate::Attention<TiedValues>, 32>>(7) == "");
  CHECK(difference<Net<integrate::Attention<Heads<4>, TiedValues>>>(3) == "");
  CHECK(difference<Net<integrate::Attention<Heads<2>, KeyWidth<30>, MeanOfHeads, TiedValues>>>(3) == "");
  CHECK(difference<Net<integrate::Attention<Heads<2>, MeanOfHeads>>>(3) == "");
}

TEST_CASE("a query in one product and in two are the same query") {
  static_assert(cpu::QuerySizes<1, 20, 20, 20>::multiplied_out && cpu::QuerySizes<2, 30, 20, 20>::multiplied_out);
  static_assert(!cpu::QuerySizes<4, 5, 20, 20>::multiplied_out);
}
