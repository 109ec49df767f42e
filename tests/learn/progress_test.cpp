#include <doctest/doctest.h>

#include <aila/learn/console.hpp>
#include <aila/learn/history.hpp>
#include <aila/learn/progress.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <thread>

using namespace aila;

namespace {

/// A file of its own that a console prints to.
class Paper {
 public:
  Paper() : file_(std::tmpfile()) { REQUIRE(file_ != nullptr); }
  Paper(const Paper&) = delete;
  Paper& operator=(const Paper&) = delete;
  ~Paper() { std::fclose(file_); }
  std::FILE* file() const { return file_; }
  std::string text() const {
    REQUIRE(std::fseek(file_, 0, SEEK_SET) == 0);
    std::string all;
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) all += static_cast<char>(c);
    return all;
  }

 private:
  std::FILE* file_;
};

Progress at(std::size_t epoch, std::size_t step) {
  return {.epoch = epoch, .epochs = 2, .step = step, .steps = 10, .loss = 0.5};
}

}  // namespace

TEST_CASE("a progress line tells epoch, step, loss, rate and time left") {
  CHECK(progress_line({.epoch = 3,
                       .epochs = 100,
                       .step = 12,
                       .steps = 40,
                       .loss = 0.0123456,
                       .samples_per_second = 1254,
                       .seconds_left = 125.4}) ==
        "epoch 3/100  step 12/40  loss 0.01235  1.25k samples/s  2 min 05 s left");
}

TEST_CASE("what is not known is left out of a progress line") {
  CHECK(progress_line({.epoch = 1, .epochs = 2, .step = 1, .steps = 9, .loss = std::nan("")}) == "epoch 1/2  step 1/9");
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(progress_line({.epoch = 1, .epochs = 2, .step = 1, .steps = 9, .loss = infinity}) ==
        "epoch 1/2  step 1/9  loss inf");
}

TEST_CASE("durations are told in two units") {
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(-1) == "0 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.6) == "1 min 00 s");
  CHECK(duration_text(3599) == "59 min 59 s");
  CHECK(duration_text(3600) == "1 h 00 min");
  CHECK(duration_text(100 * 3600 + 61 * 60) == "101 h 01 min");
  CHECK(duration_text(std::nan("")) == "?");
  CHECK(duration_text(std::numeric_limits<double>::infinity()) == "?");
}

TEST_CASE("rates are told in three digits") {
  CHECK(detail::short_number(0.5) == "0.5");
  CHECK(detail::short_number(950) == "950");
  CHECK(detail::short_number(999.7) == "1k");
  CHECK(detail::short_number(12345) == "12.3k");
  CHECK(detail::short_number(999'900) == "1M");
  CHECK(detail::short_number(4.5e6) == "4.5M");
  CHECK(detail::short_number(2e9) == "2G");
}

TEST_CASE("away from a terminal the console prints few whole lines, and always the last") {
  const Paper paper;
  {
    Console console(paper.file());  // a file is no terminal
    for (std::size_t epoch = 1; epoch <= 2; ++epoch)
      for (std::size_t step = 1; step <= 10; ++step) console(at(epoch, step));
  }
  CHECK(paper.text() == "epoch 1/2  step 1/10  loss 0.5\nepoch 2/2  step 10/10  loss 0.5\n");
}

TEST_CASE("a training that ends before its time leaves its last line") {
  const Paper paper;
  {
    Console console(paper.file(), Console::Style::lines);
    for (std::size_t step = 1; step <= 10; ++step) console(at(1, step));
  }
  CHECK(paper.text() == "epoch 1/2  step 1/10  loss 0.5\nepoch 1/2  step 10/10  loss 0.5\n");
}

TEST_CASE("on a terminal the console draws one line over again and ends it once") {
  const Paper paper;
  {
    Console console(paper.file(), Console::Style::terminal);
    console(at(1, 10));
    console(at(1, 2));  // within a tenth of a second: held back
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    console(at(2, 3));
    console(at(2, 10));
  }
  CHECK(paper.text() ==
        "\repoch 1/2  step 10/10  loss 0.5\repoch 2/2  step 3/10  loss 0.5 \repoch 2/2  step 10/10  loss 0.5\n");
}

TEST_CASE("a console that was told nothing prints nothing") {
  const Paper paper;
  {
    const Console console(paper.file(), Console::Style::terminal);
  }
  CHECK(paper.text().empty());
}

TEST_CASE("a fresh history has no epoch and no best one") {
  const History history;
  CHECK(history.epochs.empty());
  CHECK(history.best_epoch == 0);
  CHECK(history.best_validation_loss == std::numeric_limits<double>::infinity());
  CHECK(!history.stopped_early);
  CHECK(!history.cancelled);
  CHECK(std::isnan(EpochRecord{}.validation_loss));
}

TEST_CASE("a progress line of nothing, and of the largest counts, is whole") {
  CHECK(progress_line({}) == "epoch 0/0  step 0/0  loss 0");
  const std::size_t endless = std::numeric_limits<std::size_t>::max();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string most = std::to_string(endless);
  CHECK(progress_line({.epoch = endless,
                       .epochs = endless,
                       .step = endless,
                       .steps = endless,
                       .loss = 1e300,
                       .samples_per_second = infinity,
                       .seconds_left = infinity}) ==
        "epoch " + most + "/" + most + "  step " + most + "/" + most + "  loss 1e+300  ? left");
  CHECK(Progress{}.ends_training());
  Paper paper;
  {
    Console console(paper.file(), Console::Style::lines);
    console(Progress{});
  }
  CHECK(paper.text() == "epoch 0/0  step 0/0  loss 0\n");
}
