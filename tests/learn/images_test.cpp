// Images in memory as a source, and what a reference to a source knows of them.
#include <doctest/doctest.h>

#include <aila/data/augment.hpp>
#include <aila/learn/source.hpp>
#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "../says.hpp"

namespace aila {
namespace {

using In = Image<2, 3, 1>;
using View = ImagesView<In>;

static_assert(std::is_same_v<data::Augmentation, Augmentation> && std::is_same_v<data::ImageChange, ImageChange>);
static_assert(SampleSource<View, In, float> && SourceWithView<View, In, float>);
static_assert(!SourceWithView<View, Image<3, 2, 1>, float>);
static_assert(!SourceWithView<ImagesView<In, double>, In, float>);
static_assert(!SourceWithView<SamplesView<In>, In, float>);

/// Three images, of which byte v becomes 10 v, and samples of the last and the first.
struct Three {
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(18);
  std::vector<std::int32_t> labels{7, 8, 9};
  std::vector<float> numbers = std::vector<float>(256);
  std::vector<std::size_t> rows{2, 0};
  Three() {
    for (std::size_t i = 0; i < 18; ++i) pixels[i] = static_cast<std::uint8_t>(i + 1);
    for (std::size_t v = 0; v < 256; ++v) numbers[v] = 10 * static_cast<float>(v);
  }
  View view() const { return {.pixels = pixels, .labels = labels, .numbers = numbers, .rows = rows}; }
};

/// Sources of somebody's own: load and view of one class; a load of another one; two that are called load.
struct Owner {
  Three of;
  static std::size_t size() { return 2; }
  static std::size_t targets_per_sample() { return 1; }
  View view() const { return of.view(); }
  void load(std::size_t i, SampleSlot<In, float>& slot) const { view().load(i, slot); }
};
struct Heir : Owner {};
struct Changed : Owner {
  void load(std::size_t i, SampleSlot<In, float>& slot) const {
    Owner::load(i, slot);
    slot.input[0] = -1;
  }
};
struct Twofold : Owner {
  using Owner::load;
  void load(int i, SampleSlot<In, float>& slot) const { Owner::load(static_cast<std::size_t>(i), slot); }
};
static_assert(SourceWithView<Owner, In, float> && SourceWithView<Heir, In, float>);
static_assert(SampleSource<Changed, In, float> && !SourceWithView<Changed, In, float>);
static_assert(SampleSource<Twofold, In, float> && !SourceWithView<Twofold, In, float>);

TEST_CASE("a view of images gives each sample the numbers of its image's bytes, and the label as target") {
  const Three three;
  const View view = three.view();
  std::array<float, 6> input{};
  float target = 0;
  SampleSlot<In, float> slot{.input = input.data(), .targets = &target, .target_count = 1, .epoch = 4};
  view.load(0, slot);
  CHECK(input == std::array<float, 6>{130, 140, 150, 160, 170, 180});
  CHECK(target == 9);
  view.load(1, slot);
  CHECK(input == std::array<float, 6>{10, 20, 30, 40, 50, 60});
  CHECK(target == 7);
  CHECK(view.size() == 2);
}

TEST_CASE("a reference to a source knows the images that its samples are made of") {
  const Owner owner;
  const Changed changed;
  const View view = owner.view();
  CHECK(SourceRef<In>(owner).view_in_memory().is(view));
  CHECK(SourceRef<In>(view).view_in_memory().is(view));
  CHECK(SourceRef<In>(view).size() == 2);
  CHECK(SourceRef<In>(changed).view_in_memory().size() == 0);
  CHECK(SourceRef<In>(Samples<In>{}).view_in_memory().size() == 0);
  CHECK(SourceRef<In>().view_in_memory().size() == 0);
}

TEST_CASE("views are the same where they make the same samples of the same memory") {
  const Three three, other;
  const View view = three.view();
  CHECK(view.is(three.view()));
  CHECK(!view.is(other.view()));
  View changed = view;
  changed.rows = changed.rows.first(1);
  CHECK(!view.is(changed));
  changed = view;
  changed.augmentation.flip = true;
  CHECK(!view.is(changed));
  changed = view;
  changed.seed = Seed{1};
  CHECK(!view.is(changed));
}

TEST_CASE("views whose sizes do not fit are refused in one sentence") {
  const Three three;
  const auto refused = [&](auto&& change, const char* sentence) {
    View view = three.view();
    change(view);
    return says([&] { view.check(); }, sentence);
  };
  CHECK_NOTHROW(three.view().check());
  CHECK(refused([](View& v) { v.pixels = v.pixels.first(17); },
                "images: expected 3 images, one a label, of 6 bytes each, found 17 bytes in all"));
  CHECK(refused([](View& v) { v.labels = v.labels.first(2); },
                "images: expected 2 images, one a label, of 6 bytes each, found 18 bytes in all"));
  CHECK(refused([](View& v) { v.numbers = v.numbers.first(255); },
                "images: expected a number for each of 256 bytes of 1 channels, found 255"));
  CHECK(refused([](View& v) { v.labels = v.labels.first(2), v.pixels = v.pixels.first(12); },
                "images: expected rows below 2, found 2"));
  CHECK(refused([](View& v) { v.augmentation.padding = 3; }, "images: expected at most 2 pixels of padding, found 3"));
}

}  // namespace
}  // namespace aila
