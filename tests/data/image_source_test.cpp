// Pixels as numbers, and the changes that training makes to images.
#include <doctest/doctest.h>

#include <aila/core/thread_pool.hpp>
#include <aila/data/image_source.hpp>
#include <aila/data/split.hpp>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"

namespace image_source_test {
using namespace aila;
using namespace aila::data;
using namespace aila_test;
using doctest::Approx;

namespace {

constexpr std::size_t height = 5, width = 6, channels = 2;
using In = Image<height, width, channels>;
using Source = ImageSource<In>;

/// Every byte of an image of its own value, and no black.
ImageSet images(std::size_t n) {
  ImageSet set{.height = height, .width = width, .channels = channels, .classes = {"a", "b", "c"}};
  for (std::size_t i = 0; i < n; ++i) {
    set.labels.push_back(static_cast<Label>(i % 3));
    for (std::size_t p = 0; p < In::elements; ++p) set.pixels.push_back(static_cast<std::uint8_t>(1 + p + 7 * i % 150));
  }
  return set;
}

/// Such that a number is the byte it comes from.
ChannelScaling bytes_stay() {
  return {.mean = {0, 0}, .deviation = {1.0 / 255, 1.0 / 255}};
}

std::vector<int> loaded(const Source& source, std::size_t index, std::uint64_t epoch) {
  std::vector<float> input(In::elements, -1);
  float target = -1;
  SampleSlot<In, float> slot{.input = input.data(), .targets = &target, .target_count = 1, .epoch = epoch};
  source.load(index, slot);
  CHECK(target == static_cast<float>(source.label(index)));
  std::vector<int> values;
  for (const float x : input) values.push_back(static_cast<int>(std::lround(x)));
  return values;
}

/// The definition, pixel by pixel.
std::vector<int> expected(const ImageSet& set, std::size_t row, const ImageChange& change) {
  std::vector<int> values;
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < channels; ++c) {
        const auto from_y = static_cast<std::ptrdiff_t>(y) + change.down;
        const auto from_x = static_cast<std::ptrdiff_t>(change.flip ? width - 1 - x : x) + change.right;
        const bool inside = from_y >= 0 && from_y < static_cast<std::ptrdiff_t>(height) && from_x >= 0 &&
                            from_x < static_cast<std::ptrdiff_t>(width);
        const bool blank = y >= change.top && y < change.bottom && x >= change.left && x < change.end;
        const auto place = (static_cast<std::size_t>(from_y) * width + static_cast<std::size_t>(from_x)) * channels + c;
        values.push_back(blank || !inside ? 0 : set.image(row)[place]);
      }
  return values;
}

}  // namespace

static_assert(SampleSource<Source, In, float>);
static_assert(SampleSource<ImageSource<In, double>, In, double>);
static_assert([] {  // without options nothing changes
  const auto change = draw_change({}, Seed{3}, 1, 2, 32, 32);
  return change.down == 0 && change.right == 0 && !change.flip && change.top == change.bottom;
}());

TEST_CASE("images are scaled by the mean and deviation of each channel") {
  const auto set = images(4);
  const auto scaling = measure_channels(set, std::vector<std::size_t>{1, 2});
  for (std::size_t c = 0; c < channels; ++c) {
    double mean = 0, square = 0;
    const double n = 2 * height * width;
    for (const std::size_t i : {1U, 2U})
      for (std::size_t p = c; p < In::elements; p += channels) mean += set.image(i)[p] / 255.0 / n;
    for (const std::size_t i : {1U, 2U})
      for (std::size_t p = c; p < In::elements; p += channels)
        square += std::pow(set.image(i)[p] / 255.0 - mean, 2) / n;
    CHECK(scaling.mean[c] == Approx(mean));
    CHECK(scaling.deviation[c] == Approx(std::sqrt(square)));
  }
  const ImageSource<In, double> source(set, scaling, {3});
  std::vector<double> input(In::elements);
  SampleSlot<In, double> slot{.input = input.data()};
  source.load(0, slot);
  for (std::size_t p = 0; p < In::elements; ++p)
    CHECK(input[p] == Approx((set.image(3)[p] / 255.0 - scaling.mean[p % 2]) / scaling.deviation[p % 2]));
}

TEST_CASE("evaluation reads images as they are, and so does training without augmentation") {
  const auto set = images(4);
  const Source plain(set, bytes_stay(), {2, 0}), changing(set, bytes_stay(), {2, 0}, {.padding = 2, .flip = true});
  CHECK(loaded(plain, 0, 5) == expected(set, 2, {}));
  CHECK(loaded(plain, 1, 5) == expected(set, 0, {}));
  CHECK(loaded(changing, 0, 0) == expected(set, 2, {}));
}

TEST_CASE("crops, mirror images and blank squares are those that were drawn") {
  const auto set = images(3);
  for (const Augmentation augmentation :
       {Augmentation{.padding = 5}, Augmentation{.flip = true}, Augmentation{.cutout = 3},
        Augmentation{.padding = 2, .flip = true, .cutout = 4}}) {
    const Source source(set, bytes_stay(), {0, 1, 2}, augmentation, Seed{11});
    for (std::uint64_t epoch = 1; epoch < 40; ++epoch)
      for (const std::size_t row : {0U, 1U, 2U})
        CHECK(loaded(source, row, epoch) ==
              expected(set, row, draw_change(augmentation, Seed{11}, epoch, row, height, width)));
  }
}

TEST_CASE("draws cover all shifts, both mirrors and all centres alike, and stay inside the image") {
  std::vector<int> down(7), right(7), flips(2);
  std::set<std::size_t> tops, ends;
  constexpr int n = 7000;
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto change = draw_change({.padding = 3, .flip = true, .cutout = 3}, Seed{5}, 1 + i / 100, i % 100, 8, 9);
    ++down[static_cast<std::size_t>(change.down + 3)];
    ++right[static_cast<std::size_t>(change.right + 3)];
    ++flips[change.flip ? 1 : 0];
    CHECK(change.top < change.bottom);
    CHECK(change.bottom <= 8);
    CHECK(change.left < change.end);
    CHECK(change.end <= 9);
    tops.insert(change.top);
    ends.insert(change.end);
  }
  for (const auto& counts : {down, right})
    for (const int count : counts) CHECK(std::abs(count - n / 7) < 150);  // five standard deviations
  CHECK(std::abs(flips[0] - n / 2) < 210);
  CHECK(tops == std::set<std::size_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(ends == std::set<std::size_t>{2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("a change depends on seed, epoch and image, not on the rows, the order or the threads") {
  const auto set = images(64);
  const Augmentation augmentation{.padding = 2, .flip = true, .cutout = 2};
  const Source all(set, bytes_stay(), all_rows(64), augmentation, Seed{1}),
      few(set, bytes_stay(), {63, 7}, augmentation, Seed{1}),
      other(set, bytes_stay(), all_rows(64), augmentation, Seed{2});
  CHECK(loaded(all, 7, 3) == loaded(few, 1, 3));
  std::size_t same_epoch = 0, same_seed = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    same_epoch += loaded(all, i, 3) == loaded(all, i, 4) ? 1 : 0;
    same_seed += loaded(all, i, 3) == loaded(other, i, 3) ? 1 : 0;
  }
  CHECK(same_epoch < 6);
  CHECK(same_seed < 6);
  const auto run = [&](std::size_t threads) {
    std::vector<float> inputs(64 * In::elements);
    ThreadPool pool(threads);
    pool.run(64, [&](std::size_t i, std::size_t) {
      SampleSlot<In, float> slot{.input = inputs.data() + i * In::elements, .epoch = 9};
      all.load(i, slot);
    });
    return inputs;
  };
  CHECK(run(1) == run(3));
}

TEST_CASE("sets, scalings, rows and options that do not fit are refused in one sentence") {
  const auto set = images(2);
  const auto refusal = [](const auto& make) { return error_of(make); };
  CHECK(refusal([&] { ImageSource<Image<5, 6, 3>>(set, bytes_stay(), {0}); }) ==
        "images: the network takes [5, 6, 3], found images of [5, 6, 2]");
  CHECK(refusal([&] { Source(set, {.mean = {0}, .deviation = {1}}, {0}); }) ==
        "images: expected a mean and a deviation for each of the 2 channels, found 1 and 1");
  CHECK(refusal([&] { Source(set, bytes_stay(), {0, 2}); }) == "images: expected rows below 2, found 2");
  CHECK(refusal([&] { Source(set, bytes_stay(), {0}, {.padding = 6}); }) ==
        "images: expected at most 5 pixels of padding, found 6");
  auto broken = set;
  broken.labels[1] = 3;
  CHECK(refusal([&] { Source(broken, bytes_stay(), {0}); }) == "images: expected labels below 3, image 1 has 3");
  broken = set;
  broken.pixels.pop_back();
  CHECK(refusal([&] { Source(broken, bytes_stay(), {0}); }) ==
        "images: expected 2 images, one a label, of 60 bytes each, found 119 bytes in all");
  CHECK(refusal([&] { Source(ImageSet{}, bytes_stay(), {}); }) ==
        "images: expected at least one image with pixels, found none");
  auto grey = set;
  std::fill(grey.pixels.begin(), grey.pixels.end(), std::uint8_t{9});
  CHECK(refusal([&] { measure_channels(grey, all_rows(2)); }) ==
        "images: all values of channel 0 in the training part are equal, nothing can be scaled by them");
  CHECK(refusal([&] { measure_channels(set, {}); }) == "images: expected at least one image to scale by, found none");
}
}  // namespace image_source_test
