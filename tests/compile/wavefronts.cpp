// expect 1: aila: a wavefront needs two steps, and two first layers that go step by step; see Stream
// expect 2: aila: a wavefront needs two steps, and two first layers that go step by step; see Stream
// expect 3: aila: a wavefront needs two steps, and two first layers that go step by step; see Stream
// expect 4: aila: a wavefront needs two steps, and two first layers that go step by step; see Stream
// expect 5: aila: this type is not a network; derive it from Network<input, layers...>
// expect 6: aila: this network has a kernel of its own; to go step by step its layers are needed
#include <aila/aila.hpp>
using namespace aila;

#if defined(MUST_FAIL_1)
struct Net : Network<Sequence<12, 2>, Lstm<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Sequence<12, 2>, Lstm<8>, Bidirectional<Lstm<8>>, Lstm<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Sequence<1, 2>, Lstm<8>, Lstm<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Image<8, 8, 2>, Conv<4>, Conv<4>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_5)
using Net = Chain<Gru<8>, Gru<8>, LastStep>;
#elif defined(MUST_FAIL_6)
#include "whole_kernel.hpp"
#else
struct Net : Network<Sequence<12, 2>, Lstm<8>, Gru<8>, Bidirectional<Lstm<8>>, LastStep, Linear<1>> {};
#endif

float first_output(const Model<Net>& model, const std::vector<float>& x) {
  WavefrontPredictor predict{model};
  return predict(x)[0];
}
