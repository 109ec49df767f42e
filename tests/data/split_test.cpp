// Samples set aside for validation.
#include <doctest/doctest.h>

#include <aila/data/split.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"

using namespace aila;
using namespace aila::data;
using namespace aila_test;

namespace {

/// 100 of class 0, 50 of class 1, 10 of class 2, one behind the other.
std::vector<Label> labels() {
  std::vector<Label> all(100, 0);
  all.resize(150, 1);
  all.resize(160, 2);
  return all;
}

std::vector<std::ptrdiff_t> counts(const std::vector<std::size_t>& rows) {
  std::vector<std::ptrdiff_t> of(3);
  for (const std::size_t row : rows) ++of[static_cast<std::size_t>(labels()[row])];
  return of;
}

}  // namespace

TEST_CASE("each class gives its share, and every sample is in one part") {
  const auto split = stratified_split(labels(), 0.1, Seed{4});
  CHECK(counts(split.valid) == std::vector<std::ptrdiff_t>{10, 5, 1});
  CHECK(counts(split.train) == std::vector<std::ptrdiff_t>{90, 45, 9});
  CHECK(std::ranges::is_sorted(split.train));
  CHECK(std::ranges::is_sorted(split.valid));
  auto all = split.train;
  all.insert(all.end(), split.valid.begin(), split.valid.end());
  std::ranges::sort(all);
  CHECK(all == all_rows(160));
}

TEST_CASE("the seed says which samples are set aside") {
  const auto one = stratified_split(labels(), 0.1, Seed{4}).valid;
  CHECK(one == stratified_split(labels(), 0.1, Seed{4}).valid);
  CHECK(one != stratified_split(labels(), 0.1, Seed{5}).valid);
  CHECK(one.front() > 0);  // not simply the first ones
}

TEST_CASE("shares that leave a part empty are refused, and those that ask for it are not") {
  CHECK(stratified_split(labels(), 0, Seed{}).train.size() == 160);
  CHECK(stratified_split(labels(), 1, Seed{}).valid.size() == 160);
  const auto refusal = [](std::vector<Label> of, double share) {
    return error_of([&] { stratified_split(of, share, Seed{}); });
  };
  CHECK(refusal({0, 1}, 0.1) == "split: a share of 0.100000 of 2 samples leaves one part empty");
  CHECK(refusal({}, 0.1) == "split: a share of 0.100000 of 0 samples leaves one part empty");
  CHECK(refusal(labels(), -0.1) == "split: expected a share from 0 to 1, found -0.100000");
  CHECK(refusal(labels(), 1.5).starts_with("split: expected a share from 0 to 1"));
}
