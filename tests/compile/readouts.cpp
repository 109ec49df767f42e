// expect 1: aila: LastStep takes a sequence [steps, features]; this input is none
// expect 2: aila: LastStep takes a sequence [steps, features]; this input is none
// expect 3: aila: MeanOverPositions takes a map with positions; this input is a vector
// expect 4: aila: Flatten takes real features; embed tokens first
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)  // twice
struct Net : Network<Sequence<12, 1>, Lstm<8>, LastStep, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_2)  // behind another readout, inside a chain
struct Net : Network<Image<4, 4, 3>, Chain<MeanOverPositions, LastStep>, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Vector<12>, Linear<8>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Tokens<12>, Flatten, Linear<1>> {};
#else
struct Net : Network<Image<4, 4, 3>, Linear<8>, Chain<MeanOverPositions, Flatten>, Linear<1>> {};
#endif

#include "every_use.hpp"
