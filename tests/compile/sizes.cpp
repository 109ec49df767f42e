// expect 1: aila: a shape needs at least one extent and no extent of zero
// expect 2: aila: a shape needs at least one extent and no extent of zero
// expect 3: aila: Tokens needs at least one step
// expect 4: aila: Lstm needs at least one unit
// expect 5: aila: Linear needs at least one output feature
// expect 6: aila: Dropout takes a percentage from 0 to 99
// expect 7: aila: Repeat needs a count of at least one
// expect 8: aila: Repeat needs at least one layer
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Sequence<12, 0>, Lstm<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Shape<>, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Tokens<0>, Lstm<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Sequence<12, 1>, Stack<integrate::Attention<>, Lstm<8>, Lstm<0>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Sequence<12, 1>, Lstm<8>, LastStep, Linear<0>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Sequence<12, 1>, Lstm<8>, Dropout<100>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_7)
struct Net : Network<Sequence<12, 1>, Stack<integrate::Attention<>, Repeat<0, Lstm<8>>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_8)
struct Net : Network<Sequence<12, 1>, Repeat<2>, LastStep, Linear<1>> {};
#else
struct Net : Network<Sequence<12, 1>, Repeat<1, Lstm<8>>, Dropout<99>, LastStep, Linear<1>> {};
#endif

#include "every_use.hpp"
