// expect 1: aila: SelfAttention takes a sequence [steps, features]; this input is none
// expect 2: aila: SelfAttention takes a sequence [steps, features]; this input is none
// expect 3: aila: the heads of SelfAttention must divide the features of its input
// expect 4: aila: the heads of SelfAttention must divide the features of its input
// expect 5: aila: SelfAttention needs at least one head
// expect 6: aila: this rule has no such option; see its header
// expect 7: aila: two options of one role; keep one of them
// expect 8: aila: AttentionPooling takes a sequence [steps, features]; this input is none
// expect 9: aila: AttentionPooling needs a width of at least one
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)  // behind a readout
struct Net : Network<Sequence<12, 8>, LastStep, SelfAttention<2>, Linear<1>> {};
#elif defined(MUST_FAIL_2)  // of tokens
struct Net : Network<Tokens<12>, SelfAttention<1>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Sequence<12, 8>, SelfAttention<3>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_4)  // inside a block
struct Net : Network<Sequence<12, 8>, Repeat<2, TransformerBlock<5, 16>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Sequence<12, 8>, SelfAttention<0>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Sequence<12, 8>, TransformerBlock<2, 16, Initial<init::HeNormal>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_7)
struct Net : Network<Sequence<12, 8>, TransformerBlock<2, 16, Relu, Gelu>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_8)  // behind another readout
struct Net : Network<Sequence<12, 8>, AttentionPooling<4>, AttentionPooling<4>, Linear<1>> {};
#elif defined(MUST_FAIL_9)
struct Net : Network<Sequence<12, 8>, AttentionPooling<0>, Linear<1>> {};
#else
struct Net : Network<Sequence<12, 8>, SelfAttention<2, Causal>, TransformerBlock<4, 16, Relu>, AttentionPooling<4>,
                     Linear<1>> {};
#endif

#include "every_use.hpp"
