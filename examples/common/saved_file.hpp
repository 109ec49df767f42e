// The metadata by which a program knows its own saved models.
#pragma once

#include <aila/io/number.hpp>
#include <aila/io/parameter_file.hpp>
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "run.hpp"

namespace example {

using aila::io::Metadata;

/// The metadata of a file that `program` wrote; every method throws aila::Error that begins with the file's name.
class SavedFile {
 public:
  SavedFile(const std::filesystem::path& path, const std::string& program);

  const std::string& text(const std::string& key) const;
  /// One of `known`.
  const std::string& text(const std::string& key, const std::vector<std::string>& known) const;
  /// The network of the file, one of `known`; `where` ends the sentence that refuses any other.
  Candidate candidate(const std::vector<Candidate>& known, const std::string& where = "") const;
  std::size_t whole_number(const std::string& key) const;
  double number(const std::string& key) const;
  [[noreturn]] void fail(const std::string& sentence) const { file_.fail(sentence); }

 private:
  aila::io::SafetensorsFile file_;
};

}  // namespace example
