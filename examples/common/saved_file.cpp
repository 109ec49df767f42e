#include "saved_file.hpp"

#include <charconv>

namespace example {

SavedFile::SavedFile(const std::filesystem::path& path, const std::string& program)
    : file_(aila::io::SafetensorsFile::read(path)) {
  if (text("program") != program) fail("the file was not written by this program's --save");
}

const std::string& SavedFile::text(const std::string& key) const {
  const auto found = file_.metadata().find(key);
  if (found == file_.metadata().end())
    fail("the metadata have no " + key + ", so the file was not written by this program's --save");
  return found->second;
}

const std::string& SavedFile::text(const std::string& key, const std::vector<std::string>& known) const {
  const auto& value = text(key);
  if (std::ranges::find(known, value) == known.end())
    fail("the " + key + " " + aila::io::printable(value) + " is not one of this program's");
  return value;
}

Candidate SavedFile::candidate(const std::vector<Candidate>& known, const std::string& where) const {
  Candidate found{text("network"), text("policy")};
  if (std::ranges::find(known, found) == known.end())
    fail("the network " + aila::io::printable(found.name()) + " is not one of this program's" + where);
  return found;
}

namespace {
[[noreturn]] void fail_number(const SavedFile& file, const std::string& key) {
  file.fail("the metadata say \"" + aila::io::printable(file.text(key)) + "\" where " + key + " is a number");
}
}  // namespace

std::size_t SavedFile::whole_number(const std::string& key) const {
  const auto& digits = text(key);
  std::size_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc{} || end != digits.data() + digits.size()) fail_number(*this, key);
  return value;
}

double SavedFile::number(const std::string& key) const {
  const auto value = aila::io::number<double>(text(key));
  if (!value) fail_number(*this, key);
  return *value;
}

}  // namespace example
