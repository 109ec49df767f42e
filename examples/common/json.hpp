// Reports in JSON, keys in a reader's order.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "statistic.hpp"

namespace example {

using Json = nlohmann::ordered_json;

/// The head of a report: which program wrote it, and of which version.
Json report_head(const std::string& program);

/// A mean under its name, the standard deviation under the name with _std.
void add(Json& json, const std::string& name, const Statistic& value);

/// A report as text. Bytes that are no UTF-8, of a path perhaps, are replaced; numbers that are not finite become null.
std::string dump(const Json& json);

}  // namespace example
