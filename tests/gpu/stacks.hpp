// Stacks under a policy, on sequences and images.
#pragma once

#include "compare.hpp"

namespace stacks {

using namespace aila;

template <class Policy>
struct Wide : Network<Sequence<6, 64>, Stack<Policy, Repeat<4, Linear<64>>>> {};
template <class Policy>
struct Narrowest : Network<Sequence<6, 3>, Stack<Policy, Repeat<4, Linear<12>>>> {};
template <class Policy>
struct Maps : Network<Image<8, 8, 8>, Stack<Policy, Conv<8>, Conv<8, Stride<2>>, Repeat<2, Conv<8>>>> {};
template <class Policy>
struct Deep : Network<Sequence<3, 32>, Stack<Policy, Repeat<18, Linear<32>>>> {};
/// Cores that cost next to nothing, for many rows.
template <class Policy, std::size_t features>
struct Bare : Network<Sequence<6, features>, Stack<Policy, Repeat<3, Tanh>>> {};

template <class Policy>
void check(const std::string& name) {
  gpu::compare_all<Wide<Policy>>(name + " over 64 features", {1, 67});
  gpu::compare_all<Narrowest<Policy>>(name + " over 12 features", {1, 67});
  gpu::compare_all<Maps<Policy>>(name + " over maps", {1, 67});
}
template <class Policy, std::size_t features>
void check_many(const char* name, std::size_t samples) {
  gpu::Case of{.samples = samples};
  for (std::size_t i = 0; i < samples; ++i) of.lengths.push_back(static_cast<std::int32_t>(1 + i * 7 % 6));
  gpu::compare<Bare<Policy, features>>(name, of);
}
}  // namespace stacks
