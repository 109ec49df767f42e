// Texts in memory as a source, and what a reference to a source knows of them.
#include <doctest/doctest.h>

#include <aila/learn/source.hpp>
#include <array>
#include <cstdint>
#include <vector>

#include "../says.hpp"

namespace aila {
namespace {

using In = Tokens<3>;
using View = TextsView<In>;
using Vectors = TextsView<Sequence<3, 2>>;

static_assert(SampleSource<View, In, float> && SourceWithView<View, In, float>);
static_assert(SourceWithView<Vectors, Sequence<3, 2>, float>);
static_assert(!SourceWithView<View, Tokens<4>, float> && !SourceWithView<View, Sequence<3, 1>, float>);
static_assert(!SourceWithView<TextsView<In, double>, In, float>);
static_assert(!SourceWithView<SamplesView<In>, In, float> && !SourceWithView<Samples<In>, In, float>);

/// Three texts of 2, 5 and 1 tokens, and samples of all, the last first; a vector for each of 9 numbers.
struct Three {
  std::vector<std::int32_t> tokens{1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<std::size_t> begins{0, 2, 7, 8};
  std::vector<std::int32_t> labels{7, 8, 9};
  std::vector<float> vectors = std::vector<float>(18);
  std::vector<std::size_t> rows{2, 1, 0};
  Three() {
    for (std::size_t i = 0; i < 18; ++i) vectors[i] = static_cast<float>(i);
  }
  template <class V = View>
  V view() const {
    return {.tokens = tokens, .begins = begins, .labels = labels, .vectors = vectors, .rows = rows};
  }
};

/// Sources of somebody's own: load and view of one class; a load of another one.
struct Owner {
  Three of;
  static std::size_t size() { return 3; }
  static std::size_t targets_per_sample() { return 1; }
  View view() const { return of.view(); }
  void load(std::size_t i, SampleSlot<In, float>& slot) const { view().load(i, slot); }
};
struct Changed : Owner {
  void load(std::size_t i, SampleSlot<In, float>& slot) const {
    Owner::load(i, slot);
    slot.input[0] = 0;
  }
};
/// Others may be derived from it, which load something else.
struct Base {
  Three of;
  virtual ~Base() = default;
  static std::size_t size() { return 3; }
  static std::size_t targets_per_sample() { return 1; }
  View view() const { return of.view(); }
  virtual void load(std::size_t i, SampleSlot<In, float>& slot) const { view().load(i, slot); }
};
static_assert(SampleSource<Base, In, float> && !SourceWithView<Base, In, float>);
static_assert(SourceWithView<Owner, In, float>);
static_assert(SampleSource<Changed, In, float> && !SourceWithView<Changed, In, float>);

using Numbers = std::array<std::int32_t, 3>;
struct Loaded {
  Numbers numbers{77, 77, 77};
  float target = -1;
  std::int32_t length = 0;
  Loaded(const View& view, std::size_t index) {
    SampleSlot<In, float> slot{.input = numbers.data(), .targets = &target, .target_count = 1, .epoch = 4};
    view.load(index, slot);
    length = slot.length;
  }
};

TEST_CASE("a view of texts gives each sample the first or last tokens of its text, and the label as target") {
  const Three three;
  View view = three.view();
  const Loaded one(view, 0), first(view, 1), two(view, 2);
  CHECK(one.numbers == Numbers{8, 0, 0});
  CHECK(one.length == 1);
  CHECK(one.target == 9);
  CHECK(first.numbers == Numbers{3, 4, 5});
  CHECK(first.length == 3);
  CHECK(two.numbers == Numbers{1, 2, 0});
  CHECK(two.length == 2);
  CHECK(two.target == 7);
  view.reads_last = true;
  const Loaded last(view, 1), same(view, 2);
  CHECK(last.numbers == Numbers{5, 6, 7});
  CHECK(last.target == 8);
  CHECK(same.numbers == Numbers{1, 2, 0});
}

TEST_CASE("of sequences it gives the tokens' vectors") {
  const Three three;
  const auto view = three.view<Vectors>();
  std::array<float, 6> input{};
  input.fill(77);
  SampleSlot<Sequence<3, 2>, float> slot{.input = input.data()};
  view.load(2, slot);
  CHECK(input == std::array<float, 6>{2, 3, 4, 5, 0, 0});
  CHECK(slot.length == 2);
}

TEST_CASE("a reference to a source knows the texts that its samples are made of") {
  const Owner owner;
  const Changed changed;
  const View view = owner.view();
  CHECK(SourceRef<In>(owner).view_in_memory().is(view));
  CHECK(SourceRef<In>(view).view_in_memory().is(view));
  CHECK(SourceRef<In>(view).has_view());
  CHECK(SourceRef<In>(view).size() == 3);
  CHECK(SourceRef<In>(changed).view_in_memory().size() == 0);
  CHECK(!SourceRef<In>(changed).has_view());
  CHECK(!SourceRef<In>(Samples<In>{}).has_view());
  CHECK(!SourceRef<Vector<3>>().has_view());
}

TEST_CASE("views of texts are the same where they make the same samples of the same memory") {
  const Three three, other;
  const View view = three.view();
  CHECK(view.is(three.view()));
  CHECK(!view.is(other.view()));
  const auto differs = [&](auto&& change) {
    View changed = view;
    change(changed);
    return !view.is(changed);
  };
  CHECK(differs([](View& v) { v.rows = v.rows.first(1); }));
  CHECK(differs([](View& v) { v.reads_last = true; }));
  CHECK(differs([](View& v) { v.vectors = {}; }));
  CHECK(differs([&](View& v) { v.tokens = other.tokens; }));
  CHECK(differs([&](View& v) { v.begins = other.begins; }));
  CHECK(differs([&](View& v) { v.labels = other.labels; }));
}

TEST_CASE("views of texts whose sizes do not fit are refused in one sentence") {
  Three three;
  const auto refused = [&](auto&& change, const char* sentence) {
    auto view = three.view<Vectors>();
    change(view);
    return says([&] { view.check(); }, sentence);
  };
  CHECK_NOTHROW(three.view<Vectors>().check());
  CHECK(refused([](Vectors& v) { v.tokens = v.tokens.first(7); },
                "texts: expected a text for each of the 3 labels, found 3 and 7 tokens in all"));
  CHECK(refused([](Vectors& v) { v.labels = v.labels.first(2); },
                "texts: expected a text for each of the 2 labels, found 3 and 8 tokens in all"));
  CHECK(refused([](Vectors& v) { v.begins = {}; },
                "texts: expected a text for each of the 3 labels, found 0 and 8 tokens in all"));
  CHECK(refused([](Vectors& v) { v.vectors = v.vectors.first(17); },
                "texts: expected vectors of 2 numbers, found 17 numbers in all"));
  CHECK(refused([](Vectors& v) { v.vectors = v.vectors.first(16); },
                "texts: expected tokens below 8, the number of vectors, found 8"));
  three.tokens[0] = -1;
  CHECK(refused([](Vectors&) {}, "texts: expected tokens below 9, the number of vectors, found -1"));
  CHECK_NOTHROW(three.view().check());
  three.rows[0] = 3;
  CHECK(says([&] { three.view().check(); }, "texts: expected rows below 3, found 3"));
  three.begins[1] = 7;
  CHECK(says([&] { three.view().check(); }, "texts: expected at least one token in each text, text 1 has none"));
}

}  // namespace
}  // namespace aila
