#include "program.hpp"

#include <aila/io/atomic_file.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>

namespace example {

std::atomic<bool> interrupted{false};

void catch_interrupts() {
  const auto note = [](int) { interrupted.store(true); };
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

int run_program(const char* name, int argc, const char* const* argv, int (*run)(int, const char* const*)) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 2;
  }
}

void try_place(const char* option, const std::filesystem::path& path) {
  try {
    const aila::io::AtomicFile file(path);  // without commit, nothing is left of it
  } catch (const aila::Error& error) {
    throw aila::Error(std::string(option) + ": " + error.what());
  }
}

std::vector<std::filesystem::path> plot_files(const std::filesystem::path& plot, const std::string& name,
                                              const std::vector<std::string>& parts) {
  std::error_code code;
  const bool folder = std::filesystem::is_directory(plot, code);
  if (!folder && plot.extension() != ".svg")
    throw aila::Error("--plot: expected a file name that ends in .svg or a folder, found \"" + plot.string() + '"');
  const auto first = folder ? plot / (name + ".svg") : plot;
  std::vector<std::filesystem::path> files{first};
  for (const auto& part : parts) {
    files.push_back(first);
    files.back().replace_filename(first.stem().string() + "-" + part + ".svg");
  }
  return files;
}

}  // namespace example
