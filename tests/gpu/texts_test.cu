// Texts on the device: their tokens are copied once, and batches are made of them there, bit by bit as the host makes
// them.
#include <aila/data/text_source.hpp>
#include <algorithm>
#include <cstring>
#include <numeric>

#include "compare.hpp"
#include "sources.hpp"

using namespace aila;
using data::Keep;

namespace {

struct Words : Network<Tokens<9>, Embedding<8>, MeanOverPositions, Linear<3>> {};
struct Vectors : Network<Sequence<9, 4>, Lstm<8>, LastStep, Linear<3>> {};
template <class Net>
using SourceOf = data::TextSource<NetworkInput<Net>>;

constexpr std::size_t words = 50;

/// Texts of 1 token to some more than the network's steps; of every third one, as many. One is much too long.
template <class In>
data::TextSet texts(std::size_t count, std::uint64_t seed = 1) {
  data::TextSet set{.classes = {"a", "b", "c"}};
  std::mt19937_64 engine(seed);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t tokens = i % 3 == 1 ? In::extents[0] : 1 + engine() % (In::extents[0] + 5);
    if (i == count / 2) tokens = 10 * In::extents[0] + 1;
    for (std::size_t t = 0; t < tokens; ++t) set.tokens.push_back(static_cast<std::int32_t>(engine() % words));
    set.begins.push_back(set.tokens.size());
    set.labels.push_back(static_cast<data::Label>(engine() % 3));
  }
  return set;
}
data::WordVectors vectors(std::size_t dimension, std::uint64_t seed = 1) {
  data::WordVectors made{.words = words, .dimension = dimension};
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < words * dimension; ++i) made.values.push_back(normal(engine));
  made.values[7] = -0.0F;
  return made;
}
template <class In>
data::TextSource<In> source_of(const data::TextSet& set, const data::WordVectors& of_words,
                               std::vector<std::size_t> rows, Keep keep = Keep::first) {
  if constexpr (In::is_tokens)
    return {set, std::move(rows), keep};
  else
    return {set, of_words, std::move(rows), keep};
}
std::vector<std::size_t> range(std::size_t first, std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

template <class In>
using Loaded = gpu::Loaded<data::TextSource<In>, In>;
template <class In>
using Counted = gpu::Counted<data::TextSource<In>, In>;
/// Its samples are not those of the view that it inherits: of each text the first token alone.
struct Shorter : SourceOf<Words> {
  using SourceOf<Words>::TextSource;
  void load(std::size_t i, SampleSlot<NetworkInput<Words>, float>& slot) const {
    SourceOf<Words>::load(i, slot);
    slot.length = 1;
  }
};

/// Batches of a copy and of `load`, with a number behind each array that must stay.
template <class In>
void check_batches(std::size_t count) {
  using Element = ElementOf<In, float>;
  const auto set = texts<In>(count);
  const auto of_words = vectors(In::is_tokens ? 1 : In::features);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < count; ++i)
    if (i % 5 != 2 || i == count / 2) rows.push_back(count - 1 - i);
  rows.push_back(0);  // once more
  const std::size_t most = rows.size();
  const aila::cuda::Queue queue;
  aila::cuda::BatchNumbersMirror numbers(most);
  for (const Keep keep : {Keep::first, Keep::last}) {
    const auto source = source_of<In>(set, of_words, rows, keep);
    aila::cuda::KeptSource<In> kept;
    CHECK(!kept.holds(source));
    kept.keep(source, queue);
    REQUIRE(kept.holds(source));
    for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40U})
      for (const std::size_t samples : {most, std::size_t{3}, std::size_t{1}}) {
        std::vector<std::size_t> indices(samples);
        for (std::size_t i = 0; i < samples; ++i) indices[i] = (i * 7 + epoch % 100) % most;
        const std::size_t elements = samples * In::elements;
        std::vector<Element> expected(elements + 1);
        std::vector<float> expected_labels(samples + 1), ones(samples, 1.0F);
        std::vector<std::int32_t> expected_lengths(samples + 1);
        ones.push_back(0);
        bool have_lengths = false;
        for (std::size_t i = 0; i < samples; ++i) {
          SampleSlot<In, float> slot{.input = expected.data() + i * In::elements,
                                     .targets = expected_labels.data() + i,
                                     .target_count = 1,
                                     .epoch = epoch};
          source.load(indices[i], slot);
          expected_lengths[i] = slot.length;
          have_lengths = have_lengths || slot.length != static_cast<std::int32_t>(In::extents[0]);
        }
        aila::cuda::Array<Element> input(elements + 1);
        aila::cuda::Array<float> targets(samples + 1), weights(samples + 1);
        aila::cuda::Array<std::int32_t> lengths(samples + 1);
        std::vector<Element> poison(elements + 1, static_cast<Element>(77));
        poison.back() = 0;
        queue.to_device(poison.data(), elements + 1, input.data());
        numbers.set_epoch(epoch);
        CHECK(kept.number(indices, numbers.samples()) == have_lengths);
        for (std::int32_t* const to : {lengths.data(), static_cast<std::int32_t*>(nullptr)})
          queue.run([&] {
            Pass pass;
            pass.samples = samples;
            pass.queue = const_cast<aila::cuda::Queue*>(&queue);
            kept.take(pass, numbers.send(queue, samples), {input.data(), targets.data(), weights.data(), to});
          });
        std::vector<Element> inputs(elements + 1);
        std::vector<float> labels(samples + 1), weighed(samples + 1);
        std::vector<std::int32_t> valid(samples + 1);
        queue.to_host(input.data(), elements + 1, inputs.data());
        queue.to_host(targets.data(), samples + 1, labels.data());
        queue.to_host(weights.data(), samples + 1, weighed.data());
        queue.to_host(lengths.data(), samples + 1, valid.data());
        CHECK(std::memcmp(inputs.data(), expected.data(), (elements + 1) * sizeof(Element)) == 0);
        CHECK(labels == expected_labels);
        CHECK(weighed == ones);
        CHECK(valid == expected_lengths);
      }
  }
}

template <class Net>
Model<Net, backend::Cuda> model_of() {
  Model<Net, backend::Cuda> model(Seed{1});
  for (std::size_t t = 0; t < Model<Net, backend::Cuda>::tables; ++t) model.all_tables()[t].initialise(words, Seed{3});
  return model;
}
template <class Net>
bool are_equal(const Model<Net, backend::Cuda>& a, const Model<Net, backend::Cuda>& b) {
  bool equal = std::ranges::equal(a.parameters(), b.parameters());
  for (std::size_t t = 0; t < Model<Net, backend::Cuda>::tables; ++t)
    for (std::size_t row = 0; row < words; ++row)
      equal = equal && std::ranges::equal(a.all_tables()[t].row(row), b.all_tables()[t].row(row));
  return equal;
}

template <class Net>
void check_fit() {
  using In = NetworkInput<Net>;
  const auto set = texts<In>(75);
  const auto of_words = vectors(In::features);
  for (const Keep keep : {Keep::first, Keep::last}) {
    const Counted<In> train{source_of<In>(set, of_words, range(0, 60), keep)},
        valid{source_of<In>(set, of_words, range(60, 15), keep)};
    const Loaded<In> loaded_train{&train.of}, loaded_valid{&valid.of};
    auto kept = model_of<Net>(), loaded = model_of<Net>();
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
    CHECK(a.epochs.front().training_loss != a.epochs.back().training_loss);
    CHECK(are_equal(kept, loaded));
    CHECK(evaluate(kept, train, CrossEntropy{}) == evaluate(loaded, loaded_train, CrossEntropy{}));
  }
}

using Step = std::vector<std::size_t>;
template <class Net>
using TrainerOf = Trainer<Net, CrossEntropy, Adam, backend::Cuda>;

/// A step that is run, captured and run from its graph.
template <class Net>
void three_steps(TrainerOf<Net>& trainer, const SourceRef<NetworkInput<Net>>& source) {
  for (std::uint64_t epoch = 1; epoch < 4; ++epoch) CHECK(trainer.step(source, Step{4, 1, 7, epoch}, 1, epoch).finite);
}

template <class Net>
void check_changes() {
  using In = NetworkInput<Net>;
  const auto set = texts<In>(20), more = texts<In>(33, 2);
  const auto of_words = vectors(In::features), others = vectors(In::features, 2);
  const auto first = source_of<In>(set, of_words, range(3, 12)), second = source_of<In>(more, of_words, range(3, 12)),
             other_words = source_of<In>(more, others, range(3, 12)),
             other_rows = source_of<In>(more, others, range(9, 12));
  auto last = second.view();
  last.reads_last = true;
  Samples<In> samples;
  for (std::size_t i = 0; i < 12 * In::elements; ++i)
    samples.inputs.push_back(static_cast<ElementOf<In, float>>(i % 19));
  samples.targets.assign(12, 1);
  Inline alone;
  const auto train = [&](bool keeps) {
    auto model = model_of<Net>();
    TrainerOf<Net> trainer(model, {}, {}, {.batch = 4}, alone);
    const auto of = [&](const auto& source) {
      if (keeps) trainer.keep(source);
      three_steps<Net>(trainer, source);
    };
    of(first);
    of(second);
    of(last);
    of(samples);
    of(other_words);
    of(other_rows);
    of(first);
    if (keeps)
      CHECK_THROWS_WITH(trainer.step(first, Step{0, 12}), "source: expected samples below 12, which are all, found 12");
    three_steps<Net>(trainer, second);  // which is not kept
    return model;
  };
  CHECK(are_equal(train(true), train(false)));
}

static_assert(SourceWithView<SourceOf<Words>, NetworkInput<Words>, float>);
static_assert(SourceWithView<SourceOf<Vectors>, NetworkInput<Vectors>, float>);
static_assert(SourceWithView<Counted<NetworkInput<Words>>, NetworkInput<Words>, float>);
static_assert(!SourceWithView<Shorter, NetworkInput<Words>, float>);
static_assert(!SourceWithView<Loaded<NetworkInput<Words>>, NetworkInput<Words>, float>);

}  // namespace

TEST_CASE("batches of texts are made on the device as the host makes them") {
  if (!gpu::is_there()) return;
  check_batches<Tokens<9>>(40);
  check_batches<Tokens<1>>(20);         // no text is shorter
  check_batches<Tokens<1500>>(7);       // several blocks a text
  check_batches<Sequence<9, 4>>(40);    // whole words
  check_batches<Sequence<5, 3>>(300);   // none
  check_batches<Sequence<1, 1>>(20);    // the least there is
  check_batches<Sequence<70, 100>>(9);  // several blocks a text
}

TEST_CASE("fit makes of texts on the device what it makes of texts that are loaded") {
  if (!gpu::is_there()) return;
  check_fit<Words>();
  check_fit<Vectors>();
}

TEST_CASE("a source of texts that inherits a view and loads something else is loaded") {
  if (!gpu::is_there()) return;
  const auto set = texts<NetworkInput<Words>>(20);
  const Shorter shorter(set, range(0, 10));
  const SourceOf<Words> source(set, range(0, 10));
  auto a = model_of<Words>(), b = model_of<Words>();
  const auto one = fit(a, shorter, CrossEntropy{}, {.epochs = 1}), all = fit(b, source, CrossEntropy{}, {.epochs = 1});
  CHECK(one.epochs[0].training_loss != all.epochs[0].training_loss);
}

TEST_CASE("other texts, rows and vectors in a training's midst are copied anew, and a sample that is none is refused") {
  if (!gpu::is_there()) return;
  check_changes<Words>();
  check_changes<Vectors>();
  const auto set = texts<NetworkInput<Words>>(20);
  auto view = SourceOf<Words>(set, range(0, 10)).view();
  view.tokens = view.tokens.first(1);
  auto model = model_of<Words>();
  Inline alone;
  TrainerOf<Words> trainer(model, {}, {}, {.batch = 4}, alone);
  CHECK_THROWS_WITH(trainer.keep(view),
                    "texts: expected a text for each of the 20 labels, found 20 and 1 tokens in all");
}

TEST_CASE("texts that have no room on the device are loaded") {
  if (!gpu::is_there()) return;
  using In = NetworkInput<Vectors>;
  const auto set = texts<In>(20);
  const auto of_words = vectors(In::features);
  const auto source = source_of<In>(set, of_words, range(0, 12));
  const aila::cuda::Queue queue;
  aila::cuda::KeptSource<In> kept;
  kept.keep(source, queue);
  CHECK(kept.holds(source));
  auto view = source.view();  // as if there were a vector for each of 2^36 words: of them those of 50 are read
  view.vectors = {of_words.values.data(), std::size_t{1} << 38U};
  kept.keep(view, queue);
  CHECK(!kept.holds(view));
  CHECK(!kept.holds(source));
  auto a = model_of<Vectors>(), b = model_of<Vectors>();
  fit(a, view, CrossEntropy{}, AdamW{}, {.epochs = 2, .batch = 8});
  fit(b, source, CrossEntropy{}, AdamW{}, {.epochs = 2, .batch = 8});
  CHECK(are_equal(a, b));
}
