// expect 1: aila: BatchNorm takes real features; embed tokens first
// expect 2: aila: Concat takes real features; embed tokens first
// expect 3: aila: the layers inside Concat must keep the positions of their input
// expect 4: aila: SqueezeExcitation takes a map with positions; this input is none
// expect 5: aila: SqueezeExcitation needs at least one feature to squeeze to
// expect 6: aila: Embedding takes Tokens; this input has real features
// expect 7: aila: Embedding needs a width of at least one
// expect 8: aila: MostRows takes 1 to 2,147,483,647 rows, the numbers that a token can name
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>

using namespace aila;
#if defined(MUST_FAIL_1)
struct Net : Network<Tokens<12>, BatchNorm<>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Tokens<12>, Concat<Linear<2>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Image<4, 4, 2>, Concat<MaxPool<2>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Vector<12>, SqueezeExcitation<3>, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Image<4, 4, 2>, SqueezeExcitation<0>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Sequence<12, 1>, Embedding<8>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_7)
struct Net : Network<Tokens<12>, Embedding<0>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_8)
struct Net : Network<Tokens<12>, Embedding<8, MostRows<0>>, MeanOverPositions, Linear<1>> {};
#else
struct Net : Network<Tokens<12>, Embedding<8>, BatchNorm<>, Concat<Linear<2>>, SqueezeExcitation<3>, MeanOverPositions,
                     Linear<1>> {};
#endif

#include "every_use.hpp"
