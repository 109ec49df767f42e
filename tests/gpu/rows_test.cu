// Layers that are bound by memory: norms, pools, readouts, positions, dropout, embeddings.
#include "compare.hpp"

using namespace aila;

namespace {
struct Norms : Network<Sequence<9, 64>, LayerNorm, ReluLayerNorm> {};
struct NarrowNorm : Network<Image<3, 3, 3>, LayerNorm> {};
struct WideNorm : Network<Sequence<2, 1500>, ReluLayerNorm> {};
struct Batches : Network<Image<5, 4, 6>, BatchNorm<>, Tanh, BatchNorm<Epsilon<1000>>> {};
struct BatchesOfSteps : Network<Sequence<7, 33>, BatchNorm<>> {};
struct BatchesOfVectors : Network<Vector<70>, BatchNorm<StatisticsRate<300>>> {};
struct FrozenBatches : Network<Image<5, 4, 6>, Tanh, Frozen<BatchNorm<>>> {};
struct MaxPools : Network<Image<9, 8, 5>, MaxPool<3, Stride<2>, Padding<1>>> {};
struct AveragePools : Network<Image<9, 8, 5>, AveragePool<3, Stride<1>>> {};
struct PoolsOfSteps : Network<Sequence<12, 5>, MaxPool<3, Stride<2>>, AveragePool<2>> {};
struct Greatest : Network<Image<6, 5, 70>, GlobalMaxPool> {};
struct GreatestStep : Network<Sequence<30, 4>, GlobalMaxPool> {};
struct Means : Network<Image<6, 5, 70>, MeanOverPositions> {};
struct MeanOfSteps : Network<Sequence<300, 4>, MeanOverPositions> {};
struct LastOf : Network<Sequence<7, 33>, LastStep> {};
struct Flat : Network<Sequence<7, 33>, Flatten> {};
struct Short : Network<Image<8, 6, 5>, Shortcut<9, Stride<2>>> {};
struct Sliced : Network<Sequence<7, 33>, Slice<4, 9>> {};
struct Classed : Network<Sequence<7, 33>, ClassToken, FirstStep> {};
struct InPlaces : Network<Sequence<7, 33>, LearnedPositions, SinusoidalPositions> {};
struct Dropped : Network<Sequence<7, 33>, Dropout<30>, StochasticDepth<20>, Tanh> {};
struct Words : Network<Tokens<9>, Embedding<24>, Tanh> {};
struct Squeezed : Network<Image<5, 4, 6>, SqueezeExcitation<3>> {};
struct Halves : Network<Image<8, 8, 4>, Stack<integrate::Residual, Tanh, AveragePool<2>, Tanh>> {};
struct HalvesOfSteps : Network<Sequence<8, 4>, Stack<integrate::Residual, Tanh, AveragePool<2>, Tanh>> {};
}  // namespace

TEST_CASE("norms") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Norms>("layer norms of 64", {1, 67, 700});
  gpu::compare_all<NarrowNorm>("layer norm of 3", {1, 67});
  gpu::compare_all<WideNorm>("layer norm of 1500", {1, 67});
  for (const bool training : {false, true}) {
    gpu::compare_all<Batches>("batch norm of an image", {2, 67, 500}, training);
    gpu::compare_all<BatchesOfSteps>("batch norm of steps", {2, 67}, training);
    gpu::compare_all<BatchesOfVectors>("batch norm of vectors", {2, 67, 3000}, training);
    gpu::compare_all<FrozenBatches>("batch norm, frozen", {2, 67}, training);
  }
}

TEST_CASE("pools and readouts") {
  if (!gpu::is_there()) return;
  gpu::compare_all<MaxPools>("max pool");
  gpu::compare_all<AveragePools>("average pool");
  gpu::compare_all<PoolsOfSteps>("pools of steps");
  gpu::compare_all<Greatest>("global max pool");
  gpu::compare_all<GreatestStep>("global max pool of steps");
  gpu::compare_all<Means>("mean");
  gpu::compare_all<MeanOfSteps>("mean of steps");
  gpu::compare_all<LastOf>("last step");
  gpu::compare_all<Flat>("flatten");
  gpu::compare_all<Short>("shortcut");
  gpu::compare_all<Sliced>("slice");
  gpu::compare_all<Halves>("maps that become smaller");
  gpu::compare_all<HalvesOfSteps>("sequences that become shorter");
}

TEST_CASE("positions, dropout, embeddings") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Classed>("class token");
  gpu::compare_all<InPlaces>("positions");
  gpu::compare_all<Dropped>("dropout, evaluation");
  gpu::compare_all<Dropped>("dropout", {1, 5, 67}, true);
  gpu::compare_all<Words>("embedding", {1, 5, 67});
}
