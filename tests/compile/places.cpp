// expect 1: aila: this policy reads the stack's input, which are tokens; embed them before the stack
// expect 2: aila: sums and differences of layers need maps of one shape, the cores' input and output
// expect 3: aila: a carried state needs cores that keep the positions, and an update of its own shape
// expect 4: aila: this policy attaches inside cores; none of these opens, as SelfAttention does
// expect 5: aila: a policy inside cores needs what is inside them to be of one shape
// expect 6: aila: Together has two policies for what a core reads, or for what the stack gives
// expect 7: aila: Together takes policies, integrate::...; one of these is none
// expect 8: aila: the heads of a mixture must divide the layer's width
// expect 9: aila: a mixture of items as they are needs maps of the layer's width
// expect 10: aila: MeanOfHeads is of keys and values that each head has: map both, or take MeanOfWeights
// expect 11: aila: a mixture needs an item
// expect 12: aila: an axis of a mixture counts from one: blocks, dilation, period, widths of keys
// expect 13: aila: this rule has no such option; see its header
// expect 14: aila: earlier maps must divide into whole windows of this layer's map
// expect 15: aila: Slice needs at least one feature
// expect 16: aila: Slice takes real features; embed tokens first
// expect 17: aila: Slice ends behind the last feature of its input
// expect 18: aila: Attend takes a sequence [steps, 3 features]; this input is none
// expect 19: aila: Attend takes queries, keys and values of equal width, which its heads divide
// expect 20: aila: SelfAttention needs at least one head
// expect 21: aila: hyper-connections need cores that keep the width of the stack's input
// expect 22: aila: a residual stream needs cores that keep the width of the stack's input
// expect 23: aila: ways, and a choice of items or layers, are for mixtures before the cores and at the readout
// expect 24: aila: LucidValues compare keys: take RmsKeys, SharedKeys or KeysOfEach, and scores that ask them
// expect 25: aila: ways, and a choice of items or layers, are for mixtures before the cores and at the readout
// expect 26: aila: ways, and a choice of items or layers, are for mixtures before the cores and at the readout
// expect 27: aila: ways, and a choice of items or layers, are for mixtures before the cores and at the readout
// expect 28: aila: ways, and a choice of items or layers, are for mixtures before the cores and at the readout
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;
namespace in = aila::integrate;

template <class Policy, class... Cores>
using Stacked = Network<Sequence<12, 8>, Stack<Policy, Cores...>, LastStep, Linear<1>>;
using Before = in::AttachedAt<in::Place::before>;
using Deltas = in::Mixture<Before, in::Of<in::Items::deltas>>;

#if defined(MUST_FAIL_1)
struct Net : Network<Tokens<12>, Stack<in::DenseFormer<>, Embedding<8>, Lstm<8>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Stacked<Deltas, Lstm<8>, Lstm<6>, Lstm<8>> {};
#elif defined(MUST_FAIL_3)
struct Net : Stacked<in::HyperConnections<2>, Lstm<8>, Conv<8, Stride<2>>> {};
#elif defined(MUST_FAIL_4)
struct Net : Stacked<in::ValueResidual, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_5)
struct Net : Stacked<in::ValueResidual, SelfAttention<2>, Linear<6>, SelfAttention<2>> {};
#elif defined(MUST_FAIL_6)
struct Net : Stacked<in::Together<in::DenseFormer<>, in::HyperConnections<2>>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_7)
struct Net : Stacked<in::Together<in::DenseFormer<>, Lstm<8>>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_8)
struct Net : Stacked<in::Mixture<Heads<3>, in::ScoreOfEach>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_9)
struct Net : Stacked<in::DenseFormer<>, Lstm<8>, Lstm<6>> {};
#elif defined(MUST_FAIL_10)
struct Net : Stacked<in::Mixture<Heads<2>, MeanOfHeads, in::ValuesOfEach>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_11)
struct Net : Stacked<in::Mixture<Before, in::WithoutOwn, in::WithoutInput>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_12)
struct Net : Stacked<in::DenseFormer<0>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_13)
struct Net : Stacked<in::Mixture<TiedValues>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_14)
struct Net : Stacked<in::DenseFormer<>, Conv<8, Kernel<5>, Padding<0>>, Lstm<8>> {};
#elif defined(MUST_FAIL_15)
struct Net : Network<Sequence<12, 8>, Slice<0, 0>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_16)
struct Net : Network<Tokens<12>, Slice<0, 1>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_17)
struct Net : Network<Sequence<12, 8>, Slice<4, 5>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_18)
struct Net : Network<Vector<12>, Attend<2>, Linear<1>> {};
#elif defined(MUST_FAIL_19)
struct Net : Network<Sequence<12, 8>, Attend<2>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_20)
struct Net : Network<Sequence<12, 12>, Attend<0>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_21)
struct Net : Stacked<in::HyperConnections<2>, Lstm<8>, Lstm<6>> {};
#elif defined(MUST_FAIL_22)
struct Net : Stacked<in::Highway, Lstm<8>, Lstm<6>> {};
#elif defined(MUST_FAIL_23)
struct Net : Stacked<in::LinearMixture<in::Newest<2>>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_24)
struct Net : Stacked<in::LinearMixture<in::LucidValues>, Repeat<2, Lstm<8>>> {};
#elif defined(MUST_FAIL_25)
struct Net : Stacked<in::LinearMixture<in::Dilated<2>>, Repeat<3, Lstm<8>>> {};
#elif defined(MUST_FAIL_26)
struct Net : Stacked<in::AttentionMixture<in::Every<2>>, Repeat<3, Lstm<8>>> {};
#elif defined(MUST_FAIL_27)
struct Net : Stacked<in::LinearMixture<in::InBlocks<3>>, Repeat<3, Lstm<8>>> {};
#elif defined(MUST_FAIL_28)
struct Net : Stacked<in::LinearMixture<in::Of<in::Items::sums>>, Repeat<3, Lstm<8>>> {};
#else
struct Net
    : Network<Sequence<12, 8>, Stack<in::Together<in::DenseFormer<2>, in::Linear<>, in::ElmoMix>, Lstm<8>, Gru<8>>,
              Stack<in::ValueResidual, Repeat<2, SelfAttention<2>>>, Slice<0, 3>, LastStep, Linear<1>> {};
#endif

#include "every_use.hpp"
