// Writes the first inputs of every fuzzer: seeds FOLDER makes FOLDER/<loader>/seed-<number>.
#include <filesystem>
#include <fstream>
#include <string>

#include "loaders.hpp"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  aila_fuzz::for_each_loader([&]<class Loader>() {
    const auto folder = std::filesystem::path(arguments[1]) / Loader::name;
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const std::string& seed : Loader::seeds())
      std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
  });
  return 0;
}
