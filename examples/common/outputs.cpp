#include "outputs.hpp"

#include <aila/data/utf8.hpp>
#include <aila/io/atomic_file.hpp>
#include <cstdio>
#include <exception>
#include <system_error>

namespace example {
namespace {

/// One name for a file, whatever links and dots lead to it.
std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code code;
  const auto whole = std::filesystem::absolute(path, code);
  const auto file = std::filesystem::weakly_canonical(whole, code);
  return code ? whole.lexically_normal() : file;
}

/// What can be known without writing under the name itself.
void try_place(const std::filesystem::path& path) {
  // A name that is too long shows when the finished file is to get it.
  std::error_code code;
  static_cast<void>(std::filesystem::status(path, code));
  if (code == std::errc::filename_too_long)
    throw aila::Error(aila::io::display_name(path) + ": the name is too long for a file");
  const aila::io::AtomicFile file(path);  // without commit, nothing is left of it
}

}  // namespace

void Places::reads(const char* option, const std::filesystem::path& path) {
  places_.push_back({option, "reads", resolved(path)});
}

void Places::writes(const char* option, const std::filesystem::path& path) {
  try {
    try_place(path);
  } catch (const aila::Error& error) {
    throw aila::Error(std::string(option) + ": " + error.what());
  }
  const auto file = resolved(path);
  for (const auto& place : places_)
    if (place.file == file)
      throw aila::Error(std::string(option) + ": expected a file of its own, found " + aila::io::display_name(path) +
                        ", which " + place.option + " " + place.use);
  places_.push_back({option, "writes", file});
}

void require_saveable(const std::string& what, const std::string& text) {
  std::string repaired = text;
  if (aila::data::repair_utf8(repaired) > 0 || text.find('\0') != std::string::npos)
    throw aila::Error("--save: expected " + what + " to be UTF-8 without NUL, as a file of weights keeps it, found \"" +
                      aila::io::printable(repaired) + '"');
}

bool LastSteps::take(const std::function<void()>& step) {
  try {
    step();
    return true;
  } catch (const std::exception& error) {
    failed(error.what());
    return false;
  }
}

void LastSteps::write(const char* what, const std::filesystem::path& file, const std::function<std::string()>& text) {
  take([&] {
    const auto content = text();
    if (content.empty()) return;
    aila::io::write_text(file, content);
    wrote(what, file);
  });
}

void LastSteps::wrote(const char* what, const std::filesystem::path& file) {
  written_ += what + file.string() + "\n";
}

void LastSteps::failed(const std::string& sentence) {
  std::fprintf(stderr, "%s: %s\n", program_.c_str(), sentence.c_str());
  code_ = 2;
}

}  // namespace example
