// expect 1: aila: Conv needs at least one filter
// expect 2: aila: Kernel, Stride, Dilation and Padding take one number, or height and width
// expect 3: aila: Kernel, Stride, Dilation, Groups and a pool's window begin at 1
// expect 4: aila: Kernel, Stride, Dilation, Groups and a pool's window begin at 1
// expect 5: aila: convolutions and pools take real features; embed tokens first
// expect 6: aila: convolutions and pools take a sequence or an image; this input is neither
// expect 7: aila: a sequence has one axis: Kernel<3>, Stride<2>, one number each
// expect 8: aila: this window is larger than its input with the padding
// expect 9: aila: Groups must divide both the features of the input and the filters
// expect 10: aila: this rule has no such option; see its header
// expect 11: aila: two options of one role; keep one of them
// expect 12: aila: this rule has no such option; see its header
// expect 13: aila: Kernel, Stride, Dilation, Groups and a pool's window begin at 1
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Image<8, 8, 3>, Conv<0>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Image<8, 8, 3>, Conv<4, Kernel<3, 3, 3>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Image<8, 8, 3>, Conv<4, Stride<2, 0>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Image<8, 8, 3>, Conv<4, Groups<0>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Tokens<12>, Conv<4>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Image<8, 8, 3>, Conv<4>, MeanOverPositions, Conv<4>, Linear<1>> {};
#elif defined(MUST_FAIL_7)
struct Net : Network<Sequence<12, 1>, Conv<4, Kernel<3, 5>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_8)
struct Net : Network<Image<8, 8, 3>, Stack<integrate::None, Conv<4>, Conv<4, Kernel<5>, Dilation<3>, Padding<1>>>,
                     MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_9)
struct Net : Network<Image<8, 8, 3>, Conv<4, Groups<3>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_10)
struct Net : Network<Image<8, 8, 3>, Conv<4, Relu>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_11)
struct Net : Network<Image<8, 8, 3>, Conv<4, Stride<2>, Stride<1>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_12)
struct Net : Network<Image<8, 8, 3>, DepthwiseConv<Groups<3>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_13)
struct Net : Network<Image<8, 8, 3>, DepthwiseConv<Kernel<0>>, MeanOverPositions, Linear<1>> {};
#else
struct Net : Network<Image<8, 8, 3>, Conv<4, Kernel<5, 3>, Stride<2, 1>, NoBias>, Conv<4, Groups<2>>, DepthwiseConv<>,
                     MeanOverPositions, Linear<1>> {};
#endif

#include "every_use.hpp"
