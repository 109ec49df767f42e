// Sees the headers of every dependency.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <Eigen/Core>
#include <nlohmann/json.hpp>
#include <vector>
#include <xsimd/xsimd.hpp>

int main() {
  const auto numbers = nlohmann::json::parse("[1, 2, 3]").get<std::vector<float>>();
  return Eigen::Map<const Eigen::Vector3f>(numbers.data()).sum() == 6.0f ? 0 : 1;
}
