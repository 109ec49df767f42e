#include "program.hpp"

#include <aila/core/error.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>

namespace example {

std::atomic<bool> interrupted{false};

void catch_interrupts() {
  const auto note = [](int) { interrupted.store(true); };
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
#if defined(SIGPIPE)
  std::signal(SIGPIPE, SIG_IGN);  // whoever read the progress may go; the files are still to be written
#endif
}

namespace {

/// A full disk shows when what was printed leaves the program.
int flush(const char* name, int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  std::fprintf(stderr, "%s: the standard output took not all that was printed\n", name);
  return code == 0 ? 2 : code;
}

}  // namespace

int run_program(const char* name, int argc, const char* const* argv, int (*run)(int, const char* const*)) {
  try {
    return flush(name, run(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 2;
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
