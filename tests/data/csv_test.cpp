// Price series from CSV text, and the place that each error names.
#include <doctest/doctest.h>

#include <aila/data/csv.hpp>
#include <string>

#include "../io/temporary_folder.hpp"

using namespace aila;
using namespace aila_test;

namespace {

std::string refusal(const std::string& text, const data::CsvOptions& options = {}) {
  return error_of([&] { data::parse_csv(text, "p.csv", options); });
}

}  // namespace

TEST_CASE("columns are read with their dates") {
  const auto series = data::parse_csv("date,gold,usd\n1978-01,101.5,7\n1978-02,1e2,-0.25\n", "p.csv");
  REQUIRE(series.size() == 2);
  CHECK(series[0].name == "gold");
  CHECK(series[0].dates == std::vector<std::string>{"1978-01", "1978-02"});
  CHECK(series[0].values == std::vector<double>{101.5, 100});
  CHECK(series[1].values == std::vector<double>{7, -0.25});
}

TEST_CASE("CR LF, a byte order mark, quotes, blanks and a missing last newline are understood") {
  const auto series = data::parse_csv(
      "\xEF\xBB\xBF\"Date\" , \"a \"\"b\"\", c\" \r\n \"1978-01-31\",\t1 \r\n1978-02-28, \"2\"", "p.csv");
  REQUIRE(series.size() == 1);
  CHECK(series[0].name == "a \"b\", c");
  CHECK(series[0].dates == std::vector<std::string>{"1978-01-31", "1978-02-28"});
  CHECK(series[0].values == std::vector<double>{1, 2});
  CHECK(data::parse_csv("date,a\n1978-01,1\n\n\r\n", "p.csv")[0].values.size() == 1);
}

TEST_CASE("columns are picked by name in the order asked for") {
  const auto series = data::parse_csv("date,a,b,c\n1978-01,1,2,x\n", "p.csv", {.columns = {"b", "a"}});
  REQUIRE(series.size() == 2);
  CHECK(series[0].values[0] == 2);
  CHECK(series[1].name == "a");
  CHECK(refusal("date,a,b\n1978-01,1,2\n", {.columns = {"silver"}}) ==
        "p.csv:1:1: expected a column silver, found a, b");
}

TEST_CASE("blanks before the first and after the last number shorten a series") {
  const auto series = data::parse_csv("date,a,b\n1978-01,,1\n1978-02,2,2\n1978-03, ,3\n1978-04,,4\n", "p.csv");
  CHECK(series[0].dates == std::vector<std::string>{"1978-02"});
  CHECK(series[0].values == std::vector<double>{2});
  CHECK(series[1].values.size() == 4);
  CHECK(refusal("date,a\n1978-01,1\n1978-02,\n1978-03,3\n") ==
        "p.csv:3:9: expected a number in the column a, found a blank between numbers");
  CHECK(refusal("date,a,b\n1978-01,,1\n") == "p.csv:2:1: expected 1 or more rows of the column a, found 0 up to here");
}

TEST_CASE("what is no number is refused with its line and column") {
  for (const char* text : {"x", "1.5x", "1,5\"", "nan", "inf", "1e999", "0x10", "1 2", "--1", "+1"})
    if (std::string(text).find(',') == std::string::npos)
      CHECK(refusal("date,gold,a\n1978-01,10,20\n1978-02, " + std::string(text) + ",3\n") ==
            "p.csv:3:10: expected a number in the column gold, found \"" + std::string(text) + "\"");
  CHECK(refusal("date,a\n1978-01,0\n", {.positive = true}) ==
        "p.csv:2:9: expected a positive number in the column a, found \"0\"");
  CHECK(refusal("date,a\n1978-01,-3\n", {.positive = true}).starts_with("p.csv:2:9: expected a positive number"));
  CHECK(refusal("date,a\n1978-01,x\ny\n").find('\n') == std::string::npos);
}

TEST_CASE("headers without dates, names or columns are refused") {
  CHECK(refusal("") == "p.csv:1:1: expected a header row, the file is empty");
  CHECK(refusal("\n\r\n  ") == "p.csv:1:1: expected a header row, the file is empty");
  CHECK(refusal("month,a\n") == "p.csv:1:1: expected the first column to be date, found \"month\"");
  CHECK(refusal("date\n1978-01\n") == "p.csv:1:1: expected columns of numbers behind date, found none");
  CHECK(refusal("date,a,,b\n") == "p.csv:1:8: expected the name of a column, found a blank");
  CHECK(refusal("date,a,b,a\n") == "p.csv:1:10: the column a is there twice");
}

TEST_CASE("rows that are too short, too long or badly quoted are refused") {
  CHECK(refusal("date,a,b\n1978-01,1\n") == "p.csv:2:9: expected 3 fields as in the header, found 2");
  CHECK(refusal("date,a\n1978-01,1,2\n") == "p.csv:2:11: expected 2 fields as in the header, found 3");
  CHECK(refusal("date,a\n1978-01,1\n\n1978-02,2\n") == "p.csv:3:1: expected 2 fields as in the header, found 1");
  CHECK(refusal("date,a\n1978-01,\"1\n") == "p.csv:2:9: expected a closing quote in this line, found none");
  CHECK(refusal("date,a\n1978-01,\"1\"2\n") == "p.csv:2:12: expected a comma after the closing quote");
}

TEST_CASE("dates must be dates of one form, ascend and leave out no month") {
  CHECK(refusal("date,a\n1978,1\n") == "p.csv:2:1: expected a date like 1978-01 or 1978-01-31, found \"1978\"");
  for (const char* date : {"1978-13", "1978-00", "1978/01", "1978-1a", "1978-01-32", "01-1978", ""})
    CHECK(refusal("date,a\n" + std::string(date) + ",1\n").starts_with("p.csv:2:1: expected a date like"));
  CHECK(refusal("date,a\n1978-02,1\n1978-01,1\n") == "p.csv:3:1: expected a date after 1978-02, found 1978-01");
  CHECK(refusal("date,a\n1978-02,1\n1978-02,1\n") == "p.csv:3:1: expected a date after 1978-02, found 1978-02");
  CHECK(refusal("date,a\n1978-12,1\n1979-02,1\n") == "p.csv:3:1: expected the month after 1978-12, found 1979-02");
  CHECK(refusal("date,a\n1978-12,1\n1979-01-31,1\n") ==
        "p.csv:3:1: expected a date like 1978-12, found \"1979-01-31\"");
  CHECK(refusal("date,a\n1978-12-01,1\n1979-03-31,1\n") == "");
}

TEST_CASE("too few rows are refused") {
  CHECK(refusal("date,a\n") == "p.csv:1:1: expected 1 or more rows of the column a, found 0 up to here");
  CHECK(refusal("date,a\n1978-01,1\n1978-02,1\n", {.minimum_rows = 3}) ==
        "p.csv:3:1: expected 3 or more rows of the column a, found 2 up to here");
}

TEST_CASE("bytes of any kind are refused in one short line") {
  for (int c = 0; c < 256; ++c) {
    const std::string junk(5000, static_cast<char>(c));
    for (const auto& text :
         {junk, "date,a\n1978-01," + junk, "date,a\n" + junk + ",1", "date," + junk + "\n1978-01,x"}) {
      const auto message = refusal(text);
      CHECK(message.size() < 300);
      CHECK(message.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("files are read by path, and messages begin with their name") {
  TemporaryFolder folder;
  write_raw(folder / "p.csv", "date,a\n1978-01,1\n1978-02,-2\n");
  CHECK(data::read_csv(folder / "p.csv")[0].values.size() == 2);
  CHECK(
      error_of([&] { data::read_prices(folder / "p.csv", "a"); }).starts_with("p.csv:3:9: expected a positive number"));
  CHECK(error_of([&] { data::read_csv(folder / "q.csv"); }).starts_with("q.csv: there is no such file"));
}
