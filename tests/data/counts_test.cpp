// Counts of nothing, of all and of more than there is: a result, or one sentence.
#include <doctest/doctest.h>

#include <aila/data/background.hpp>
#include <aila/data/cifar10.hpp>
#include <aila/data/csv.hpp>
#include <aila/data/glove.hpp>
#include <aila/data/gzip.hpp>
#include <aila/data/image_source.hpp>
#include <aila/data/scores.hpp>
#include <aila/data/split.hpp>
#include <aila/data/text_source.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../gzip_of.hpp"
#include "../io/temporary_folder.hpp"

using namespace aila;
using namespace aila::data;
using namespace aila_test;

namespace {

constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();
const std::string endless_text = std::to_string(endless);

ImageSet two_images() {
  return {
      .height = 2, .width = 2, .channels = 1, .pixels = {1, 2, 3, 4, 5, 6, 7, 8}, .labels = {0, 0}, .classes = {"a"}};
}
using Pair = Image<2, 2, 1>;
const ChannelScaling scaling{.mean = {0}, .deviation = {1}};

/// As many samples as are said, each its own number.
struct Numbers {
  std::size_t samples;
  std::size_t size() const { return samples; }
  static std::size_t targets_per_sample() { return 1; }
  static void load(std::size_t i, SampleSlot<Vector<1>, float>& slot) {
    slot.input[0] = slot.targets[0] = static_cast<float>(i);
  }
};
std::vector<float> read(const Background<Vector<1>>& background) {
  std::vector<float> found;
  for (std::size_t i = 0; i < background.size(); ++i) {
    float input = -1, target = -1;
    SampleSlot<Vector<1>, float> slot{.input = &input, .targets = &target, .target_count = 1, .epoch = 1};
    background.load(i, slot);
    found.push_back(input);
  }
  return found;
}

Series twenty_prices() {
  Series series{.name = "gold", .dates = {}, .values = {}};
  for (int i = 0; i < 20; ++i) {
    series.dates.push_back(std::to_string(i));
    series.values.push_back(10 + 3 * std::sin(i));
  }
  return series;
}
std::string windows_refusal(const WindowOptions& options) {
  return error_of([&] { WindowedSeries windows(twenty_prices(), options); });
}

LabelledTexts two_texts() {
  return {.texts = {"a b a", "b c"}, .labels = {0, 1}, .classes = {"x", "y"}};
}
const std::vector<std::size_t> both{0, 1};

}  // namespace

TEST_CASE("windows take no count of 0 and none beyond the series") {
  CHECK(windows_refusal({.window = 0}).find("found 0") != std::string::npos);
  CHECK(windows_refusal({.horizon = 0}).find("found 0") != std::string::npos);
  for (const std::size_t many : {std::size_t{21}, endless}) {
    CHECK(windows_refusal({.window = many}).find("too few for a window of") != std::string::npos);
    CHECK(windows_refusal({.window = 1, .horizon = many}).find("and a horizon of") != std::string::npos);
  }
  CHECK(windows_refusal({.window = endless, .horizon = endless}).find("too few") != std::string::npos);
  for (const double share : {0.0, 1.0, -1.0, 1e300, std::nan("")})
    CHECK(windows_refusal({.window = 1, .train_share = share}).find("shares") != std::string::npos);
  CHECK(windows_refusal({.window = 1, .train_share = 1e-300}).find("has 0 rows") != std::string::npos);
  CHECK(error_of([] {
          WindowedSeries windows(Series{.name = "none", .dates = {}, .values = {}});
        }).find("has 0 rows") != std::string::npos);
}

TEST_CASE("a part that counts windows it does not have is refused") {
  const WindowedSeries windows(twenty_prices(), {.window = 1});
  WindowedPart absurd;
  CHECK(windows.to_logs(absurd, {}).empty());
  CHECK(windows.mean_forecast(absurd).empty());
  CHECK(error_of([&] { score(windows, absurd, {}); }) == "expected forecasts of at least one window, found none");
  absurd.count = endless;
  CHECK(error_of([&] { windows.mean_forecast(absurd); }) ==
        "expected prices of " + endless_text + " windows, found those of 0");
  absurd.count = 1;
  CHECK(error_of([&] { windows.to_logs(absurd, std::vector<float>(1)); }) ==
        "expected prices of 1 windows, found those of 0");
  CHECK(error_of([&] { score(windows, absurd, std::vector<double>(1)); }) ==
        "expected prices of 1 windows, found those of 0");
}

TEST_CASE("splits of nothing, of all and of more than there is") {
  CHECK(all_rows(0).empty());
  CHECK(error_of([] { all_rows(endless); }) == "split: there is no memory for " + endless_text + " rows");
  const std::vector<Label> labels{0, 1, 0};
  CHECK(stratified_split(labels, 0, Seed{1}).train == all_rows(3));
  CHECK(stratified_split(labels, 1, Seed{1}).valid == all_rows(3));
  for (const double share : {-0.1, 1.1, 1e300, std::nan("")})
    CHECK(error_of([&] { stratified_split(labels, share, Seed{1}); }).find("expected a share from 0 to 1") !=
          std::string::npos);
  for (const double share : {0.0, 0.5, 1.0})
    CHECK(error_of([&] { stratified_split({}, share, Seed{1}); }).find("leaves one part empty") != std::string::npos);
}

TEST_CASE("samples are loaded ahead by no thread, none ahead, or all ahead") {
  const Numbers source{5};
  const std::vector<float> all{0, 1, 2, 3, 4};
  for (const std::size_t threads : {0U, 1U, 3U})
    for (const std::size_t ahead : {std::size_t{0}, std::size_t{1}, endless})
      CHECK(read(Background<Vector<1>>(source, {.ahead = ahead, .threads = threads})) == all);
  const Numbers none{0};
  CHECK(read(Background<Vector<1>>(none, {.ahead = endless, .threads = 2})).empty());
  CHECK(error_of([&] { Background<Vector<1>>(source, {.threads = endless}); }) ==
        "background: expected at most 1024 threads, found " + endless_text);
  const Numbers more{endless};
  CHECK(error_of([&] { Background<Vector<1>>(more, {.ahead = 2}); }) ==
        "background: there is no memory for 2 of " + endless_text + " samples");
}

TEST_CASE("image sets whose extents do not fit are refused, be their product what it may") {
  auto set = two_images();
  CHECK_NOTHROW(set.check());
  set.height = (endless >> 2U) + 2;  // 2^62 + 1: times 4 it wraps around to 4
  set.width = 4;
  CHECK(set.image_bytes() == 4);
  CHECK(error_of([&] { set.check(); }).find("2 images, one a label, of [") != std::string::npos);
  for (const std::size_t extent : {std::size_t{0}, endless}) {
    auto broken = two_images();
    broken.channels = extent;
    CHECK(error_of([&] { broken.check(); }).find("images: expected") == 0);
    CHECK(error_of([&] { measure_channels(broken, both); }).find("images: expected") == 0);
  }
}

TEST_CASE("channels are measured of at least one image that is there") {
  CHECK(error_of([] { measure_channels(two_images(), {}); }) ==
        "images: expected at least one image to scale by, found none");
  for (const std::size_t row : {std::size_t{2}, endless})
    CHECK(error_of([&] { measure_channels(two_images(), std::vector{row}); }) ==
          "images: expected rows below 2, found " + std::to_string(row));
  CHECK(measure_channels(two_images(), both).mean[0] == doctest::Approx(4.5 / 255));
}

TEST_CASE("a scaling that divides by nothing is refused") {
  for (const double deviation : {0.0, -1.0, std::nan("")})
    CHECK(error_of([&] {
            ImageSource<Pair>(two_images(), {.mean = {0}, .deviation = {deviation}}, {0});
          }).find("images: expected a finite mean and a deviation above 0 of channel 0") == 0);
  CHECK(error_of([] {
          ImageSource<Pair>(two_images(), {.mean = {std::nan("")}, .deviation = {1}}, {0});
        }).find("images: expected a finite mean") == 0);
}

TEST_CASE("padding and blanks as large as the image or larger") {
  const auto set = two_images();
  CHECK(ImageSource<Pair>(set, scaling, {}).size() == 0);
  const std::string most = "images: expected at most 2 pixels of padding, found ";
  for (const std::size_t padding : {std::size_t{3}, endless / 2, endless}) {
    CHECK(error_of([&] { ImageSource<Pair>(set, scaling, {0}, {.padding = padding}); }) ==
          most + std::to_string(padding));
    CHECK(error_of([&] { draw_change({.padding = padding}, Seed{1}, 1, 0, 2, 2); }) == most + std::to_string(padding));
  }
  for (const std::size_t cutout : {std::size_t{4}, endless / 2, endless}) {
    const ImageSource<Pair> blank(set, scaling, {0, 1}, {.padding = 2, .cutout = cutout});
    float input[4]{7, 7, 7, 7};
    SampleSlot<Pair, float> slot{.input = input, .epoch = 1};
    blank.load(1, slot);
    for (const float x : input) CHECK(x == 0);
  }
  CHECK(error_of([&] { ImageSource<Pair>(set, scaling, {endless}); }) ==
        "images: expected rows below 2, found " + endless_text);
}

TEST_CASE("files of images are as long as their records say") {
  auto images = no_cifar10_images();
  const std::vector<std::byte> record(3073);
  CHECK(error_of([&] { parse_cifar10(record, "c", images, endless); }) ==
        "c: expected " + endless_text + " records of 3073 bytes, more than a file has in all, found 3073");
  parse_cifar10(record, "c", images, 1);
  CHECK(images.size() == 1);
  auto small = two_images();
  CHECK(error_of([&] { parse_cifar10(record, "c", small); }) ==
        "c: expected a set of images of 32 x 32 x 3 to append to, found one of [2, 2, 1]");
  const TemporaryFolder folder;
  CHECK(error_of([&] { read_cifar10(folder / "none", endless); }).find("data_batch_1.bin") != std::string::npos);
}

TEST_CASE("a limit of unpacked bytes may be none or endless") {
  const auto unpack = [](const std::string& text, std::size_t limit) {
    const std::string packed = gzip_of(text);
    return gunzip(std::as_bytes(std::span(packed)), "f.gz", limit).size();
  };
  CHECK(unpack("abc", endless) == 3);
  CHECK(unpack(std::string(200000, 'x'), endless - 1) == 200000);
  CHECK(unpack("", 0) == 0);
  CHECK(error_of([&] { unpack("a", 0); }) == "f.gz: expected at most 0 bytes when unpacked, found more");
}

TEST_CASE("a vocabulary of no words, of all and of more than there are") {
  const auto counter = count_words(two_texts(), both);
  CHECK(counter.vocabulary({.min_count = 0, .max_words = 0}).size() == 5);
  CHECK(counter.vocabulary({.max_words = endless}).size() == 5);
  CHECK(counter.vocabulary({.min_count = std::numeric_limits<std::uint64_t>::max()}).size() == 2);
  CHECK(count_words(two_texts(), {}).vocabulary().size() == 2);
  CHECK(error_of([] { count_words(two_texts(), std::vector{endless}); }) ==
        "texts: expected rows below 2, found " + endless_text);
}

TEST_CASE("vectors of an absurd dimension take no memory before a line has as many numbers") {
  const Vocabulary none, one({"a"});
  CHECK(error_of([&] { parse_glove("a 1", "v", one, 0); }) ==
        "v: expected vectors of at least one number, asked for none");
  for (const std::size_t dimension : {endless, endless / 3 + 1, std::size_t{1} << 40U}) {
    CHECK(error_of([&] { parse_glove("a 1", "v", one, dimension); }) ==
          "v:1: expected a word and " + std::to_string(dimension) + " numbers, found 1 field behind the word");
    CHECK(error_of([&] { parse_glove("", "v", one, dimension); }) == "v: expected word vectors, found none");
  }
  const auto vectors = parse_glove("a 1", "v", none, 1);
  CHECK(vectors.values == std::vector<float>{0, 0});
  CHECK(coverage(vectors, none).words == 0);
  CHECK(error_of([&] { coverage(vectors, one); }) ==
        "vectors: expected one for each of the 3 numbers of the vocabulary, found 2");
  CHECK(error_of([&] { coverage({}, one); }).find("found 0") != std::string::npos);
}

TEST_CASE("texts and vectors whose sizes do not fit are refused") {
  auto unlabelled = two_texts();
  unlabelled.labels.pop_back();
  const Vocabulary vocabulary({"a", "b"});
  CHECK(error_of([&] { number_texts(unlabelled, vocabulary); }) ==
        "texts: expected a label for each of the 2 texts, found 1");
  const TextSet nothing;
  CHECK(TextSource<Tokens<3>>(nothing, {}).size() == 0);
  const auto set = number_texts(two_texts(), vocabulary);
  CHECK(error_of([&] { TextSource<Tokens<3>>(set, {endless}); }) ==
        "texts: expected rows below 2, found " + endless_text);
  auto broken = set;
  broken.begins = {0, endless, 5};
  CHECK(error_of([&] { TextSource<Tokens<3>>(broken, {0}); }) ==
        "texts: expected at least one token in each text, text 1 has none");
  broken.begins = {};
  CHECK(error_of([&] { TextSource<Tokens<3>>(broken, {0}); }) ==
        "texts: expected a text for each of the 2 labels, found 0 and 5 tokens in all");
  WordVectors vectors{.words = endless, .dimension = 1};
  CHECK(error_of([&] { TextSource<Sequence<3, 1>>(set, vectors, {0}); }) ==
        "texts: expected " + endless_text + " vectors of 1 numbers, found 0 numbers in all");
}

TEST_CASE("a least number of rows is at least one and may be absurd") {
  const auto refusal = [](std::size_t rows) {
    return error_of([&] { parse_csv("date,a,b\n1978-01,1,\n", "p", {.columns = {"b"}, .minimum_rows = rows}); });
  };
  CHECK(refusal(0) == "p:2:1: expected 1 or more rows of the column b, found 0 up to here");
  CHECK(refusal(endless) == "p:2:1: expected " + endless_text + " or more rows of the column b, found 0 up to here");
}
