// CSV series.
#pragma once

#include <aila/data/csv.hpp>
#include <aila/data/months.hpp>
#include <cmath>
#include <vector>

#include "promise.hpp"

namespace aila_fuzz {

struct Csv {
  static constexpr const char* name = "Csv";
  static std::vector<std::string> seeds() {
    return {"date,gold,usd\n1978-01,101.5,7\n1978-02,1e2,-0.25\n",
            "\xEF\xBB\xBF\"Date\" , \"a \"\"b\"\", c\" \r\n \"1978-01-31\",\t1 \r\n1978-02-28, \"2\"",
            "date,a,b\n1978-01,,1\n1978-02,2,2\n1978-03, ,3\n1978-04,,4\n",
            "DATE,a\r2020-01-30,+1\r2020-01-31,-1e-400\r2020-02-03,3\r\r",
            "observation_date,a\xC2\xA0\n2020-02-14,1\n2020-02-21,.\n2020-02-28,3\n"};
  }
  static void run(std::string_view text) {
    for (const auto& options : {aila::data::CsvOptions{}, aila::data::CsvOptions{.columns = {"a"}, .positive = true}})
      keeps_promise([&] {
        for (const auto& series : aila::data::parse_csv(text, "f.csv", options)) {
          require(!series.values.empty() && series.values.size() == series.dates.size(), "as many dates as numbers");
          for (const double value : series.values) require(std::isfinite(value), "numbers are finite");
          keeps_promise([&] {
            const auto ends = aila::data::month_ends(series), means = aila::data::month_means(series);
            require(!ends.values.empty() && means.values.size() <= ends.values.size(), "months have an end");
            require(aila::data::period_of(ends.dates) == aila::data::Period::monthly, "no month is left out");
          });
        }
      });
  }
};

}  // namespace aila_fuzz
