// How a program begins, is interrupted and ends.
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <vector>

namespace example {

/// Becomes true where the user interrupts the program (SIGINT, SIGTERM), once catch_interrupts was called. From then on
/// a reader of the output that goes away (SIGPIPE) does not end the program either.
extern std::atomic<bool> interrupted;
void catch_interrupts();

/// What a program gives back where it was interrupted.
inline constexpr int interrupted_code = 130;

/// Calls `run(argc, argv)`; what it throws becomes one line on stderr that begins with `name`, and code 2. So does
/// output that could not be printed.
int run_program(const char* name, int argc, const char* const* argv, int (*run)(int, const char* const*));

/// The files that `--plot` stands for: X.svg and, for each further part, X-part.svg; in a folder `name`.svg and
/// `name`-part.svg. Throws aila::Error where it is neither a name that ends in .svg nor a folder.
std::vector<std::filesystem::path> plot_files(const std::filesystem::path& plot, const std::string& name,
                                              const std::vector<std::string>& parts);

}  // namespace example
