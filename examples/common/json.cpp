#include "json.hpp"

#include <aila/core/version.hpp>

namespace example {

Json report_head(const std::string& program) {
  return {{"program", program},
          {"version", std::to_string(AILA_VERSION_MAJOR) + "." + std::to_string(AILA_VERSION_MINOR) + "." +
                          std::to_string(AILA_VERSION_PATCH)}};
}

void add(Json& json, const std::string& name, const Statistic& value) {
  json[name] = value.mean;
  json[name + "_std"] = value.deviation;
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace example
