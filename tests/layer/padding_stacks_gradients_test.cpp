// Padding changes no stack whose later maps have fewer steps, whatever connects its layers.
#include "padding.hpp"

using namespace aila;
using padding::check, padding::check_batch, padding::most;

namespace {

template <class Policy>
struct Of {
  template <std::size_t T>
  struct Net : Network<Sequence<T, 3>, Stack<Policy, Conv<4>, Lstm<4>, Conv<4, Stride<2>>, Gru<4>>, AttentionPooling<3>,
                       Linear<2>> {};
};
using Added = Of<integrate::Residual>;
using Dense = Of<integrate::DenseNet>;
using Scores = Of<integrate::Linear<Heads<2>, TaskEmbedding>>;
using Queries = Of<integrate::Attention<Heads<2>>>;

}  // namespace

TEST_CASE("padding changes no bit of stacks under any policy, with earlier maps pooled to fewer steps") {
  check<Added::Net, ReferenceDouble>();
  check<Dense::Net, ReferenceDouble>();
  check<Scores::Net, ReferenceDouble>();
  check<Queries::Net, ReferenceDouble>();
}

TEST_CASE("a sample of a stack is the same to the bit beside others of other lengths") {
  check_batch<Scores::Net<most>, CpuFloat>();
  check_batch<Queries::Net<most>, CpuFloat>();
}
