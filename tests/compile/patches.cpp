// expect 1: aila: PatchEmbedding takes an image [height, width, channels]; this input is none
// expect 2: aila: PatchEmbedding takes an image [height, width, channels]; this input is none
// expect 3: aila: the patch of PatchEmbedding must divide height and width of the image
// expect 4: aila: PatchEmbedding needs a patch and a width of at least one
// expect 5: aila: StochasticDepth takes real features; embed tokens first
// expect 6: aila: StochasticDepth takes a percentage from 0 to 99, or a part smaller than its whole
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Sequence<8, 3>, PatchEmbedding<2, 8>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_2)  // of tokens
struct Net : Network<Tokens<8>, PatchEmbedding<2, 8>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Image<8, 6, 3>, PatchEmbedding<4, 8>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Image<8, 8, 3>, PatchEmbedding<0, 8>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Tokens<8>, StochasticDepth<10>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Image<8, 8, 3>, Residual<Linear<3>, StochasticDepth<100>>, MeanOverPositions, Linear<1>> {};
#else
struct Net : Network<Image<8, 8, 3>, PatchEmbedding<4, 8>, Residual<Linear<8>, StochasticDepth<10>>, MeanOverPositions,
                     Linear<1>> {};
#endif

#include "every_use.hpp"
