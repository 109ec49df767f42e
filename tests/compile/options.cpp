// expect 1: aila: two options of one role; keep one of them
// expect 2: aila: two options of one role; keep one of them
// expect 3: aila: two options of one role; keep one of them
// expect 4: aila: this rule has no such option; see its header
// expect 5: aila: this rule has no such option; see its header
// expect 6: aila: this rule has no such option; see its header
// expect 7: aila: StatisticsRate is at most 1000, all the way to the batch's statistics
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
using namespace aila;

template <class Policy, class Core, class Readout>
using Stacked = Network<Sequence<12, 1>, Stack<Policy, Repeat<3, Core>>, LastStep, Readout>;

#if defined(MUST_FAIL_1)
struct Net : Stacked<integrate::Attention<Heads<2>, TiedValues, Heads<4>>, Lstm<8>, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Stacked<integrate::Linear<Score<Context>, Score<PerItem>>, Lstm<8>, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Stacked<integrate::None, Lstm<8>, Linear<1, Initial<init::HeNormal>, Initial<init::Zeros>>> {};
#elif defined(MUST_FAIL_4)
struct Net : Stacked<integrate::Linear<TiedValues>, Lstm<8>, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Stacked<integrate::None, Lstm<8, Heads<2>>, Linear<1>> {};
#elif defined(MUST_FAIL_6)
struct Net : Stacked<integrate::None, Lstm<8>, Linear<1, Relu>> {};
#elif defined(MUST_FAIL_7)
struct Net : Stacked<integrate::None, Chain<Lstm<8>, BatchNorm<StatisticsRate<1001>>>, Linear<1>> {};
#else
struct Net : Stacked<integrate::Attention<TiedValues, Heads<4>>, Lstm<8, Initial<init::Orthogonal>>, Linear<1>> {};
#endif

#include "every_use.hpp"
