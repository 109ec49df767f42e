// Price series from CSV text, and the place that each error names.
#include <doctest/doctest.h>

#include <aila/data/csv.hpp>
#include <cmath>
#include <string>

#include "../io/temporary_folder.hpp"

namespace csv_test {
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
  for (const char* text : {"x", "1.5x", "1,5\"", "nan", "inf", "1e999", "0x10", "1 2", "--1", "++1", "+-1"})
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
  CHECK(refusal("price,a\n") == "p.csv:1:1: expected the first column to be date, found \"price\"");
  CHECK(refusal("date;gold\n1978-01;1\n") == "p.csv:1:1: expected the first column to be date, found \"date;gold\"");
  CHECK(refusal(",a\n1978-01,1\n") == "p.csv:1:1: expected the first column to be date, found \"\"");
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
}

TEST_CASE("the column of dates has one of the names that there are for it") {
  for (const char* name : {"date", "Date", "DATE", "month", "Month", "observation_date", "Observation Date", "time",
                           "TIME_PERIOD", "REF_DATE", "day", "Week", "quarter", "Year", "\"date\"", " date\xC2\xA0"})
    CHECK_MESSAGE(data::parse_csv(name + std::string(",a\n1978-01,1\n"), "p.csv")[0].values.size() == 1, name);
}

TEST_CASE("days that the calendar does not have are no dates") {
  CHECK(refusal("date,a\n2020-02-31,1\n") ==
        "p.csv:2:1: expected a date like 1978-01 or 1978-01-31, found \"2020-02-31\", which is not in the calendar");
  CHECK(refusal("date,a\n1900-02-28,1\n1900-02-29,1\n") ==
        "p.csv:3:1: expected a date like 1900-02-28, found \"1900-02-29\", which is not in the calendar");
  CHECK(refusal("date,a\n2000-02-28,1\n2000-02-29,1\n2000-03-01,1\n") == "");
}

TEST_CASE("a series knows its period, and a date that is missing is refused at the row behind it") {
  const auto period = [](const std::string& rows) { return data::parse_csv("DATE,a\n" + rows, "p.csv")[0].period; };
  CHECK(period("1978-01,1\n1978-02,1\n") == data::Period::monthly);
  CHECK(period("1978-01-01,1\n1978-02-01,1\n1978-03-01,1\n") == data::Period::monthly);
  CHECK(period("1978-01-01,1\n1978-04-01,1\n") == data::Period::quarterly);
  CHECK(period("1978-01-01,1\n1979-01-01,1\n") == data::Period::yearly);
  CHECK(period("2020-01-02,1\n2020-01-03,1\n2020-01-06,1\n") == data::Period::daily);
  CHECK(period("2020-01-03,1\n2020-01-10,1\n2020-01-17,1\n") == data::Period::weekly);
  CHECK(period("2020-01-03,1\n") == data::Period::unknown);
  const auto both = data::parse_csv("date,a,b\n1978-01,,1\n1978-02,2,2\n1978-03,,3\n", "p.csv");
  CHECK(both[0].period == data::Period::monthly);
  CHECK(refusal("date,a\n1978-01-01,1\n1978-02-01,1\n 1978-04-01,1\n1978-05-01,1\n") ==
        "p.csv:4:2: expected the month after 1978-02-01, found 1978-04-01");
  CHECK(refusal("date,a\n1978-12-01,1\n1979-03-31,1\n") ==
        "p.csv:3:1: expected a date a day, a week, a month, a quarter or a year after 1978-12-01, found 1979-03-31");
}

TEST_CASE("a point that stands for a missing value is refused with its line") {
  CHECK(refusal("observation_date,gold\n1978-01-01,1\n1978-02-01,.\n1978-03-01,2\n") ==
        "p.csv:3:12: expected a number in the column gold, found \".\", which stands for a value that is missing");
}

TEST_CASE("numbers are read whatever their size or sign, and refused where they are written for people") {
  const auto value = [](const std::string& text) {
    return data::parse_csv("date,a\n1978-01," + text + "\n", "p.csv")[0].values[0];
  };
  CHECK(value("1e-400") == 0);
  CHECK(std::signbit(value("-1e-400")));
  CHECK(value("+1.5") == 1.5);
  CHECK(value("\xC2\xA0"
              "1.5\xE2\x80\x89") == 1.5);
  for (const char* text : {"\"1,234.5\"", "1\u00A0234", "\uFF11", "\u22121", "0x1p3", "NaN", "-inf", "infinity",
                           "1e400", "1.5.2", "1e", "$5", "5%"})
    CHECK_MESSAGE(refusal("date,a\n1978-01," + std::string(text) + "\n")
                      .starts_with("p.csv:2:9: expected a number in the column a, found \""),
                  text);
  CHECK(refusal("date,a\n1978-01,1,234.5\n") == "p.csv:2:11: expected 2 fields as in the header, found 3");
  CHECK(refusal("date,a\n1978-01,1,\n") == "p.csv:2:11: expected 2 fields as in the header, found 3");
}

TEST_CASE("columns are found by what can be seen of their names") {
  CHECK(data::parse_csv("date,gold\xE2\x80\x8B \n1978-01,1\n", "p.csv", {.columns = {"gold"}}).size() == 1);
  CHECK(data::parse_csv("date,gold price\n1978-01,1\n", "p.csv", {.columns = {" gold\xC2\xA0price"}}).size() == 1);
  CHECK(refusal("date,a,a \xEF\xBB\xBF\n") == "p.csv:1:8: the column a is there twice");
}

TEST_CASE("a table of UTF-16 or of bytes is refused by its name") {
  CHECK(refusal("\xFF\xFE" + std::string("d\0a\0", 4)) ==
        "p.csv: expected text in UTF-8, found the first bytes of UTF-16 or UTF-32");
  CHECK(refusal(std::string("d\0a\0t\0e\0", 8)) ==
        "p.csv:1: expected text, found a byte of value 0, as UTF-16 and files that are no text have them");
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
  write_raw(folder / "prix \xC3\xA9t\xC3\xA9.csv", "date,a\n1978-01,x\n");
  CHECK(error_of([&] { data::read_csv(folder / "prix \xC3\xA9t\xC3\xA9.csv"); }) ==
        "prix \xC3\xA9t\xC3\xA9.csv:2:9: expected a number in the column a, found \"x\"");
  write_raw(folder / "p.csv", "date,a\n1978-01,1\n1978-02,-2\n");
  CHECK(data::read_csv(folder / "p.csv")[0].values.size() == 2);
  CHECK(
      error_of([&] { data::read_prices(folder / "p.csv", "a"); }).starts_with("p.csv:3:9: expected a positive number"));
  CHECK(error_of([&] { data::read_csv(folder / "q.csv"); }).starts_with("q.csv: there is no such file"));
}
}  // namespace csv_test
