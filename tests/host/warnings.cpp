// A program that asks its compiler for every warning, and has the headers among its own: tests/compile/host.cmake says
// which. Each kind of layer, policy, loss and metric is trained and predicts, so that all templates are looked into.
#include <aila/aila.hpp>
#include <aila/any_model.hpp>
#include <aila/data/background.hpp>
#include <aila/data/cifar10.hpp>
#include <aila/data/csv.hpp>
#include <aila/data/glove.hpp>
#include <aila/data/gzip.hpp>
#include <aila/data/image_source.hpp>
#include <aila/data/imdb.hpp>
#include <aila/data/labelled_texts.hpp>
#include <aila/data/mnist.hpp>
#include <aila/data/pnm.hpp>
#include <aila/data/scores.hpp>
#include <aila/data/split.hpp>
#include <aila/data/text_source.hpp>
#include <aila/data/tsv.hpp>
#include <aila/data/windows.hpp>
#include <aila/eigen.hpp>
#include <aila/eigen_tensor.hpp>
#include <aila/io.hpp>
#include <aila/io/plot.hpp>
#include <aila/learn/check_gradients.hpp>
#include <aila/learn/check_loss_gradients.hpp>
#include <aila/learn/console.hpp>
#include <aila/zoo/zoo.hpp>
#include <filesystem>
#include <vector>

namespace host {

using namespace aila;

struct Steps
    : Network<Sequence<8, 4>, Conv<6, Kernel<3>, Stride<2>>, BatchNorm<>, Gelu, DepthwiseConv<Kernel<3>>,
              AveragePool<2>, Bidirectional<Gru<4>>, LayerNorm, Dropout<10>, Residual<Linear<8>, StochasticDepth<10>>,
              Concat<Linear<2>>, Sum<Lstm<12>, Shortcut<12>>, Frozen<Linear<6>>, AttentionPooling<4>, Linear<1>> {};
struct Pictures
    : Network<Image<12, 12, 2>, Stack<integrate::Attention<TiedValues>, Conv<4>, Conv<4, Stride<2>>, Conv<4>>,
              DepthwiseConv<>, SqueezeExcitation<2>, PatchEmbedding<3, 8>, ClassToken, LearnedPositions,
              TransformerBlock<2, 16>, FirstStep, Linear<3>> {};
struct Words : Network<Tokens<6>, Embedding<8>, SinusoidalPositions, SelfAttention<2>, Silu,
                       Stack<integrate::Linear<Heads<2>, TaskEmbedding>, Repeat<3, Gru<8>>>,
                       Stack<integrate::DenseNet, Repeat<3, Linear<8>>>, Stack<integrate::Residual, Repeat<2, Lstm<8>>>,
                       MeanOverPositions, Linear<2>> {};
struct Small : Network<Image<8, 8, 1>, Conv<4>, Relu, MaxPool<2>, Tanh, Conv<4, Kernel<1>>, Sigmoid, GlobalMaxPool,
                       Stack<integrate::None, Linear<4>, Identity>, Softmax, Flatten, Linear<1>> {};
struct Steady
    : Network<Sequence<6, 2>, Stack<integrate::Attention<Heads<2>>, Repeat<2, Lstm<4>>>, LastStep, Linear<1>> {};

/// Trains, measures, keeps and explains Net.
template <class Net, class LossType, class Optimiser, class Metric>
double every_use(const Samples<NetworkInput<Net>>& samples, const LossType& loss, const Optimiser& optimiser,
                 Metric& metric, const std::filesystem::path& file) {
  Model<Net> model{Seed{7}};
  const History history = fit(model, samples, loss, optimiser, {.validation = samples, .epochs = 2, .threads = 2});
  io::save(model, file);
  io::load(model, file);
  const auto outputs = predict(model, samples);
  metric.add(outputs, samples.targets);
  Predictor<Net> predictor{model};
  const auto seen = parameter_matrix(model, "linear.bias");
  return history.epochs.back().training_loss + evaluate(model, samples, loss) +
         static_cast<double>(predictor(samples.inputs)[0] + seen(0, 0)) +
         static_cast<double>(summary<Net>().size() + graph<Net>().size());
}

template double every_use<Steps>(const Samples<NetworkInput<Steps>>&, const Huber&, const Sgd&,
                                 metric::MeanAbsoluteError&, const std::filesystem::path&);
template double every_use<Pictures>(const Samples<NetworkInput<Pictures>>&, const CrossEntropy&, const Adam&,
                                    metric::ConfusionMatrix&, const std::filesystem::path&);
template double every_use<Words>(const Samples<NetworkInput<Words>>&, const CrossEntropy&, const AdamW&,
                                 metric::TopKAccuracy&, const std::filesystem::path&);

template double every_use<Small>(const Samples<NetworkInput<Small>>&, const Quantile&, const Sgd&, metric::RSquared&,
                                 const std::filesystem::path&);

/// The losses and metrics that no network above has.
inline double every_measure(const Model<Small>& model, const Samples<NetworkInput<Small>>& samples) {
  const std::vector<float> outputs = predict(model, samples);
  metric::BinaryAccuracy accuracy;
  metric::BinaryF1 f1;
  metric::MeanSquaredError squared;
  metric::MeanAbsoluteScaledError scaled{metric::naive_error(samples.targets, 12)};
  metric::Skill skill;
  accuracy.add(outputs, samples.targets);
  f1.add(outputs, samples.targets);
  squared.add(outputs, samples.targets);
  scaled.add(outputs, samples.targets);
  skill.add(outputs, samples.targets, samples.targets);
  return evaluate(model, samples, MeanSquaredError{}) + evaluate(model, samples, MeanAbsoluteError{}) +
         evaluate(model, samples, BinaryCrossEntropy{}) + accuracy.value() + f1.value() + squared.value() +
         scaled.value() + skill.value();
}

/// Steps one by one, and two threads to one sequence.
inline float every_step(const Model<Steady>& model, const std::vector<float>& x) {
  Stream<Steady> stream{model};
  WavefrontPredictor<Steady> wavefront{model};
  return stream.step(std::span<const float, 2>(x.data(), 2))[0] + wavefront(x)[0];
}

/// Numbers as Eigen sees them.
inline float every_view(const std::vector<float>& numbers) {
  return as_vector(numbers).sum() + as_matrix(numbers, 2, 3)(1, 2) + as_tensor(numbers, 1, 2, 3)(0, 1, 2);
}

/// The checks that users have for layers of their own.
inline bool every_check() {
  return check_gradients<Linear<3>, Vector<2>>().ok && check_loss_gradients<MeanSquaredError, Vector<2>>().ok;
}

}  // namespace host

template struct aila::NetworkUnit<host::Steady>;
template class aila::data::ImageSource<aila::Image<8, 8, 1>>;
template struct aila::ImagesView<aila::Image<8, 8, 1>>;
template class aila::data::TextSource<aila::Tokens<6>>;
template struct aila::TextsView<aila::Tokens<6>>;
template struct aila::TextsView<aila::Sequence<6, 2>>;
template class aila::data::Background<aila::Tokens<6>>;
