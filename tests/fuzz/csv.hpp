// CSV series.
#pragma once

#include <aila/data/csv.hpp>
#include <cmath>
#include <vector>

#include "promise.hpp"

namespace aila_fuzz {

struct Csv {
  static constexpr const char* name = "Csv";
  static std::vector<std::string> seeds() {
    return {"date,gold,usd\n1978-01,101.5,7\n1978-02,1e2,-0.25\n",
            "\xEF\xBB\xBF\"Date\" , \"a \"\"b\"\", c\" \r\n \"1978-01-31\",\t1 \r\n1978-02-28, \"2\"",
            "date,a,b\n1978-01,,1\n1978-02,2,2\n1978-03, ,3\n1978-04,,4\n"};
  }
  static void run(std::string_view text) {
    for (const auto& options : {aila::data::CsvOptions{}, aila::data::CsvOptions{.columns = {"a"}, .positive = true}})
      keeps_promise([&] {
        for (const auto& series : aila::data::parse_csv(text, "f.csv", options)) {
          require(!series.values.empty() && series.values.size() == series.dates.size(), "as many dates as numbers");
          for (const double value : series.values) require(std::isfinite(value), "numbers are finite");
        }
      });
  }
};

}  // namespace aila_fuzz
