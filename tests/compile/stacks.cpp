// expect 1: aila: the first argument of Stack is its policy, one of integrate::...
// expect 2: aila: the first argument of Stack is its policy, one of integrate::...
// expect 3: aila: a stack needs at least one layer
// expect 4: aila: two options of one role; a stack has one epilogue
// expect 5: aila: the epilogue of a stack must keep the shape of the layer
// expect 6: aila: LastStep takes a sequence [steps, features]; this input is none
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

template <class... Parts>
using Stacked = Network<Sequence<12, 1>, Stack<Parts...>, LastStep, Linear<1>>;

#if defined(MUST_FAIL_1)  // the policy was forgotten
struct Net : Stacked<Repeat<4, Lstm<8>>> {};
#elif defined(MUST_FAIL_2)  // or stands in another place
struct Net : Stacked<Lstm<8>, Lstm<8>, integrate::Attention<>> {};
#elif defined(MUST_FAIL_3)
struct Net : Stacked<integrate::Attention<>> {};
#elif defined(MUST_FAIL_4)
struct Net : Stacked<integrate::Attention<>, Epilogue<Relu>, Repeat<2, Lstm<8>>, Epilogue<LayerNorm>> {};
#elif defined(MUST_FAIL_5)
struct Net : Stacked<integrate::Attention<>, Repeat<4, Lstm<8>>, Epilogue<Linear<4>>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Vector<12>, Stack<integrate::Attention<>, Repeat<4, Linear<8>>, Epilogue<LastStep>>, Linear<1>> {};
#else
struct Net : Stacked<integrate::Attention<>, Repeat<4, Lstm<8>>, Epilogue<LayerNorm>> {};
#endif

#include "every_use.hpp"

// Where nothing is refused.
#if !defined(MUST_FAIL_1) && !defined(MUST_FAIL_2) && !defined(MUST_FAIL_3) && !defined(MUST_FAIL_4) && \
    !defined(MUST_FAIL_5) && !defined(MUST_FAIL_6)
// A compiler takes so many operations of a constant: clang a million, g++ 33.
using Deep = Stack<integrate::Attention<>, Repeat<160, Linear<4>>, Epilogue<Identity>>;
static_assert(KernelFor<Placed<Deep, Vector<4>>, backend::Cpu>::plan.nodes == 160 + 159);
#endif
