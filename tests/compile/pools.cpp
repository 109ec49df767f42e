// expect 1: aila: the padding of a pool is at most half its window
// expect 2: aila: Kernel, Stride, Dilation, Groups and a pool's window begin at 1
// expect 3: aila: convolutions and pools take real features; embed tokens first
// expect 4: aila: convolutions and pools take a sequence or an image; this input is neither
// expect 5: aila: this window is larger than its input with the padding
// expect 6: aila: GlobalMaxPool takes a map with positions; this input is a vector
// expect 7: aila: this rule has no such option; see its header
// expect 8: aila: a sequence has one axis: Kernel<3>, Stride<2>, one number each
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Image<8, 8, 3>, MaxPool<3, Padding<2>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Image<8, 8, 3>, AveragePool<0>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Tokens<12>, MaxPool<2>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Image<8, 8, 3>, GlobalMaxPool, MaxPool<2>, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Sequence<3, 2>, MaxPool<2>, AveragePool<2>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Vector<8>, GlobalMaxPool, Linear<1>> {};
#elif defined(MUST_FAIL_7)
struct Net : Network<Image<8, 8, 3>, MaxPool<2, Dilation<2>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_8)
struct Net : Network<Sequence<8, 2>, MaxPool<2, Width<2>>, LastStep, Linear<1>> {};
#else
struct Net
    : Network<Image<8, 8, 3>, MaxPool<3, Stride<2>, Padding<1>>, AveragePool<2, Width<1>>, GlobalMaxPool, Linear<1>> {};
#endif

#include "every_use.hpp"
