// What a device program includes: descriptions, plan, layers and policies, and what the compiler derives from them.
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/network.hpp>

struct Described
    : aila::Network<aila::Sequence<12, 1>, aila::Stack<aila::integrate::Attention<>, aila::Repeat<4, aila::Lstm<64>>>,
                    aila::LastStep, aila::Linear<1>> {};

static_assert(aila::parameter_count<Described> == 157'505);

__global__ void first_parameter(float* out) {
  *out = static_cast<float>(aila::parameter_count<Described>);
}
