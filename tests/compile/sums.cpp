// expect 1: aila: Sum needs at least one layer
// expect 2: aila: the layers inside Sum must give one shape; these differ
// expect 3: aila: the layers inside Sum must leave a sample equally many valid steps
// expect 4: aila: Shortcut needs at least one output feature
// expect 5: aila: Shortcut keeps all features of its input; it needs at least as many as that has
// expect 6: aila: Shortcut takes a sequence or an image, and a stride of one number or one for each axis
// expect 7: aila: this rule has no such option; see its header
// expect 8: aila: Linear needs at least one output feature
// expect 9: aila: this layer has no kernel on this backend; give it a body or kernel
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

/// A layer without behaviour.
struct Still {
  template <class In>
  using Out = In;
};

#if defined(MUST_FAIL_1)
struct Net : Network<Vector<4>, Sum<>, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Vector<4>, Sum<Linear<3>, Linear<4>>, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Sequence<9, 3>, Sum<Shortcut<3, Stride<2>>, Chain<ClassToken, Shortcut<3, Stride<2>>>>, LastStep,
                     Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Sequence<9, 3>, Shortcut<0>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Image<8, 8, 6>, Sum<Shortcut<4, Stride<2>>, Conv<4, Stride<2>>>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Vector<4>, Shortcut<4>, Linear<1>> {};
#elif defined(MUST_FAIL_7)
struct Net : Network<Sequence<9, 3>, Shortcut<4, Kernel<3>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_8)  // the error is that of the layer inside
struct Net : Network<Vector<4>, Sum<Linear<3>, Chain<Linear<0>, Linear<3>>>, Linear<1>> {};
#elif defined(MUST_FAIL_9)
struct Net : Network<Vector<4>, Sum<Identity, Chain<Linear<4>, Still>>, Linear<1>> {};
#else
struct Net : Network<Image<8, 8, 3>, Sum<Shortcut<4, Stride<2>>, Chain<Conv<4, Stride<2>>, Tanh, Conv<4>>>,
                     MeanOverPositions, Linear<1>> {};
#endif

#include "every_use.hpp"
