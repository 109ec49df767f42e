// Samples loaded ahead: the same numbers as without.
#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/data/background.hpp>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <thread>
#include <vector>

namespace background_test {
using namespace aila;
using namespace aila::data;

namespace {

using In = Sequence<3, 2>;
struct Net : Network<In, Linear<4>, MeanOverPositions, Linear<2>> {};
using OneSlot = SampleSlot<In, float>;

/// Numbers that tell sample, epoch and place; counts how often it is asked.
struct Source {
  std::size_t samples = 40;
  std::size_t bad = ~std::size_t{0};
  mutable std::atomic<std::size_t> asked{0};

  explicit Source(std::size_t n) : samples(n) {}
  std::size_t size() const { return samples; }
  static std::size_t targets_per_sample() { return 2; }
  void load(std::size_t i, OneSlot& slot) const {
    ++asked;
    if (i == bad) throw std::runtime_error("sample " + std::to_string(i));
    for (std::size_t k = 0; k < In::elements; ++k)
      slot.input[k] = std::sin(static_cast<float>(i * 31 + k * 7) + static_cast<float>(slot.epoch));
    for (std::size_t k = 0; k < slot.target_count; ++k) slot.targets[k] = std::cos(static_cast<float>(i + k));
    slot.length = static_cast<std::int32_t>(1 + i % 3);
    slot.weight = static_cast<float>(1 + i % 2);
  }
};

bool same(const Source& source, const Background<In>& background, std::size_t i, std::uint64_t epoch) {
  std::vector<float> x(6), y(2), bx(6), by(2);
  OneSlot one{.input = x.data(), .targets = y.data(), .target_count = 2, .epoch = epoch};
  OneSlot two{.input = bx.data(), .targets = by.data(), .target_count = 2, .epoch = epoch};
  source.load(i, one);
  background.load(i, two);
  return x == bx && y == by && one.length == two.length && one.weight == two.weight;
}

std::vector<std::size_t> order_of(Seed seed, std::uint64_t epoch, std::size_t n) {
  std::vector<std::size_t> order(n);
  permutation(seed, epoch, order);
  return order;
}

}  // namespace

static_assert(SampleSource<Background<In>, In, float>);

TEST_CASE("samples come with the same numbers, foreseen or not") {
  const Source source(40);
  for (const std::size_t ahead : {1U, 7U, 40U, 1000U})
    for (const std::size_t threads : {0U, 1U, 3U}) {
      const Background<In> background({source}, {.seed = {9}, .ahead = ahead, .threads = threads});
      CHECK(background.size() == 40);
      CHECK(background.targets_per_sample() == 2);
      for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
        for (const std::size_t i : order_of({9}, epoch, 40)) CHECK(same(source, background, i, epoch));
        for (std::size_t i = 0; i < 40; ++i) CHECK(same(source, background, i, epoch));  // again, in another order
      }
      CHECK(same(source, background, 3, 1));  // back to an earlier epoch
      CHECK((threads > 0 || background.foreseen() == 0));
    }
}

TEST_CASE("a sample that was foreseen is not loaded again") {
  const Source source(40);
  const Background<In> background({source}, {.seed = {9}, .ahead = 40});
  const auto order = order_of({9}, 1, 40);
  std::vector<float> x(6), y(2);
  OneSlot slot{.input = x.data(), .targets = y.data(), .target_count = 2, .epoch = 1};
  background.load(order[0], slot);  // begins the epoch
  while (source.asked < 40) std::this_thread::yield();
  for (std::size_t i = 1; i < 40; ++i) background.load(order[i], slot);
  CHECK(source.asked == 40);
  CHECK(background.foreseen() >= 39);
}

TEST_CASE("no more samples are loaded ahead than allowed") {
  const Source source(40);
  const Background<In> background({source}, {.seed = {9}, .ahead = 5});
  std::vector<float> x(6), y(2);
  OneSlot slot{.input = x.data(), .targets = y.data(), .target_count = 2, .epoch = 1};
  background.load(order_of({9}, 1, 40)[0], slot);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(source.asked <= 6);
}

TEST_CASE("an exception of the source reaches who asks for the sample, and nobody else") {
  Source source(40);
  source.bad = 17;
  const Background<In> background({source}, {.seed = {9}, .ahead = 10});
  std::vector<float> x(6), y(2);
  OneSlot slot{.input = x.data(), .targets = y.data(), .target_count = 2, .epoch = 1};
  for (const std::size_t i : order_of({9}, 1, 40))
    if (i == 17)
      CHECK_THROWS_AS(background.load(i, slot), std::runtime_error);
    else
      background.load(i, slot);
}

TEST_CASE("many threads may ask at once") {
  const Source source(200);
  const Background<In> background({source}, {.seed = {9}, .ahead = 32, .threads = 2});
  ThreadPool pool(3);
  std::atomic<std::size_t> wrong{0};
  for (std::uint64_t epoch = 1; epoch < 20; ++epoch) {
    const auto order = order_of({9}, epoch, 200);
    pool.run(200, [&](std::size_t i, std::size_t) { wrong += same(source, background, order[i], epoch) ? 0 : 1; });
  }
  pool.run(300, [&](std::size_t i, std::size_t) {  // one sample asked for by all
    wrong += same(source, background, i % 2, 30 + i / 100) ? 0 : 1;
  });
  CHECK(wrong == 0);
}

TEST_CASE("training on samples loaded ahead gives the same bits, for any number of threads") {
  const Source source(40);
  const auto train = [&](SourceRef<In> samples, std::size_t threads, std::uint64_t seed) {
    Model<Net> model(Seed{1});
    fit(model, samples, MeanSquaredError{}, Adam{}, {.epochs = 3, .batch = 16, .seed = Seed{seed}, .threads = threads});
    return std::vector<float>(model.parameters().begin(), model.parameters().end());
  };
  const auto plain = train(source, 1, 9);
  for (const std::size_t threads : {1U, 2U}) {
    const Background<In> background({source}, {.seed = {9}, .ahead = 32});
    CHECK(train(background, threads, 9) == plain);
    const Background<In> misled({source}, {.seed = {8}, .ahead = 32});
    CHECK(train(misled, threads, 9) == plain);
  }
}
}  // namespace background_test
