// Batch normalisation and squeeze-and-excitation against figures that PyTorch made (figures/make_norms.py).
#include "figures.hpp"

using namespace aila;
using layer_figures::check, layer_figures::Net;

TEST_CASE("BatchNorm is PyTorch's, by running statistics and by the batch's, which it collects") {
  check<Net<Image<2, 4, 5>, BatchNorm<>>>("batch-norm-evaluation");
  check<Net<Image<2, 4, 5>, BatchNorm<>>>("batch-norm-training");
  check<Net<Sequence<3, 17>, BatchNorm<StatisticsRate<250>, Epsilon<1000>>>>("batch-norm-options");
}

TEST_CASE("SqueezeExcitation is what PyTorch makes of its formula") {
  check<Net<Image<3, 4, 6>, SqueezeExcitation<3, Silu>>>("squeeze-excitation");
  check<Net<Sequence<5, 17>, SqueezeExcitation<4>>>("squeeze-excitation-relu");
}
