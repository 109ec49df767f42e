// What compile_time.cmake and compile_time.py compile: POLICY and DEPTH choose the network, or SHAPES how many widths
// its 16 layers have among them; PLACE asks for its plan alone.
#include <aila/aila.hpp>
#include <utility>

using namespace aila;

#ifdef SHAPES
template <std::size_t... Layer>
Stack<integrate::None, Lstm<16 + 8 * (Layer % SHAPES)>...> of_widths(std::index_sequence<Layer...>);
using Layers = decltype(of_widths(std::make_index_sequence<16>{}));
#elif defined(POLICY)
using Layers = Stack<integrate::POLICY, Repeat<DEPTH, Lstm<64>>>;
#endif

#if defined(SHAPES) || defined(POLICY)
struct Forecaster : Network<Sequence<12, 1>, Layers, LastStep, Linear<1>> {};

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
