// The example programs, run as their users run them.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "../io/temporary_folder.hpp"

namespace aila_test {

using Json = nlohmann::json;

struct Answer {
  int code = 0;
  std::string out;
  std::string err;
};

/// A shell command in the folder.
inline Answer shell(const TemporaryFolder& folder, const std::string& command) {
  const std::string redirected =
      "cd '" + folder.path().string() + "' && { " + command + "; } >.stdout 2>.stderr </dev/null";
  const int status = std::system(redirected.c_str());
  Answer answer{WEXITSTATUS(status), read_raw(folder / ".stdout"), read_raw(folder / ".stderr")};
  std::filesystem::remove(folder / ".stdout");
  std::filesystem::remove(folder / ".stderr");
  return answer;
}

/// A report without what may differ between two runs: times, and how many threads there were.
inline Json without_times(Json json) {
  if (json.is_object())
    for (const char* key : {"seconds", "seconds_per_epoch", "seconds_per_epoch_std", "threads"}) json.erase(key);
  for (auto& inner : json)
    if (inner.is_structured()) inner = without_times(inner);
  return json;
}

/// Whether a text is one line, its end included, that begins so.
inline bool is_one_line(const std::string& text, const std::string& begin) {
  return text.starts_with(begin) && text.find('\n') == text.size() - 1;
}

}  // namespace aila_test
