// Reviews in folders, and what is wrong with them.
#include <doctest/doctest.h>

#include <aila/data/imdb.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"

namespace imdb_test {
using namespace aila::data;
using namespace aila_test;
using Strings = std::vector<std::string>;

namespace {

/// Two reviews in each of the four folders.
struct Reviews : TemporaryFolder {
  Reviews() {
    for (const char* part : {"train", "test"}) {
      write(std::string(part) + "/pos/10_7.txt", "fine");
      write(std::string(part) + "/pos/2_10.txt", "great<br />");
      write(std::string(part) + "/neg/0_1.txt", "bad");
      write(std::string(part) + "/neg/1_4.txt", "poor");
    }
  }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((*this / name).parent_path());
    write_raw(*this / name, text);
  }
  std::string refusal() const {
    return error_of([&] { read_imdb(path()); });
  }
};

}  // namespace

TEST_CASE("reviews are read in order of name, the negative ones first") {
  const Reviews folder;
  const auto parts = read_imdb(folder.path());
  for (const auto* part : {&parts.train, &parts.test}) {
    CHECK(part->texts == Strings{"bad", "poor", "fine", "great<br />"});
    CHECK(part->labels == std::vector<Label>{0, 0, 1, 1});
    CHECK(part->classes == Strings{"neg", "pos"});
  }
  CHECK(parts.test.warnings ==
        Strings{"test/neg: 2 reviews, the original has 12500", "test/pos: 2 reviews, the original has 12500"});
}

TEST_CASE("files of another name are counted, and texts that are not UTF-8 are repaired and counted") {
  const Reviews folder;
  folder.write("train/pos/.DS_Store", "x");
  folder.write("train/pos/10_7.txt~", "x");
  folder.write("train/neg/7_2.txt", "na\xEFve");
  const auto train = read_imdb(folder.path()).train;
  CHECK(train.texts[2] == "na\xEF\xBF\xBDve");
  CHECK(train.warnings == Strings{"train/neg: 3 reviews, the original has 12500",
                                  "train/pos: files left out because they are not named ID_RATING.txt: 2",
                                  "train/pos: 2 reviews, the original has 12500",
                                  "train: 1 of 5 texts have bytes that are not UTF-8; they were replaced"});
}

TEST_CASE("ratings that contradict their folder, empty reviews and missing folders are refused in one sentence") {
  {
    const Reviews folder;
    folder.write("test/pos/3_4.txt", "x");
    CHECK(folder.refusal() == "test/pos/3_4.txt: expected a rating from 7 to 10 in the name, found 4");
  }
  {
    const Reviews folder;
    folder.write("train/neg/3_0.txt", "x");
    CHECK(folder.refusal() == "train/neg/3_0.txt: expected a rating from 1 to 4 in the name, found 0");
  }
  {
    const Reviews folder;
    folder.write("train/neg/3_1.txt", "");
    CHECK(folder.refusal() == "train/neg/3_1.txt: expected a review, the file is empty");
  }
  {
    const Reviews folder;
    std::filesystem::remove_all(folder / "test/neg");
    CHECK(folder.refusal().starts_with("test/neg: the folder cannot be read in " + (folder / "test").string() + " ("));
    std::filesystem::create_directories(folder / "test/neg");
    CHECK(folder.refusal() ==
          "test/neg: expected reviews named ID_RATING.txt in " + (folder / "test/neg").string() + ", found none");
  }
}

TEST_CASE("a byte order mark is no part of a review, and what is no UTF-8 text is refused by its name") {
  const Reviews folder;
  folder.write("train/neg/3_1.txt", "\xEF\xBB\xBFterrible");
  CHECK(read_imdb(folder.path()).train.texts[2] == "terrible");
  folder.write("train/neg/3_1.txt", "\xEF\xBB\xBF");
  CHECK(folder.refusal() == "train/neg/3_1.txt: expected a review, the file is empty");
  folder.write("train/neg/3_1.txt", "\xFF\xFE" + std::string("b\0", 2));
  CHECK(folder.refusal() == "train/neg/3_1.txt: expected text in UTF-8, found the first bytes of UTF-16 or UTF-32");
  folder.write("train/neg/3_1.txt", std::string("b\0a\0", 4));
  CHECK(folder.refusal() ==
        "train/neg/3_1.txt: expected text, found a byte of value 0, as UTF-16 and files that are no text have them");
}

TEST_CASE("the rating is what stands behind the bar in the name of a review, and other names have none") {
  CHECK(review_rating("0_9.txt") == 9);
  CHECK(review_rating("12499_10.txt") == 10);
  for (const char* name : {"", ".txt", "_9.txt", "9.txt", "1_.txt", "a_9.txt", "1_9.txt.gz", "1_9_2.txt", "1_-9.txt",
                           "1_99999999999999999999.txt", "urls_pos.txt", "1_9.TXT"})
    CHECK_MESSAGE(!review_rating(name), name);
}
}  // namespace imdb_test
