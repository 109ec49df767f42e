// PGM and PPM: what is read, and what is refused.
#include <doctest/doctest.h>

#include <aila/data/pnm.hpp>

#include "../io/temporary_folder.hpp"

namespace pnm_test {
using namespace aila;
using namespace aila_test;

namespace {

data::ImageSet parse(const std::string& text) {
  return data::parse_pnm(std::as_bytes(std::span(text)), "p.pnm");
}
std::string refusal(const std::string& text) {
  return error_of([&] { parse(text); });
}

}  // namespace

TEST_CASE("grey and colour images are read, comments left out") {
  const auto grey = parse("P5\n# a comment 7\n3 2\n255\nabcdef");
  CHECK(grey.height == 2);
  CHECK(grey.width == 3);
  CHECK(grey.channels == 1);
  CHECK(grey.pixels == std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'});
  const auto colour = parse(std::string("P6 1 1 5 \x01\x02\x05", 12));
  CHECK(colour.channels == 3);
  CHECK(colour.pixels == std::vector<std::uint8_t>{51, 102, 255});  // of 255
  CHECK(colour.size() == 1);
}

TEST_CASE("other files are refused in one sentence") {
  CHECK(refusal("") == "p.pnm: expected a PGM or PPM image, which begins with P5 or P6, found other bytes");
  CHECK(refusal("P3 1 1 255 1 1 1") ==
        "p.pnm: expected a PGM or PPM image, which begins with P5 or P6, found other bytes");
  CHECK(refusal("P5") == "p.pnm: expected a width from 1 to 65535 in the header");
  CHECK(refusal("P5 0 1 255 ") == "p.pnm: expected a width from 1 to 65535 in the header");
  CHECK(refusal("P5 1 99999999999999999999999 255 a") == "p.pnm: expected a height from 1 to 65535 in the header");
  CHECK(refusal("P5 1 1 65535 ab") == "p.pnm: expected a largest value from 1 to 255 in the header");
  CHECK(refusal("P5 1 1 255") == "p.pnm: expected white space between header and pixels");
  CHECK(refusal("P5 2 2 255 abc") == "p.pnm: expected 4 bytes of pixels, found 3");
  CHECK(refusal("P5 1 1 255 ab") == "p.pnm: expected 1 bytes of pixels, found 2");
  CHECK(refusal("P5 1 1 9 a") == "p.pnm: expected pixels up to 9, found 97");
  CHECK(refusal("P5 # no end") == "p.pnm: expected a width from 1 to 65535 in the header");
}
}  // namespace pnm_test
