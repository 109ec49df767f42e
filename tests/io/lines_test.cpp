// Lines of text, and numbers in it.
#include <doctest/doctest.h>

#include <aila/io/lines.hpp>
#include <aila/io/number.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "temporary_folder.hpp"

using namespace aila;
using namespace aila_test;
using namespace std::literals;
using Strings = std::vector<std::string>;

namespace {

Strings all(io::Lines& lines) {
  Strings found;
  for (std::string_view line; lines.next(line);) found.emplace_back(line);
  CHECK(lines.number() == found.size());
  return found;
}
Strings lines_of(std::string_view text) {
  io::Lines lines(text, "t.txt");
  return all(lines);
}

/// The same by whichever standard library: what a decimal number is, and on which side of 1 it lies.
static_assert(io::detail::decimal_exponent("1") == 1 && io::detail::decimal_exponent("-0.05") == -1);
static_assert(io::detail::decimal_exponent("999.5e-3") == 0 && io::detail::decimal_exponent("0.001E+4") == 2);
static_assert(*io::detail::decimal_exponent("1e-99999999999999999999") < -1000);
static_assert(io::detail::decimal_exponent(".5") == 0 && io::detail::decimal_exponent("5.") == 1);
static_assert(!io::detail::decimal_exponent("") && !io::detail::decimal_exponent(".") &&
              !io::detail::decimal_exponent("1e") && !io::detail::decimal_exponent("1e+") &&
              !io::detail::decimal_exponent("+1") && !io::detail::decimal_exponent("0x1") &&
              !io::detail::decimal_exponent("1.2.3") && !io::detail::decimal_exponent("inf"));

}  // namespace

TEST_CASE("lines end in LF, CR LF or, where there is no LF, in CR") {
  CHECK(lines_of("a\nb\n") == Strings{"a", "b"});
  CHECK(lines_of("a\r\nb") == Strings{"a", "b"});
  CHECK(lines_of("a\rb\r") == Strings{"a", "b"});
  CHECK(lines_of("a\rb\nc\r\r\n") == Strings{"a\rb", "c"});
  CHECK(lines_of("\n a \n\n\tb") == Strings{"", " a ", "", "\tb"});
}

TEST_CASE("empty lines at the end and byte order marks are left out") {
  for (const auto text : {""sv, "\n"sv, "\r\n \t\r\n"sv, "\xEF\xBB\xBF"sv, "\xEF\xBB\xBF\n"sv})
    CHECK(lines_of(text).empty());
  CHECK(lines_of("a\n\n  \n\t\r\n") == Strings{"a"});
  CHECK(lines_of("\xEF\xBB\xBF"
                 "a\n\xEF\xBB\xBF"
                 "b\n") == Strings{"a", "b"});
}

TEST_CASE("UTF-16 and bytes of value 0 are refused in one sentence") {
  for (const auto text : {"\xFF\xFE"
                          "a\0"sv,
                          "\xFE\xFF\0a"sv, "\xFF\xFE\0\0"sv, "\0\0\xFE\xFF"sv})
    CHECK(error_of([&] { lines_of(text); }) ==
          "t.txt: expected text in UTF-8, found the first bytes of UTF-16 or UTF-32");
  CHECK(error_of([] { lines_of("a\nb\0\n"sv); }) ==
        "t.txt:2: expected text, found a byte of value 0, as UTF-16 and files that are no text have them");
}

TEST_CASE("a file has the lines of its text, wherever its parts begin") {
  const TemporaryFolder folder;
  std::string long_line((3U << 20U) + 1, 'x');
  std::string two = long_line;
  two.append("\r\n").append(long_line).append("\n\nend");
  for (const std::string& text :
       {""s, "\xEF\xBB\xBF"s, "a\r\nb"s, "a\rb\r"s, long_line, two, std::string((1U << 20U) - 1, 'a') + "\r\nb",
        std::string((1U << 20U), 'a') + "\nb" + std::string((1U << 20U) + 7, '\n'),
        "a" + std::string((1U << 20U) + 3, '\n') + "b"}) {
    write_raw(folder / "t.txt", text);
    io::Lines lines(folder / "t.txt");
    CHECK((all(lines) == lines_of(text)));
  }
  write_raw(folder / "u.txt", "\xFF\xFE");
  CHECK(error_of([&] { io::Lines(folder / "u.txt"); }).starts_with("u.txt: expected text in UTF-8"));
  CHECK(error_of([&] { io::Lines(folder / "none.txt"); }).starts_with("none.txt: there is no such file"));
}

TEST_CASE("a file without ends of lines is refused before it fills the memory") {
  const TemporaryFolder folder;
  write_raw(folder / "t.txt", "a\n");
  std::filesystem::resize_file(folder / "t.txt", 1ULL << 27U);
  CHECK(error_of([&] {
          io::Lines lines(folder / "t.txt");
          all(lines);
        }) == "t.txt:2: expected a line of at most 67108864 bytes, found a longer one");
}

TEST_CASE_TEMPLATE("a number too small for its type is zero with its sign, and one too large is none", Real, float,
                   double) {
  for (const char* text : {"1e-400", "0.00e-5000", "1e-99999999999999999999", "123456789e-500", "0"}) {
    const std::string small = text;
    CHECK_MESSAGE(io::number<Real>(small) == Real(0), small);
    CHECK_MESSAGE(!std::signbit(io::number<Real>(small).value_or(Real(-1))), small);
    CHECK_MESSAGE(io::number<Real>("-" + small) == Real(0), small);
    CHECK_MESSAGE(std::signbit(io::number<Real>("-" + small).value_or(1)), small);
  }
  CHECK(io::number<Real>("0." + std::string(500, '0') + "1") == Real(0));
  CHECK(io::number<Real>("0." + std::string(500, '0') + "1e501") == Real(1));
  CHECK(io::number<Real>(std::string(400, '0') + "1") == Real(1));
  for (const char* text : {"1e400", "-1e400", "0.001e999", "1e99999999999999999999"}) CHECK(!io::number<Real>(text));
  CHECK(!io::number<Real>("1" + std::string(400, '0')));
  CHECK(io::number<Real>("+1.5") == Real(1.5));
  CHECK(io::number<Real>("-.5E+1") == Real(-5));
  for (const char* text :
       {"",     "+",     "-",   ".",   "++1", "+-1",  "-+1",      "1e", "1e-", " 1", "1 ",      "1,5",   "1_000",
        "0x10", "0x1p3", "nan", "NAN", "inf", "-inf", "infinity", "1f", "１",  "−1", "1e-400x", "1e400 "})
    CHECK_MESSAGE(!io::number<Real>(text), text);
}

TEST_CASE("denormal numbers are read as they are") {
  CHECK(io::number<float>("-1.1e-46") == 0.0F);
  CHECK(std::signbit(io::number<float>("-1.1e-46").value_or(1)));
  CHECK(io::number<float>("1e-40") == 1e-40F);
  CHECK(io::number<double>("-1.1e-46") == -1.1e-46);
  CHECK(io::number<double>("1e-310") == 1e-310);
  CHECK(io::number<float>("1e39") == std::nullopt);
}
