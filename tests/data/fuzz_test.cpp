// What the fuzzers ask of every loader, asked here of a few thousand changed files of each.
#include <doctest/doctest.h>

#include <aila/core/random.hpp>
#include <string>

#include "../fuzz/loaders.hpp"

using namespace aila_fuzz;

namespace {

/// The seed with up to four changes: bytes turned over, cut out, doubled, or put in the place of others.
std::string changed(std::string text, std::uint64_t sample) {
  const aila::Random random{{1}, aila::Purpose::user, 0, 0};
  const auto draw = [&](std::uint64_t element, std::size_t bound) { return random.bits(sample, element) % bound; };
  const std::size_t changes = 1 + draw(0, 4);
  for (std::size_t i = 1; i <= changes && !text.empty(); ++i) {
    const std::size_t at = draw(4 * i, text.size()), length = 1 + draw(4 * i + 1, text.size() - at);
    switch (draw(4 * i + 2, 5)) {
      case 0:
        text[at] = static_cast<char>(draw(4 * i + 3, 256));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.resize(at);
        break;
      default:
        text.replace(at, 1, draw(4 * i + 3, 2) == 0 ? "\n" : "\t");
    }
  }
  return text;
}

}  // namespace

TEST_CASE("loaders read changed files or refuse them by one sentence") {
  for_each_loader([]<class Loader>() {
    CAPTURE(Loader::name);
    CHECK_NOTHROW(Loader::run(""));
    std::uint64_t sample = 0;
    for (const std::string& seed : Loader::seeds()) {
      Loader::run(seed);
      const std::size_t count = seed.size() > 1000 ? 100 : 1000;
      for (std::size_t i = 0; i < count; ++i) Loader::run(changed(seed, sample++));
    }
    CHECK(sample > 100);
  });
}
