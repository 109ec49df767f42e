// expect 1: aila: a chain, a Residual or a network needs at least one layer
// expect 2: aila: a chain, a Residual or a network needs at least one layer
// expect 3: aila: Network begins with its input: a Sequence, Image, Vector or Tokens
// expect 4: aila: this type is not a network; derive it from Network<input, layers...>
// expect 5: aila: this type is no layer: it has no template <class In> using Out
// expect 6: aila: this type is no layer: it has no template <class In> using Out
// expect 7: aila: this type is no layer: it has no template <class In> using Out
// expect 8: aila: the layers inside Residual must give back the shape they take
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Sequence<12, 1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Sequence<12, 1>, Chain<>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_3)  // the input was forgotten
struct Net : Network<Lstm<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_4)  // a layer in place of a network
using Net = Chain<Lstm<8>, LastStep, Linear<1>>;
#elif defined(MUST_FAIL_5)
struct Settings {};
struct Net : Network<Sequence<12, 1>, Lstm<8>, Settings, Linear<1>> {};
#elif defined(MUST_FAIL_6)  // a policy among layers
struct Net : Network<Sequence<12, 1>, Stack<integrate::None, Lstm<8>, integrate::Attention<>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_7)  // an option of a stack among layers
struct Net : Network<Sequence<12, 1>, Lstm<8>, Epilogue<Identity>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_8)
struct Net : Network<Sequence<12, 1>, Residual<Lstm<8>>, LastStep, Linear<1>> {};
#else
struct Net : Network<Sequence<12, 1>, Chain<Lstm<8>>, Residual<Linear<8>, Tanh>, LastStep, Linear<1>> {};
#endif

#include "every_use.hpp"
