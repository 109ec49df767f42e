// Times the works and prints a line of JSON for each: benchmark_cuda [seconds a work] [part of a name].
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "work.hpp"

int main(int count, char** words) {
  try {
    const double seconds = count > 1 ? std::atof(words[1]) : 0.3;
    for (const auto& work : cuda_works::works()) {
      if (count > 2 && work.name.find(words[2]) == std::string::npos) continue;
      const double each = work.measure(seconds);
      std::printf("{\"name\": \"%s\", \"seconds\": %.9g, \"tflops\": %.4g}\n", work.name.c_str(), each,
                  work.flops / each * 1e-12);
      std::fflush(stdout);
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
