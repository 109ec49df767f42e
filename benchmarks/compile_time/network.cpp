// What compile_time.cmake compiles: POLICY and DEPTH choose the network, PLACE asks for its plan alone.
#include <aila/aila.hpp>

using namespace aila;

#ifdef POLICY
struct Forecaster : Network<Sequence<12, 1>, Stack<integrate::POLICY, Repeat<DEPTH, Lstm<64>>>, LastStep, Linear<1>> {};

#ifdef PLACE
static_assert(parameter_count<Forecaster> > 0);
#else
float trained(const Samples<Sequence<12, 1>>& data) {
  Model<Forecaster> model{Seed{7}};
  fit(model, data, {.validation = data, .epochs = 3, .patience = 2});
  Predictor predict{model};
  return predict(std::array<float, 12>{})[0];
}
#endif
#endif
