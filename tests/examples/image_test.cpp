// The program image, run as its users run it: what it writes, that it learns and repeats itself, and what it refuses.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>

#include "program.hpp"

using namespace aila_test;

namespace {

/// An IDX file of bytes: its extents, then what `values` holds.
void write_idx(const std::filesystem::path& path, const std::vector<std::size_t>& extents, const std::string& values) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(extents.size())};
  for (const auto extent : extents)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift & 0xFFU);
  write_raw(path, bytes + values);
}

constexpr std::size_t side = 28;

/// A picture of a class: a bright square where the class has its place, on a ground that differs from one to the next.
std::string picture(std::size_t label, std::size_t number) {
  std::string pixels;
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) {
      const bool bright = y / 7 == label / 4 && x / 7 == label % 4;
      pixels += static_cast<char>((bright ? 200 : 20) + (x * 7 + y * 5 + number * 11) % 50);
    }
  return pixels;
}

void write_part(const std::filesystem::path& folder, const std::string& name, std::size_t count) {
  std::string images, labels;
  for (std::size_t i = 0; i < count; ++i) {
    images += picture(i % 10, i);
    labels += static_cast<char>(i % 10);
  }
  write_idx(folder / (name + "-images-idx3-ubyte"), {count, side, side}, images);
  write_idx(folder / (name + "-labels-idx1-ubyte"), {count}, labels);
}

/// A folder with a small data set that is named fashion-mnist.
struct Folder : TemporaryFolder {
  Folder() {
    const auto data = *this / "data";
    std::filesystem::create_directories(data / "fashion-mnist");
    write_part(data / "fashion-mnist", "train", 160);
    write_part(data / "fashion-mnist", "t10k", 40);
  }
};

const std::string program = "'" AILA_IMAGE_PROGRAM "' --quiet ";
const std::string given = "--data data --padding 0 --no-flip --batch 16 ";
const std::string quick = given + "--epochs 1 ";

Answer image(const TemporaryFolder& folder, const std::string& options) {
  return shell(folder, program + options);
}

Json report_of(const TemporaryFolder& folder, const std::string& options) {
  const auto answer = image(folder, options + " --report report.json");
  REQUIRE_MESSAGE(answer.code == 0, answer.err);
  return Json::parse(read_raw(folder / "report.json"));
}

}  // namespace

TEST_CASE("the report has every figure of every policy and seed") {
  const Folder folder;
  const auto report = report_of(folder, given + "--epochs 2 --seeds 2 --policy none,linear,attention --plot plot.svg");
  CHECK(report["data"]["train"] == 140);
  CHECK(report["data"]["valid"] == 20);
  CHECK(report["data"]["test"] == 40);
  CHECK(report["classes"].size() == 10);
  std::set<std::string> found;
  for (const auto& result : report["results"]) {
    const auto policy = result["policy"].get<std::string>();
    found.insert(policy);
    for (const char* figure : {"test_accuracy", "test_loss", "validation_accuracy", "validation_loss"}) {
      CHECK(std::isfinite(result[figure].get<double>()));
      CHECK(result[figure + std::string("_std")].get<double>() >= 0);
    }
    CHECK(result["seconds_per_epoch"] > 0);
    CHECK(result["parameters"] > 100'000);
    REQUIRE(result["runs"].size() == 2);
    double sum = 0;
    for (const auto& run : result["runs"]) {
      sum += run["test_accuracy"].get<double>();
      CHECK(run["epochs"].size() == 2);
      CHECK(run["class_accuracy"].size() == 10);
      int all = 0;
      for (const auto& row : run["confusion"])
        for (const auto& count : row) all += count.get<int>();
      CHECK(all == 40);
    }
    CHECK(result["test_accuracy"].get<double>() == doctest::Approx(sum / 2));
    CHECK(result["runs"][0]["test_loss"] != result["runs"][1]["test_loss"]);
    CHECK(result.contains("integration_weights") == (policy != "none"));
    CHECK(result.contains("test_accuracy_less_none") == (policy != "none"));
  }
  CHECK(found == std::set<std::string>{"none", "linear", "attention"});
  for (const char* file : {"plot.svg", "plot-confusion.svg", "plot-weights.svg"})
    CHECK(read_raw(folder / file).starts_with("<svg "));
}

TEST_CASE("classes that are easy to tell apart are learnt") {
  const Folder folder;
  const auto report = report_of(folder, given + "--epochs 6 --policy attention");
  CHECK(report["results"][0]["test_accuracy"] >= 0.9);
  const auto& epochs = report["results"][0]["runs"][0]["epochs"];
  CHECK(epochs.back()["training_loss"] < epochs[0]["training_loss"]);
}

TEST_CASE("a run repeats itself to the bit, with one thread and with two") {
  const Folder folder;
  const std::string options = "--data data --batch 40 --epochs 2 --policy linear --cutout 6 --smoothing 0.1 ";
  const auto first = without_times(report_of(folder, options + "--threads 1"));
  CHECK(first == without_times(report_of(folder, options + "--threads 1")));
  CHECK(first == without_times(report_of(folder, options + "--threads 2")));
}

TEST_CASE("a saved model says the same without training") {
  const Folder folder;
  const auto trained = report_of(folder, given + "--epochs 3 --policy none,linear --save m.safetensors");
  const auto loaded = report_of(folder, "--data data --load m.safetensors --plot .");
  const auto& best = trained["best"];
  CHECK(loaded["best"]["policy"] == best["policy"]);
  CHECK(loaded["best"]["test_accuracy"] == best["test_accuracy"]);
  for (const auto& result : trained["results"])
    if (result["policy"] == best["policy"])
      CHECK(loaded["results"][0]["runs"][0]["confusion"] == result["runs"][0]["confusion"]);
  CHECK(std::filesystem::exists(folder / "image-confusion.svg"));
  CHECK(!std::filesystem::exists(folder / "image.svg"));  // nothing was trained: no curve

  write_raw(folder / "picture.pgm", "P5\n# of the class bag\n28 28 255\n" + picture(8, 3));
  const auto answer = image(folder, "--data data --load m.safetensors --predict picture.pgm");
  CHECK(answer.code == 0);
  CHECK(answer.out.find("\npicture.pgm: ") != std::string::npos);
  write_raw(folder / "picture.pgm", "P5 2 2 255\nabcd");
  CHECK(image(folder, "--data data --load m.safetensors --predict picture.pgm").err ==
        "image: picture.pgm: expected an image of height x width x channels [28 x 28 x 1], found [2 x 2 x 1]\n");
  write_raw(folder / "m.safetensors", "no model at all");
  CHECK(image(folder, "--data data --load m.safetensors").code == 2);
}

TEST_CASE("a saved model asks for the test part of the data alone") {
  const Folder folder;
  const auto trained = report_of(folder, quick + "--policy none --save m");
  for (const char* file : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"})
    std::filesystem::remove(folder / "data/fashion-mnist" / file);
  const auto loaded = report_of(folder, "--data data --load m");
  CHECK(loaded["best"]["test_accuracy"] == trained["best"]["test_accuracy"]);
  CHECK(loaded["data"]["test"] == 40);
  CHECK(!loaded["data"].contains("train"));
}

namespace {

/// A training whose outputs are in folders, with a command that is carried out once the first weights are there.
Answer disturbed(const TemporaryFolder& folder, const std::string& options, const std::string& command) {
  return shell(folder, program + given + "--epochs 12 --patience 0 --policy linear " + options +
                           " & p=$!; while [ ! -e out/m ] && kill -0 $p; do sleep 0.02; done; " + command +
                           "; wait $p");
}

}  // namespace

TEST_CASE("an output that fails after the training leaves the others, and the exit code says so") {
  const Folder folder;
  std::filesystem::create_directories(folder / "out");
  std::filesystem::create_directories(folder / "figures");
  const auto figures = disturbed(folder, "--save out/m --report figures/r.json --plot figures/p.svg", "rm -r figures");
  CHECK(figures.code == 2);
  CHECK(figures.err ==
        "image: r.json: there is no folder figures\nimage: p.svg: there is no folder figures\n"
        "image: p-confusion.svg: there is no folder figures\nimage: p-weights.svg: there is no folder figures\n");
  CHECK(figures.out.find("\nmodel:  out/m\n") != std::string::npos);
  CHECK(image(folder, "--data data --load out/m").code == 0);

  std::filesystem::remove(folder / "out/m");
  const auto model = disturbed(folder, "--save out/m --report r.json --plot p.svg", "rm -r out");
  CHECK(model.code == 2);
  CHECK(model.err == "image: m: there is no folder out\n");
  CHECK(model.out.find("\nreport: r.json\n") != std::string::npos);
  CHECK(!Json::parse(read_raw(folder / "r.json")).contains("model"));
  CHECK(std::filesystem::exists(folder / "p.svg"));

  std::filesystem::create_directories(folder / "out");
  CHECK(disturbed(folder, "--save out/m", "rm -r out; mkdir out").code == 0);
  CHECK(image(folder, "--data data --load out/m").code == 0);
}

TEST_CASE("an interrupt ends the program, and leaves the best weights so far") {
  const Folder folder;
  const auto answer = shell(folder, program + given +
                                        "--epochs 100000 --patience 0 --report r.json --save m --plot p.svg & p=$!; "
                                        "while [ ! -e m ] && kill -0 $p; do sleep 0.1; done; kill -INT $p; wait $p");
  CHECK(answer.code == 130);
  CHECK(answer.err == "image: cancelled; the best weights so far were saved\n");
  CHECK(folder.files() == 2);  // the data and the weights
  CHECK(image(folder, "--data data --load m").code == 0);
}

TEST_CASE("what cannot be done is refused in one sentence, before anything is trained or written") {
  const Folder folder;
  const auto refuses = [&](const std::string& options, const std::string& sentence) {
    CAPTURE(options);
    const auto answer = image(folder, options);
    CHECK(answer.code == 2);
    CHECK(answer.out == "");
    CHECK(answer.err == "image: " + sentence + "\n");
    CHECK(folder.files() == 1);
  };
  refuses("--dataset imagenet", "--dataset: expected fashion-mnist, cifar-10, mnist, found \"imagenet\"");
  refuses("--policy none,none", "--policy: none is named twice");
  refuses("--schedule linear", "--schedule: expected cosine, one-cycle, constant, found \"linear\"");
  refuses("--data nowhere", "data: fashion-mnist is not in nowhere; get it by: sh examples/get-data.sh fashion-mnist");
  refuses("--data data --limit 1", "split: a share of 0.100000 of 1 samples leaves one part empty");
  refuses("--data data --report no/report.json", "--report: report.json: there is no folder no");
  refuses("--data data --save .", "--save: .: expected a file, found a folder");
  refuses("--data data --plot picture.png",
          "--plot: expected a file name that ends in .svg or a folder, found \"picture.png\"");
  refuses("--load nothing.safetensors", "nothing.safetensors: there is no such file in the folder .");
  refuses("--data data --report r --save ./r", "--save: expected a file of its own, found r, which --report writes");
  refuses("--load a --seeds 2", "--seeds cannot be given together with --load: a saved model has its own");
  for (const char* wrong : {"--seeds 0", "--seeds -1", "--epochs many", "--threads 0", "--batch 0", "--lr -1",
                            "--smoothing 1", "--network vgg", "--network aila-6", "--policy dense", "--what", "word"}) {
    CAPTURE(wrong);
    const auto answer = image(folder, wrong);
    CHECK(answer.code == 2);
    CHECK(is_one_line(answer.err, "image: "));
    CHECK(folder.files() == 1);
  }
}

TEST_CASE("images are moved and mirrored, digits moved alone, unless the command line says otherwise") {
  const Folder folder;
  std::filesystem::copy(folder / "data" / "fashion-mnist", folder / "data" / "mnist");
  const auto options = [&](const std::string& said) {
    return report_of(folder, "--data data --batch 16 --epochs 1 " + said)["options"];
  };
  CHECK(options("")["flip"] == true);
  CHECK(options("")["padding"] == 2);
  CHECK(options("--no-flip")["flip"] == false);
  CHECK(options("--dataset mnist")["flip"] == false);
  CHECK(options("--dataset mnist --flip")["flip"] == true);
}

TEST_CASE("help names every option, and a summary the layers") {
  const Folder folder;
  const auto answer = image(folder, "--help");
  CHECK(answer.code == 0);
  for (const char* option :
       {"--dataset",   "--data",    "--network", "--policy",       "--seeds",    "--seed",    "--epochs",
        "--threads",   "--batch",   "--lr",      "--weight-decay", "--schedule", "--warm-up", "--patience",
        "--smoothing", "--padding", "--flip",    "--cutout",       "--limit",    "--report",  "--plot",
        "--save",      "--load",    "--predict", "--summary",      "--clip"})
    CHECK(answer.out.find(option) != std::string::npos);
  CHECK(image(folder, quick + "--summary --limit 100").out.find("conv") != std::string::npos);
}
