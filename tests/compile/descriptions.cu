// What a device program includes: descriptions, plan, layers and policies, what the compiler derives from them; and
// every body that is written once for a scalar or a batch, run by one thread of a device.
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/learn/losses.hpp>
#include <aila/learn/optimisers.hpp>

struct Described
    : aila::Network<aila::Sequence<12, 1>, aila::Stack<aila::integrate::Attention<>, aila::Repeat<4, aila::Lstm<64>>>,
                    aila::LastStep, aila::Linear<1>> {};

static_assert(aila::parameter_count<Described> == 157'505);

__global__ void first_parameter(float* out) {
  *out = static_cast<float>(aila::parameter_count<Described>);
}

namespace {

/// The parameters of one part: tensors in one array.
template <class S>
struct Arrays {
  const S* parameters;
  const std::uint32_t* offsets;
  S* gradients;
  __device__ aila::Weights<S> weights() const { return {parameters, offsets}; }
};

/// What a body adds gradients to.
template <class S>
struct Adder {
  S* gradients;
  const std::uint32_t* offsets;
  constexpr void add(std::size_t tensor, std::size_t element, S value) const {
    gradients[offsets[tensor] + element] += value;
  }
};

template <class L, class S>
__global__ void element_by_element(const S* x, S* y, S* slope) {
  *y = L::template value<S>(*x);
  *slope = L::template slope<S>(*x, *y);
}

template <class L, class In, class S>
__global__ void body(Arrays<S> arrays, const S* x, S* y, const S* dy, S* dx, S* scratch) {
  Adder<S> g{arrays.gradients, arrays.offsets};
  L::template forward<In>(x, arrays.weights(), y);
  if constexpr (aila::detail::body_scratch<L, In>() > 0)
    L::template backward<In>(x, arrays.weights(), dy, dx, g, scratch);
  else
    L::template backward<In>(x, arrays.weights(), dy, dx, g);
}

template <class P, class Own, class Before, class S>
__global__ void policy(Arrays<S> arrays, const S* own, const S* const* before, S* a, const S* da, S* d_own,
                       S* const* d_before, S* weights, S* scratch) {
  Adder<S> g{arrays.gradients, arrays.offsets};
  if constexpr (aila::detail::policy_scratch<P, Own, Before>() > 0) {
    P::template forward<Own, Before>(own, before, arrays.weights(), a, scratch);
    P::template backward<Own, Before>(own, before, arrays.weights(), da, d_own, d_before, g, scratch);
    if constexpr (P::template heads<Own, Before> > 0)
      P::template mixture<Own, Before>(own, before, arrays.weights(), weights, scratch);
  } else {
    P::template forward<Own, Before>(own, before, arrays.weights(), a);
    P::template backward<Own, Before>(own, before, arrays.weights(), da, d_own, d_before, g);
  }
}

template <class L, class Out, class S>
__global__ void loss(L of, const S* output, const S* target, S* gradient, S* value) {
  *value = of.template operator()<Out>(output, target, gradient);
}

template <class Rule, class S>
__global__ void update(Rule rule, S* parameter, S gradient, S* state) {
  rule(*parameter, gradient, state);
}

/// Their addresses: each kernel is compiled.
template <class S>
auto kernels() {
  using Row = aila::Vector<6>;
  using Own = aila::Sequence<4, 8>;
  using Same = aila::SameShapes<Own, 3>;
  using Others = aila::Shapes<aila::Sequence<4, 5>, Own>;
  using namespace aila::integrate;
  using Asking =
      Mixture<AttachedAt<Place::before>, RmsKeys, LearnedQuery, aila::Heads<2>, LearnedItems<1>, LearnedGain>;
  using Mapping = Mixture<ValuesOfEach, ScoreOfEach, SigmoidWeights, aila::Heads<2>, MeanOfWeights>;
  using Changing = AttentionMixture<aila::Heads<2>, ItemBias, NullItem, TaskInQuery, LearnedTemperature, GatedPrior,
                                    Inhibition, OutputMap>;
  using Hyper = HyperConnections<2>;
  using Gathering = Laurel<ResidualWeights, LowRank<2>, Previous<2>>;
  using Opened = aila::SelfAttention<2>::Open<Own>;
  const void* const all[] = {
      reinterpret_cast<const void*>(&element_by_element<aila::Identity, S>),
      reinterpret_cast<const void*>(&element_by_element<aila::Relu, S>),
      reinterpret_cast<const void*>(&element_by_element<aila::Gelu, S>),
      reinterpret_cast<const void*>(&element_by_element<aila::Silu, S>),
      reinterpret_cast<const void*>(&element_by_element<aila::Tanh, S>),
      reinterpret_cast<const void*>(&element_by_element<aila::Sigmoid, S>),
      reinterpret_cast<const void*>(&body<aila::Softmax, Row, S>),
      reinterpret_cast<const void*>(&body<aila::LayerNorm, Row, S>),
      reinterpret_cast<const void*>(&body<aila::ReluLayerNorm, Row, S>),
      reinterpret_cast<const void*>(&policy<Residual, Own, aila::SameShapes<Own, 1>, S>),
      reinterpret_cast<const void*>(&policy<Linear<>, Own, Others, S>),
      reinterpret_cast<const void*>(&policy<Linear<aila::Heads<2>, aila::TaskEmbedding>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<Linear<aila::Heads<2>, aila::Score<aila::Context>>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<Attention<>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<Attention<aila::TiedValues>, Own, aila::SameShapes<Own, 1>, S>),
      reinterpret_cast<const void*>(
          &policy<Attention<aila::Heads<2>, aila::KeyWidth<3>, aila::MeanOfHeads>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<DenseFormer<>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<ElmoMix, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<Asking, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<Mapping, Own, Others, S>),
      reinterpret_cast<const void*>(&policy<Changing, Own, Same, S>),
      reinterpret_cast<const void*>(
          &policy<AttentionMixture<KeysOfEach<2>, DistanceToOwn, TopWeights<2>>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<DeltaAttentionResiduals<GeluWeights>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<DeepCrossAttention<3>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<AttentionResiduals<RatioWeights, GatedValues, LucidValues>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<Mudd<4>, Own, Same, S>),
      reinterpret_cast<const void*>(&policy<UNetSkips, Own, aila::SameShapes<Own, 1>, S>),
      reinterpret_cast<const void*>(&policy<ReZero::Update, Own, aila::SameShapes<Own, 1>, S>),
      reinterpret_cast<const void*>(&policy<Highway::Update, Own, aila::SameShapes<Own, 1>, S>),
      reinterpret_cast<const void*>(&policy<Gathering::Begin, Own, aila::Shapes<>, S>),
      reinterpret_cast<const void*>(&policy<Gathering::Read, Own, aila::Shapes<>, S>),
      reinterpret_cast<const void*>(
          &policy<Gathering::Update::AtLayer<1, 3>, Own, aila::SameShapes<aila::Sequence<4, 16>, 1>, S>),
      reinterpret_cast<const void*>(&policy<Hyper::Begin, Own, aila::Shapes<>, S>),
      reinterpret_cast<const void*>(&policy<Hyper::Read::AtLayer<2, 3>, Own, aila::Shapes<>, S>),
      reinterpret_cast<const void*>(&policy<Hyper::Update, Own, aila::SameShapes<aila::Sequence<4, 16>, 1>, S>),
      reinterpret_cast<const void*>(&policy<Hyper::End, Own, aila::Shapes<>, S>),
      reinterpret_cast<const void*>(
          &policy<ValueResidual::Inside<Opened>, aila::Sequence<4, 24>, aila::SameShapes<aila::Sequence<4, 24>, 1>, S>),
      reinterpret_cast<const void*>(&loss<aila::MeanSquaredError, Row, S>),
      reinterpret_cast<const void*>(&loss<aila::MeanAbsoluteError, Row, S>),
      reinterpret_cast<const void*>(&loss<aila::Huber, Row, S>),
      reinterpret_cast<const void*>(&loss<aila::Quantile, Row, S>),
      reinterpret_cast<const void*>(&loss<aila::BinaryCrossEntropy, Row, S>),
      reinterpret_cast<const void*>(&loss<aila::CrossEntropy, Row, S>),
      reinterpret_cast<const void*>(&update<decltype(aila::Adam{}.template rule<S>(aila::OptimiserStep{})), S>),
      reinterpret_cast<const void*>(&update<decltype(aila::AdamW{}.template rule<S>(aila::OptimiserStep{})), S>),
      reinterpret_cast<const void*>(&update<decltype(aila::Sgd{}.template rule<S>(aila::OptimiserStep{})), S>),
  };
  return sizeof(all);
}

}  // namespace

std::size_t kernels_of_both() {
  return kernels<float>() + kernels<double>();
}
