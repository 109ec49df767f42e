// Memory is taken for the largest group, and lent to smaller ones: none of those may need more.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <string>

using namespace aila;

namespace {

struct Need {
  std::size_t scratch, saved;
};

template <class Kernel, Capability C>
Need need(std::size_t samples) {
  Arena<float> arena;
  typename Kernel::template Saved<C> saved{};
  saved.bind(arena, samples);
  return {Kernel::scratch(samples, C), arena.used()};
}

/// The first group that needs more than a larger one, in words; "" for none.
template <class L, class In, Capability C = Capability::predict>
std::string greedy() {
  using Kernel = KernelFor<Placed<L, In>, backend::Cpu>;
  for (std::size_t n = 1; n < 130; ++n) {
    const Need smaller = need<Kernel, C>(n), larger = need<Kernel, C>(n + 1);
    if (smaller.scratch > larger.scratch || smaller.saved > larger.saved) return std::to_string(n) + " samples";
  }
  if constexpr (C == Capability::predict)
    return greedy<L, In, Capability::train>();
  else
    return "";
}

template <class... L>
std::string greedy_ones() {
  std::string all;
  const auto add = [&](const char* name, const std::string& who) {
    if (!who.empty()) all += std::string(name) + " of " + who + "; ";
  };
  (add(layer_name<L>(), greedy<L, Sequence<7, 5>>()), ...);
  (add(layer_name<L>(), greedy<L, Sequence<200, 100>>()), ...);
  return all;
}

}  // namespace

TEST_CASE("a smaller group needs no more memory than a larger one") {
  CHECK(greedy_ones<Lstm<64>, Lstm<3>, Gru<64>, Gru<3>, Bidirectional<Lstm<8>>, Bidirectional<Gru<8>>>() == "");
  CHECK(greedy_ones<Conv<8>, Conv<4, Stride<2>, Kernel<5>>, DepthwiseConv<>, MaxPool<2>, BatchNorm<>, LayerNorm>() ==
        "");
  CHECK(greedy_ones<SelfAttention<5>, AttentionPooling<6>, SqueezeExcitation<4>, Linear<9>>() == "");
  CHECK(greedy_ones<Chain<Lstm<64>, Gru<64>>, Stack<integrate::Linear<>, Repeat<2, Lstm<5>>>,
                    Stack<integrate::Attention<>, Repeat<3, Conv<5>>>>() == "");
}
