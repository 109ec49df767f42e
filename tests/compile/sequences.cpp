// expect 1: aila: Gru takes a sequence [steps, features]; this input is none
// expect 2: aila: Gru takes real features; embed tokens first
// expect 3: aila: Gru needs at least one unit
// expect 4: aila: Bidirectional takes a layer that keeps the steps of a sequence, as Lstm does
// expect 5: aila: Gru takes a sequence [steps, features]; this input is none
// expect 6: aila: LearnedPositions takes a sequence [steps, features]; this input is none
// expect 7: aila: SinusoidalPositions takes a sequence [steps, features]; this input is none
// expect 8: aila: ClassToken takes a sequence [steps, features]; this input is none
// expect 9: aila: FirstStep takes a sequence [steps, features]; this input is none
// expect 10: aila: Bidirectional holds no layer that needs the whole batch, as BatchNorm does
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Vector<12>, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Tokens<12>, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_3)  // in both directions
struct Net : Network<Sequence<12, 1>, Bidirectional<Gru<0>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Sequence<12, 1>, Bidirectional<Chain<Gru<8>, LastStep>>, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Image<4, 4, 3>, Bidirectional<Gru<8>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_6)  // behind a readout
struct Net : Network<Sequence<12, 1>, Gru<8>, LastStep, LearnedPositions, Linear<1>> {};
#elif defined(MUST_FAIL_7)  // of tokens
struct Net : Network<Tokens<12>, SinusoidalPositions, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_8)
struct Net : Network<Image<4, 4, 3>, ClassToken, FirstStep, Linear<1>> {};
#elif defined(MUST_FAIL_9)
struct Net : Network<Sequence<12, 1>, Gru<8>, FirstStep, FirstStep, Linear<1>> {};
#elif defined(MUST_FAIL_10)
struct Net : Network<Sequence<12, 1>, Bidirectional<Chain<Gru<8>, BatchNorm<>>>, LastStep, Linear<1>> {};
#else
struct Net : Network<Sequence<12, 1>, SinusoidalPositions, Bidirectional<Gru<8>>, ClassToken, LearnedPositions,
                     FirstStep, Linear<1>> {};
#endif

#include "every_use.hpp"
