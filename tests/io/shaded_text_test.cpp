#include <doctest/doctest.h>

#include <aila/io/shaded_text.hpp>
#include <limits>
#include <string>

#include "../says.hpp"

namespace aila {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST_CASE("words are shaded by their numbers, as strong as these are large, and underlined by their lines") {
  const io::ShadedText text{.title = "a <title>",
                            .words = {"good", "&", "bad", "?"},
                            .values = {2, 0, -1, std::numeric_limits<double>::quiet_NaN()},
                            .lines = {1, 0.5, 0, 0}};
  const auto drawn = io::svg(text);
  CHECK(drawn.starts_with("<svg "));
  CHECK(drawn.find("a &lt;title&gt;") != std::string::npos);
  CHECK(drawn.find(">&amp;</text>") != std::string::npos);
  CHECK(count(drawn, "fill='#56b4e9' fill-opacity='1.00'") == 1);
  CHECK(count(drawn, "fill='#e69f00' fill-opacity='0.50'") == 1);
  CHECK(count(drawn, "fill-opacity") == 2);
  CHECK(count(drawn, "height='4.0' fill='#222222'") == 1);
  CHECK(count(drawn, "height='2.0' fill='#222222'") == 1);
}

TEST_CASE("a long text wraps, and one of zeros is bare") {
  io::ShadedText text{.title = "long",
                      .words = std::vector<std::string>(100, "word"),
                      .values = std::vector<double>(100),
                      .width = 300};
  const auto drawn = io::svg(text);
  CHECK(count(drawn, ">word</text>") == 100);
  CHECK(count(drawn, "fill-opacity") == 0);
  CHECK(drawn.find("y='112.0'") != std::string::npos);
  text.values.pop_back();
  CHECK(
      says([&] { io::svg(text); }, "expected a number for each of the 100 words of the text \"long\", found 99 and 0"));
}

}  // namespace
}  // namespace aila
