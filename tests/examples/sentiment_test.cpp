// The program sentiment, run as its users run it: what it writes, that it learns and repeats itself, how it explains,
// and what it refuses.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "program.hpp"

using namespace aila_test;

namespace {

const std::vector<std::string> good{"good", "great", "lovely"}, bad{"bad", "dull", "awful"},
    other{"the", "film", "was", "a", "story", "of", "."};

/// A review that says what it thinks between words that say nothing.
std::string review(bool positive, std::size_t number) {
  const auto& words = positive ? good : bad;
  std::string text;
  for (std::size_t i = 0; i < 6 + number % 5; ++i)
    text += other[(number * 3 + i * 5) % (other.size() - 1)] + (i == number % 4 ? " " + words[number % 3] : "") + " ";
  return text + ".<br />";
}

void write_part(const std::filesystem::path& folder, std::size_t count) {
  for (const bool positive : {false, true}) {
    const auto reviews = folder / (positive ? "pos" : "neg");
    std::filesystem::create_directories(reviews);
    for (std::size_t i = 0; i < count; ++i)
      write_raw(reviews / (std::to_string(i) + (positive ? "_9.txt" : "_2.txt")), review(positive, i));
  }
}

/// A line of 100 numbers for a word, far from those of other words.
std::string vector_of(const std::string& word, std::size_t number) {
  std::string line = word;
  for (std::size_t i = 0; i < 100; ++i) line += i % 16 == number ? " 1.5" : " -0.1";
  return line + "\n";
}

/// A folder with a small data set, and vectors for all of its words but "story".
struct Folder : TemporaryFolder {
  Folder() {
    write_part(*this / "data/aclImdb/train", 40);
    write_part(*this / "data/aclImdb/test", 15);
    std::string vectors;
    std::size_t number = 0;
    for (const auto* words : {&good, &bad, &other})
      for (const auto& word : *words)
        if (word != "story") vectors += vector_of(word, number++);
    std::filesystem::create_directories(*this / "data/glove");
    write_raw(*this / "data/glove/imdb-skipgram.100d.txt", vectors + vector_of("unused", 15));
  }
};

const std::string program = "'" AILA_SENTIMENT_PROGRAM "' --quiet ";
const std::string given = "--data data --batch 8 ";
const std::string quick = given + "--epochs 1 ";
const std::string learns = given + "--epochs 20 --lr 0.005 --patience 0 ";

Answer sentiment(const TemporaryFolder& folder, const std::string& options) {
  return shell(folder, program + options);
}

Json report_of(const TemporaryFolder& folder, const std::string& options) {
  const auto answer = sentiment(folder, options + " --report report.json");
  REQUIRE_MESSAGE(answer.code == 0, answer.err);
  return Json::parse(read_raw(folder / "report.json"));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("it learns which words are good, and the report has every figure") {
  const Folder folder;
  const auto report = report_of(folder, learns + "--policy none,linear --readout last,attention --plot plot.svg");
  const auto& data = report["data"];
  CHECK(data["train"] == 72);
  CHECK(data["valid"] == 8);
  CHECK(data["test"] == 30);
  CHECK(data["vectors"]["file"] == "imdb-skipgram.100d.txt");
  CHECK(data["vectors"]["words"] == 13);
  CHECK(data["vectors"]["words_with_vector"] == 12);
  CHECK(data["vectors"]["tokens_with_vector"] < data["vectors"]["tokens"]);
  std::set<std::string> found;
  for (const auto& result : report["results"]) {
    found.insert(result["network"].get<std::string>() + " " + result["policy"].get<std::string>());
    CHECK(result["test_accuracy"] == 1);
    CHECK(result["test_loss"] < 0.2);
    CHECK(result["runs"][0]["confusion"] == Json::parse("[[15, 0], [0, 15]]"));
    CHECK(result["runs"][0]["epochs"].size() == 20);
    CHECK(result.contains("integration_weights") == (result["policy"] == "linear"));
  }
  CHECK(found ==
        std::set<std::string>{"aila-last none", "aila-last linear", "aila-attention none", "aila-attention linear"});
  for (const char* plot : {"plot.svg", "plot-confusion.svg", "plot-weights.svg"})
    CHECK(read_raw(folder / plot).starts_with("<svg "));
}

TEST_CASE("every network trains") {
  const Folder folder;
  const auto report = report_of(folder, quick + "--limit 40 --network all --readout all --policy none,attention");
  CHECK(report["results"].size() == 10);
  for (const auto& result : report["results"]) CHECK(std::isfinite(result["test_loss"].get<double>()));
}

TEST_CASE("a run repeats itself to the bit, with one thread and with two") {
  const Folder folder;
  const std::string options = quick + "--seeds 2 --readout last,attention ";
  const auto first = without_times(report_of(folder, options + "--threads 1"));
  CHECK(first == without_times(report_of(folder, options + "--threads 1")));
  CHECK(first == without_times(report_of(folder, options + "--threads 2")));
  CHECK(first["results"][0]["runs"][0]["test_loss"] != first["results"][0]["runs"][1]["test_loss"]);
}

TEST_CASE("a saved model answers the same, with data and without") {
  const Folder folder;
  const std::string text = "--review 'The film was a lovely STORY of nothing.' ";
  const auto trained = sentiment(folder, learns + "--report trained.json --save m.safetensors " + text);
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  const auto loaded = report_of(folder, "--data data --load m.safetensors --test");
  const auto report = Json::parse(read_raw(folder / "trained.json"));
  CHECK(loaded["results"][0]["test_loss"] == report["results"][0]["test_loss"]);
  CHECK(loaded["results"][0]["test_accuracy"] == report["results"][0]["test_accuracy"]);
  CHECK(loaded["data"]["vectors"] == report["data"]["vectors"]);

  std::filesystem::remove_all(folder / "data");
  const auto again = sentiment(folder, "--load m.safetensors " + text);
  CHECK(again.code == 0);
  CHECK(has(trained.out, again.out));
  const auto typed =
      shell(folder, "echo 'The film was a lovely STORY of nothing.' | " + program + "--load m.safetensors");
  CHECK(typed.code == 0);
  CHECK(has(again.out, typed.out));
}

TEST_CASE("a saved model is measured on the test part alone, and words that are lost in training are written again") {
  const Folder folder;
  std::filesystem::create_directories(folder / "out");
  const auto trained =
      shell(folder, program + given + "--epochs 12 --patience 0 --report r.json --save out/m & p=$!; " +
                        "while [ ! -e out/m ] && kill -0 $p; do sleep 0.02; done; "
                        "rm out/m-words.safetensors; wait $p");
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  std::filesystem::remove_all(folder / "data/aclImdb/train");
  const auto loaded = report_of(folder, "--data data --load out/m --test");
  CHECK(loaded["results"][0]["test_loss"] == Json::parse(read_raw(folder / "r.json"))["results"][0]["test_loss"]);
}

TEST_CASE("an output that fails after the training leaves the others, and the exit code says so") {
  const Folder folder;
  std::filesystem::create_directories(folder / "out");
  std::filesystem::create_directories(folder / "figures");
  const auto answer = shell(folder, program + given + "--epochs 12 --patience 0 --review 'a good film' --save out/m " +
                                        "--report figures/r.json --plot figures/p.svg & p=$!; " +
                                        "while [ ! -e out/m ] && kill -0 $p; do sleep 0.02; done; "
                                        "rm -r figures; wait $p");
  CHECK(answer.code == 2);
  for (const char* file : {"r.json", "p.svg", "p-confusion.svg", "p-weights.svg", "p-review.svg"})
    CHECK(has(answer.err, "sentiment: " + std::string(file) + ": there is no folder figures\n"));
  CHECK(has(answer.out, "\na good film\n"));
  CHECK(sentiment(folder, "--load out/m --review 'a good film'").code == 0);
}

TEST_CASE("a review is told right, with the words and the layers that mattered") {
  const Folder folder;
  REQUIRE(sentiment(folder, learns + "--save m.safetensors").code == 0);
  const auto answer = sentiment(folder,
                                "--load m.safetensors --plot p.svg --review 'the film was awful , a bore' "
                                "--review 'great'");
  REQUIRE_MESSAGE(answer.code == 0, answer.err);
  const auto second = answer.out.find("\ngreat\npositive, ");
  REQUIRE(second != std::string::npos);
  const std::string first = answer.out.substr(0, second);
  CHECK(has(first, "\nnegative, "));
  CHECK(has(first, "(7 words; 5 have a vector)"));
  const auto words = first.find("words: gradient times input, + for positive\n");
  REQUIRE(words != std::string::npos);
  const auto line = first.substr(first.find('\n', words) + 1,
                                 first.find('\n', first.find('\n', words) + 1) - first.find('\n', words) - 1);
  CHECK(line.starts_with("   -"));
  CHECK(line.ends_with("########################  awful"));
  CHECK(has(first, "words: weight in the attention pooling\n"));
  CHECK(has(first, "  layer 2  of layer 1    1.000  ########################\n"));
  CHECK(has(first, "  layer 4  of layer 3  "));
  CHECK(has(answer.out, "(1 word; 1 has a vector)"));
  const auto drawn = read_raw(folder / "p.svg");
  CHECK(drawn.starts_with("<svg "));
  CHECK(has(drawn, ">awful</text>"));
  CHECK(has(drawn, "Weights of the layers"));

  CHECK(has(sentiment(folder, "--load m.safetensors --review ' '").out, "there is no word in it\n"));
  const auto unknown = sentiment(folder, "--load m.safetensors --review 'qwertz'");
  CHECK(has(unknown.out, "(1 word; 0 have a vector)\nwords: gradient times input, + for positive\n  (none)\n"));
  const auto nothing = sentiment(folder, "--load m.safetensors");
  CHECK(nothing.code == 0);
  CHECK(nothing.out == "");
}

TEST_CASE("of a longer review the first or the last words are read, and a model remembers which") {
  const Folder folder;
  const std::string options = quick + "--tokens 3 --save m.safetensors --review 'good film dull story' ";
  const auto first = sentiment(folder, options + "--readout last");
  REQUIRE_MESSAGE(first.code == 0, first.err);
  CHECK(has(first.out, "(4 words, of which 3 are read; 3 have a vector)"));
  CHECK(!has(first.out, "#  story"));
  const auto last = sentiment(folder, options + "--readout last --keep last");
  CHECK(has(last.out, "(4 words, of which 3 are read; 2 have a vector)"));
  CHECK(!has(last.out, "#  good"));
  CHECK(has(last.out, sentiment(folder, "--load m.safetensors --review 'good film dull story'").out));
}

TEST_CASE("texts that are odd are counted, and none is skipped") {
  const Folder folder;
  write_raw(folder / "data/aclImdb/train/pos/900_8.txt", "good \xFF film");
  write_raw(folder / "data/aclImdb/train/pos/901_8.txt", " ");
  const auto answer = sentiment(folder, quick);
  CHECK(answer.code == 0);
  CHECK(has(answer.err, "sentiment: train: 1 of 82 texts have bytes that are not UTF-8; they were replaced\n"));
  CHECK(has(answer.err, "sentiment: 1 of 82 texts have no word; each was read as one unknown word\n"));
}

TEST_CASE("what cannot be done is refused in one sentence, before anything is trained or written") {
  const Folder folder;
  REQUIRE(sentiment(folder, quick + "--save m.safetensors").code == 0);
  const auto files = folder.files();
  const auto refuses = [&](const std::string& options, const std::string& sentence) {
    CAPTURE(options);
    const auto answer = sentiment(folder, options);
    CHECK(answer.code == 2);
    CHECK(answer.out == "");
    CHECK(answer.err == "sentiment: " + sentence + "\n");
    CHECK(folder.files() == files);
  };
  refuses("--network aila,resnet",
          "--network: expected aila, lstm, attention-lstm, transformer, cnn or all, found \"resnet\"");
  refuses("--readout first", "--readout: expected last, attention, mean or all, found \"first\"");
  refuses("--network lstm --readout last", "--readout: lstm has no read-out to choose");
  refuses("--network lstm --policy none", "--policy: lstm has no policy to choose");
  refuses("--policy none,none", "--policy: none is named twice");
  refuses("--readout mean --policy densenet", "--policy: aila-mean has none, linear, attention, found densenet");
  refuses("--keep middle", "--keep: expected first, last, found \"middle\"");
  refuses("--schedule step", "--schedule: expected cosine, one-cycle, constant, found \"step\"");
  refuses("--data nowhere", "data: glove is not in nowhere; get it by: sh examples/get-data.sh glove");
  refuses("--data nowhere --vectors data/glove/imdb-skipgram.100d.txt",
          "data: imdb is not in nowhere; get it by: sh examples/get-data.sh imdb");
  refuses("--data data --vectors nothing.txt", "nothing.txt: there is no such file in the folder .");
  refuses("--data data --report no/report.json", "--report: report.json: there is no folder no");
  refuses("--data data --save .", "--save: .: expected a file, found a folder");
  refuses("--data data --plot picture.png",
          "--plot: expected a file name that ends in .svg or a folder, found \"picture.png\"");
  refuses("--data data --report n-words.safetensors --save n.safetensors",
          "--save: expected a file of its own, found n-words.safetensors, which --report writes");
  refuses("--load m.safetensors --test --data data --report m-words.safetensors",
          "--report: expected a file of its own, found m-words.safetensors, which --load reads");
  std::filesystem::copy_file(folder / "data/glove/imdb-skipgram.100d.txt", folder / "data/glove/\xFF.txt");
  refuses(
      "--data data --vectors 'data/glove/\xFF.txt' --save n.safetensors",
      "--save: expected the name of the file of word vectors to be UTF-8 without NUL, as a file of weights keeps it, "
      "found \"\xEF\xBF\xBD.txt\"");
  refuses("--test", "--test needs --load: a training is always measured on the test part");
  refuses("--load nothing.safetensors", "nothing.safetensors: there is no such file in the folder .");
  refuses("--load m.safetensors --seeds 2", "--seeds cannot be given together with --load: a saved model has its own");
  refuses("--load m.safetensors --report r.json", "--report needs --test where --load is given");
  refuses("--load m.safetensors --plot p.svg", "--plot needs --test or --review where --load is given");
  for (const char* wrong : {"--seeds 0", "--seeds -1", "--epochs many", "--threads 0", "--batch 0", "--tokens 0",
                            "--tokens 201", "--what", "word"}) {
    CAPTURE(wrong);
    const auto answer = sentiment(folder, wrong);
    CHECK(answer.code == 2);
    CHECK(is_one_line(answer.err, "sentiment: "));
    CHECK(folder.files() == files);
  }
}

TEST_CASE("broken data and models are named in one sentence") {
  const Folder folder;
  const auto refuses = [&](const std::string& options, const std::string& sentence) {
    CAPTURE(options);
    const auto answer = sentiment(folder, options);
    CHECK(answer.code == 2);
    CHECK_MESSAGE(is_one_line(answer.err, "sentiment: " + sentence), answer.err);
  };
  REQUIRE(sentiment(folder, quick + "--save m.safetensors").code == 0);
  REQUIRE(sentiment(folder, quick + "--limit 40 --save n.safetensors").code == 0);
  std::filesystem::copy_file(folder / "n-words.safetensors", folder / "m-words.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  refuses("--load m.safetensors", "m.safetensors: the words in m-words.safetensors are not those");
  std::filesystem::remove(folder / "m-words.safetensors");
  refuses("--load m.safetensors", "m-words.safetensors: there is no such file");
  refuses("--load n-words.safetensors", "n-words.safetensors: the metadata have no network");
  write_raw(folder / "n-words.safetensors", "no words at all");
  refuses("--load n.safetensors", "n-words.safetensors: ");

  write_raw(folder / "few.txt", "film 1 2 3\n");
  refuses(given + "--vectors few.txt", "few.txt:1: expected a word and 100 numbers");
  write_raw(folder / "strange.txt", vector_of("zebra", 1));
  refuses(given + "--vectors strange.txt", "strange.txt: no word of the training part has a vector there");
  std::filesystem::remove(folder / "data/glove/imdb-skipgram.100d.txt");
  refuses(given, "vectors: neither glove.6B.100d.txt nor imdb-skipgram.100d.txt is in data/glove; ");
  write_raw(folder / "data/aclImdb/train/pos/3_9.txt", "");
  refuses(given + "--vectors strange.txt", "train/pos/3_9.txt: expected a review, the file is empty");
}

TEST_CASE("the genuine GloVe is taken before the vectors that were trained on reviews") {
  const Folder folder;
  std::filesystem::copy_file(folder / "data/glove/imdb-skipgram.100d.txt", folder / "data/glove/glove.6B.100d.txt");
  CHECK(report_of(folder, quick)["data"]["vectors"]["file"] == "glove.6B.100d.txt");
}

TEST_CASE("an interrupt ends the program at once, and what was not saved leaves nothing behind") {
  const Folder folder;
  const auto files = folder.files();
  const auto answer = shell(folder, program + given +
                                        "--epochs 100000 --patience 0 --report r.json --plot p.svg & p=$!; sleep 1; "
                                        "kill -INT $p; wait $p");
  CHECK(answer.code == 130);
  CHECK(answer.err.ends_with("sentiment: cancelled; nothing was written\n"));
  CHECK(folder.files() == files);
}

TEST_CASE("help names every option") {
  const TemporaryFolder folder;
  const auto answer = sentiment(folder, "--help");
  CHECK(answer.code == 0);
  for (const char* option :
       {"--report",  "--plot",  "--save",     "--load",    "--test",   "--review",  "--data", "--vectors",
        "--tokens",  "--keep",  "--network",  "--readout", "--policy", "--seeds",   "--seed", "--epochs",
        "--threads", "--batch", "--patience", "--lr",      "--limit",  "--summary", "--quiet"})
    CHECK(has(answer.out, option));
}
