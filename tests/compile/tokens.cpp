// expect 1: aila: Linear takes real features; embed tokens first
// expect 2: aila: an activation takes real features; embed tokens first
// expect 3: aila: an activation takes real features; embed tokens first
// expect 4: aila: LayerNorm takes real features; embed tokens first
// expect 5: aila: Dropout takes real features; embed tokens first
// expect 6: aila: Residual takes real features; embed tokens first
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Tokens<12>, Linear<8>, Relu, Flatten> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Tokens<12>, Gelu, Linear<8>, Flatten> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Tokens<10>, Identity, Flatten> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Tokens<12>, Chain<LayerNorm, Linear<8>>, Flatten> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Tokens<12>, Dropout<20>, Linear<8>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Tokens<12>, Residual<Linear<1>>, Flatten> {};
#else
struct Net : Network<Vector<12>, Dropout<20>, LayerNorm, Gelu, Identity, Linear<8>> {};
#endif

#include "every_use.hpp"
