// expect 1: aila: Lstm takes a sequence [steps, features]; this input is none
// expect 2: aila: Lstm takes a sequence [steps, features]; this input is none
// expect 3: aila: Lstm takes a sequence [steps, features]; this input is none
// expect 4: aila: Lstm takes real features; embed tokens first
// expect 5: aila: Lstm takes real features; embed tokens first
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)  // of a vector
struct Net : Network<Vector<12>, Lstm<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_2)  // of an image
struct Net : Network<Image<4, 4, 3>, Lstm<8>, Flatten, Linear<1>> {};
#elif defined(MUST_FAIL_3)  // behind a readout
struct Net : Network<Sequence<12, 1>, Lstm<8>, LastStep, Stack<integrate::None, Lstm<8>, Lstm<8>>, Linear<1>> {};
#elif defined(MUST_FAIL_4)  // of tokens
struct Net : Network<Tokens<12>, Lstm<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_5)  // in a stack and frozen
struct Net : Network<Tokens<10>, Stack<integrate::Attention<>, Frozen<Lstm<8>>, Lstm<8>>, LastStep, Linear<1>> {};
#else
struct Net : Network<Sequence<12, 1>, Stack<integrate::Attention<>, Repeat<3, Lstm<8>>>, LastStep, Linear<1>> {};
#endif

#include "every_use.hpp"
