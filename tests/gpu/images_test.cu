// Images on the device: their bytes are copied once, and batches are made of them there, bit by bit as the host makes
// them.
#include <aila/data/image_source.hpp>
#include <algorithm>
#include <numeric>

#include "compare.hpp"
#include "sources.hpp"

using namespace aila;
using data::Augmentation;

namespace {

struct Small : Network<Image<6, 6, 2>, Conv<4>, Relu, GlobalMaxPool, Linear<3>> {};
using SmallSource = data::ImageSource<NetworkInput<Small>>;

template <class In>
data::ImageSet images(std::size_t count, std::uint64_t seed = 1) {
  data::ImageSet set{
      .height = In::extents[0], .width = In::extents[1], .channels = In::extents[2], .classes = {"a", "b", "c"}};
  std::mt19937_64 engine(seed);
  for (std::size_t i = 0; i < count; ++i) set.labels.push_back(static_cast<data::Label>(engine() % 3));
  for (std::size_t i = 0; i < count * In::elements; ++i) set.pixels.push_back(static_cast<std::uint8_t>(engine()));
  return set;
}
data::ChannelScaling scaling(std::size_t channels) {
  data::ChannelScaling by;
  for (std::size_t c = 0; c < channels; ++c) {
    by.mean.push_back(0.3 + 0.01 * static_cast<double>(c));
    by.deviation.push_back(0.2 + 0.03 * static_cast<double>(c));
  }
  return by;
}

template <class In>
using Loaded = gpu::Loaded<data::ImageSource<In>, In>;
using Counted = gpu::Counted<SmallSource, NetworkInput<Small>>;
/// Its samples are not those of the view that it inherits.
struct Darker : SmallSource {
  using SmallSource::SmallSource;
  void load(std::size_t i, SampleSlot<NetworkInput<Small>, float>& slot) const {
    SmallSource::load(i, slot);
    for (std::size_t e = 0; e < NetworkInput<Small>::elements; ++e) slot.input[e] *= 0.5F;
  }
};

/// Batches of a copy and of `load`, with a number behind each array that must stay.
template <class In>
void check_batches(std::size_t count) {
  const auto set = images<In>(count);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < count; ++i)
    if (i % 5 != 2) rows.push_back(count - 1 - i);
  rows.push_back(0);  // once more
  const std::size_t most = rows.size();
  const aila::cuda::Queue queue;
  aila::cuda::BatchNumbersMirror numbers(most);
  const std::size_t side = std::min(In::extents[0], In::extents[1]);
  for (const Augmentation& augmentation :
       {Augmentation{}, Augmentation{.padding = 2}, Augmentation{.padding = side}, Augmentation{.flip = true},
        Augmentation{.cutout = 3}, Augmentation{.padding = 3, .flip = true, .cutout = 4},
        Augmentation{.cutout = 1000}}) {
    const data::ImageSource<In> source(set, scaling(In::extents[2]), rows, augmentation, Seed{5});
    aila::cuda::KeptSource<In> kept;
    CHECK(!kept.holds(source));
    kept.keep(source, queue);
    REQUIRE(kept.holds(source));
    for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{1} << 40U})
      for (const std::size_t samples : {most, std::size_t{3}, std::size_t{1}}) {
        std::vector<std::size_t> indices(samples);
        for (std::size_t i = 0; i < samples; ++i) indices[i] = (i * 7 + epoch % 100) % most;
        const std::size_t elements = samples * In::elements;
        aila::cuda::Array<float> input(elements + 1), targets(samples + 1), weights(samples + 1);
        queue.clear(elements + 1, input.data());
        numbers.set_epoch(epoch);
        CHECK(!kept.number(indices, numbers.samples()));
        queue.run([&] {
          Pass pass;
          pass.samples = samples;
          pass.queue = const_cast<aila::cuda::Queue*>(&queue);
          kept.take(pass, numbers.send(queue, samples), {input.data(), targets.data(), weights.data(), nullptr});
        });
        std::vector<float> inputs(elements + 1), labels(samples + 1), weighed(samples + 1);
        queue.to_host(input.data(), elements + 1, inputs.data());
        queue.to_host(targets.data(), samples + 1, labels.data());
        queue.to_host(weights.data(), samples + 1, weighed.data());
        std::vector<float> expected(elements + 1), expected_labels(samples + 1), ones(samples, 1.0F);
        ones.push_back(0);
        for (std::size_t i = 0; i < samples; ++i) {
          SampleSlot<In, float> slot{.input = expected.data() + i * In::elements,
                                     .targets = expected_labels.data() + i,
                                     .target_count = 1,
                                     .epoch = epoch};
          source.load(indices[i], slot);
        }
        CHECK(std::memcmp(inputs.data(), expected.data(), (elements + 1) * sizeof(float)) == 0);
        CHECK(labels == expected_labels);
        CHECK(weighed == ones);
      }
  }
}

using Step = std::vector<std::size_t>;
using SmallTrainer = Trainer<Small, CrossEntropy, Adam, backend::Cuda>;

/// A step that is run, captured and run from its graph.
void three_steps(SmallTrainer& trainer, const SourceRef<NetworkInput<Small>>& source, std::uint64_t first_epoch = 1) {
  for (std::uint64_t epoch = first_epoch; epoch < first_epoch + 3; ++epoch)
    CHECK(trainer.step(source, Step{4, 1, 7, epoch}, 1, epoch).finite);
}

}  // namespace

static_assert(SourceWithView<SmallSource, NetworkInput<Small>, float>);
static_assert(SourceWithView<Counted, NetworkInput<Small>, float>);
static_assert(!SourceWithView<Darker, NetworkInput<Small>, float>);

TEST_CASE("batches of images are made on the device as the host makes them") {
  if (!gpu::is_there()) return;
  check_batches<Image<8, 8, 3>>(40);
  check_batches<Image<7, 5, 1>>(40);   // no whole words
  check_batches<Image<5, 9, 3>>(11);   // nor here
  check_batches<Image<6, 4, 1>>(300);  // grey, many
  check_batches<Image<6, 4, 20>>(12);  // more channels than are looked up in shared memory
  check_batches<Image<46, 31, 4>>(6);  // several blocks an image
}

TEST_CASE("fit makes of images on the device what it makes of images that are loaded") {
  if (!gpu::is_there()) return;
  const auto set = images<NetworkInput<Small>>(75);
  std::vector<std::size_t> rows(60), others(15);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::iota(others.begin(), others.end(), std::size_t{60});
  const Augmentation augmentation{.padding = 2, .flip = true, .cutout = 3};
  const Counted train{{set, scaling(2), rows, augmentation, Seed{9}}}, valid{{set, scaling(2), others}};
  const Loaded<NetworkInput<Small>> loaded_train{&train.of}, loaded_valid{&valid.of};
  Model<Small, backend::Cuda> kept(Seed{1}), loaded(Seed{1}), never_changed(Seed{1});
  const auto a = fit(kept, train, CrossEntropy{}, AdamW{}, {.validation = valid, .epochs = 4, .batch = 16});
  CHECK(train.loads == 0);
  CHECK(valid.loads == 0);
  const auto b =
      fit(loaded, loaded_train, CrossEntropy{}, AdamW{}, {.validation = loaded_valid, .epochs = 4, .batch = 16});
  REQUIRE(a.epochs.size() == b.epochs.size());
  for (std::size_t e = 0; e < a.epochs.size(); ++e) {
    CHECK(a.epochs[e].training_loss == b.epochs[e].training_loss);
    CHECK(a.epochs[e].validation_loss == b.epochs[e].validation_loss);
  }
  CHECK(std::ranges::equal(kept.parameters(), loaded.parameters()));
  CHECK(evaluate(kept, train, CrossEntropy{}) == evaluate(loaded, loaded_train, CrossEntropy{}));
  fit(never_changed, SmallSource(set, scaling(2), rows), CrossEntropy{}, AdamW{}, {.epochs = 4, .batch = 16});
  CHECK(!std::ranges::equal(kept.parameters(), never_changed.parameters()));
}

TEST_CASE("a source that inherits a view and loads something else is loaded") {
  if (!gpu::is_there()) return;
  const auto set = images<NetworkInput<Small>>(20);
  const std::vector<std::size_t> rows{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Darker darker(set, scaling(2), rows);
  const SmallSource source(set, scaling(2), rows);
  Model<Small, backend::Cuda> a(Seed{1}), b(Seed{1});
  const auto dark = fit(a, darker, CrossEntropy{}, {.epochs = 1}),
             bright = fit(b, source, CrossEntropy{}, {.epochs = 1});
  CHECK(dark.epochs[0].training_loss != bright.epochs[0].training_loss);
}

TEST_CASE("a table of numbers that changed in its place is copied anew") {
  if (!gpu::is_there()) return;
  const auto set = images<NetworkInput<Small>>(20);
  const SmallSource source(set, scaling(2), {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
  Inline alone;
  const auto train = [&](bool keeps) {
    Model<Small, backend::Cuda> model(Seed{1});
    SmallTrainer trainer(model, {}, {}, {.batch = 4}, alone);
    auto view = source.view();
    std::vector<float> numbers(view.numbers.begin(), view.numbers.end());
    view.numbers = numbers;
    for (int i = 0; i < 2; ++i) {
      if (keeps) trainer.keep(view);
      three_steps(trainer, view);
      for (float& number : numbers) number *= 0.5F;
    }
    return std::vector<float>(model.parameters().begin(), model.parameters().end());
  };
  CHECK(train(true) == train(false));
}

TEST_CASE("another source may be kept in a training's midst, and a sample that is none is refused") {
  if (!gpu::is_there()) return;
  const auto set = images<NetworkInput<Small>>(20), more = images<NetworkInput<Small>>(33, 2);
  std::vector<std::size_t> rows(12);
  std::iota(rows.begin(), rows.end(), std::size_t{3});
  const Augmentation augmentation{.padding = 1, .flip = true};
  const SmallSource first(set, scaling(2), rows, augmentation, Seed{1}), second(more, scaling(2), rows),
      other_seed(more, scaling(2), rows, augmentation, Seed{2});
  Samples<NetworkInput<Small>> numbers;
  for (std::size_t i = 0; i < 12 * NetworkInput<Small>::elements; ++i)
    numbers.inputs.push_back(static_cast<float>(i % 19));
  numbers.targets.assign(12, 1);
  Inline alone;
  const auto train = [&](bool keeps) {
    Model<Small, backend::Cuda> model(Seed{1});
    SmallTrainer trainer(model, {}, {}, {.batch = 4}, alone);
    const auto of = [&](const auto& source) {
      if (keeps) trainer.keep(source);
      three_steps(trainer, source);
    };
    of(first);
    of(second);
    of(numbers);
    of(other_seed);
    of(first);
    if (keeps)
      CHECK_THROWS_WITH(trainer.step(first, Step{0, 12}), "source: expected samples below 12, which are all, found 12");
    return std::vector<float>(model.parameters().begin(), model.parameters().end());
  };
  CHECK(train(true) == train(false));

  auto view = first.view();
  view.pixels = view.pixels.first(100);
  Model<Small, backend::Cuda> model(Seed{1});
  SmallTrainer trainer(model, {}, {}, {.batch = 4}, alone);
  CHECK_THROWS_WITH(trainer.keep(view),
                    "images: expected 20 images, one a label, of 72 bytes each, found 100 bytes in all");
}
