#include <doctest/doctest.h>

#include <aila/learn/metrics.hpp>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

using namespace aila;

namespace {

static_assert(Metric<metric::MeanSquaredError> && Metric<metric::MeanAbsoluteError> && Metric<metric::RSquared>);
static_assert(Metric<metric::MeanAbsoluteScaledError> && Metric<metric::Accuracy> && Metric<metric::TopKAccuracy>);
static_assert(Metric<metric::ConfusionMatrix> && Metric<metric::BinaryAccuracy> && Metric<metric::BinaryF1>);

const std::vector<float> targets{1, 2, 4, 9};
const std::vector<float> outputs{1.5F, 2, 3, 7};

/// The same numbers in one batch, in two, and in two accumulators that are merged.
template <class M, class Outputs, class Targets>
void check_batches(const M& fresh, const Outputs& o, const Targets& t, std::size_t per_target, double expected) {
  M whole = fresh;
  whole.add(o, t);
  CHECK(whole.value() == doctest::Approx(expected).epsilon(1e-14));
  M parts = fresh;
  M left = fresh;
  M right = fresh;
  const std::span all_o(o);
  const std::span all_t(t);
  parts.add(all_o.first(per_target), all_t.first(1));
  parts.add(all_o.subspan(per_target), all_t.subspan(1));
  CHECK(parts.value() == doctest::Approx(expected).epsilon(1e-14));
  left.add(all_o.first(per_target), all_t.first(1));
  right.add(all_o.subspan(per_target), all_t.subspan(1));
  left.merge(right);
  CHECK(left.value() == doctest::Approx(expected).epsilon(1e-14));
}

// Four classes, five samples: predicted 1, 3, 0, 0, 2
const std::vector<double> logits{0.1, 0.9, 0.3, 0.2,   //
                                 -1,  -2,  0.5, 0.6,   //
                                 2,   1.5, 0,   1,     //
                                 0.5, 0.5, 0.5, 0.25,  // a tie: the lower index counts first
                                 -3,  -2,  -1,  -4};
const std::vector<int> classes{1, 2, 0, 1, 3};

}  // namespace

TEST_CASE("errors are means over everything added") {
  check_batches(metric::MeanSquaredError{}, outputs, targets, 1, (0.25 + 0 + 1 + 4) / 4);
  check_batches(metric::MeanAbsoluteError{}, outputs, targets, 1, (0.5 + 0 + 1 + 2) / 4);
  CHECK(std::isnan(metric::MeanSquaredError{}.value()));
  CHECK(std::isnan(metric::MeanAbsoluteError{}.value()));
}

TEST_CASE("sums are in double whatever the numbers are") {
  metric::MeanSquaredError error;
  const std::vector<float> ones(1, 1.0F);
  const std::vector<float> zeros(1, 0.0F);
  const std::vector<float> far(1, 1e6F);
  error.add(far, zeros);
  for (int i = 0; i < 3; ++i) error.add(ones, zeros);
  CHECK(error.value() == (1e12 + 3) / 4);
}

TEST_CASE("R squared is the share of the targets' variance explained") {
  check_batches(metric::RSquared{}, outputs, targets, 1, 1 - 5.25 / 38);  // mean 4, deviations -3, -2, 0, 5
  metric::RSquared mean_forecast;
  mean_forecast.add(std::vector<double>{4, 4, 4, 4}, targets);
  CHECK(mean_forecast.value() == doctest::Approx(0));
  metric::RSquared constant;
  constant.add(std::vector<double>{1, 2}, std::vector<double>{5, 5});
  CHECK(std::isnan(constant.value()));
}

TEST_CASE("R squared is exact where the targets' mean is far from 0") {
  metric::RSquared far;
  far.add(std::vector<double>{1e9 + 1, 1e9 + 2, 1e9 + 4}, std::vector<double>{1e9 + 1, 1e9 + 2, 1e9 + 3});
  CHECK(far.value() == doctest::Approx(0.5).epsilon(1e-9));
}

TEST_CASE("MASE measures errors in those of the naive forecast") {
  const std::vector<double> training{1, 3, 2, 6};  // changes 2, -1, 4; over two steps 1, 3
  CHECK(metric::naive_error(training) == doctest::Approx(7.0 / 3));
  CHECK(metric::naive_error(training, 2) == 2);
  CHECK(std::isnan(metric::naive_error(training, 4)));
  CHECK_THROWS_AS(metric::naive_error(training, 0), Error);
  check_batches(metric::MeanAbsoluteScaledError{2}, outputs, targets, 1, 0.875 / 2);
  CHECK_THROWS_AS(metric::MeanAbsoluteScaledError{0}, Error);
  CHECK_THROWS_AS(metric::MeanAbsoluteScaledError{std::nan("")}, Error);
}

TEST_CASE("skill compares the squared error with that of a baseline") {
  CHECK(metric::skill(1, 4) == 0.75);
  CHECK(metric::skill(4, 4) == 0);
  CHECK(metric::skill(8, 4) == -1);
  CHECK(std::isnan(metric::skill(1, 0)));
  metric::Skill skill;
  skill.add(outputs, targets, std::vector<double>{2, 2, 2, 2});  // squared errors of the baseline 1, 0, 4, 49
  CHECK(skill.value() == doctest::Approx(1 - 5.25 / 54));
  CHECK_THROWS_AS(skill.add(outputs, targets, std::vector<double>{2}), Error);
}

TEST_CASE("accuracy counts the samples whose class has the largest output") {
  check_batches(metric::Accuracy{4}, logits, classes, 4, 2.0 / 5);
}

TEST_CASE("top-k accuracy counts the samples whose class is among the k largest outputs") {
  check_batches(metric::TopKAccuracy{4, 1}, logits, classes, 4, 2.0 / 5);
  check_batches(metric::TopKAccuracy{4, 2}, logits, classes, 4, 4.0 / 5);
  check_batches(metric::TopKAccuracy{4, 3}, logits, classes, 4, 4.0 / 5);
  check_batches(metric::TopKAccuracy{4, 4}, logits, classes, 4, 1);
  CHECK_THROWS_AS((metric::TopKAccuracy{4, 0}), Error);
  CHECK_THROWS_AS((metric::TopKAccuracy{4, 5}), Error);
}

TEST_CASE("outputs that are all equal do not count as right") {
  metric::Accuracy accuracy{2};
  accuracy.add(std::vector<float>{0, 0, 0, 0}, std::vector<int>{0, 1});
  CHECK(accuracy.value() == 0.5);
}

TEST_CASE("a confusion matrix says which class was taken for which") {
  metric::ConfusionMatrix matrix{4};
  matrix.add(logits, classes);
  CHECK(matrix.count(1, 1) == 1);
  CHECK(matrix.count(2, 3) == 1);
  CHECK(matrix.count(0, 0) == 1);
  CHECK(matrix.count(1, 0) == 1);
  CHECK(matrix.count(3, 2) == 1);
  CHECK(matrix.count(3, 3) == 0);
  CHECK(matrix.precision(0) == 0.5);
  CHECK(matrix.recall(0) == 1);
  CHECK(matrix.f1(0) == doctest::Approx(2.0 / 3));
  CHECK(matrix.precision(1) == 1);
  CHECK(matrix.recall(1) == 0.5);
  CHECK(matrix.recall(2) == 0);
  CHECK(matrix.macro_f1() == doctest::Approx((2.0 / 3 + 2.0 / 3) / 4));
  check_batches(metric::ConfusionMatrix{4}, logits, classes, 4, 2.0 / 5);
  CHECK_THROWS_WITH_AS(matrix.count(0, 4), "ConfusionMatrix: classes run from 0 to 3, asked for 0 taken for 4", Error);
  CHECK_THROWS_AS(matrix.merge(metric::ConfusionMatrix{3}), Error);
}

TEST_CASE("a class that neither occurs nor is predicted is left out of the mean F1") {
  metric::ConfusionMatrix matrix{3};
  matrix.add(std::vector<float>{1, 0, 0, 0, 1, 0}, std::vector<int>{0, 1});
  CHECK(matrix.macro_f1() == 1);
  CHECK(std::isnan(matrix.f1(2)));
  CHECK(std::isnan(metric::ConfusionMatrix{3}.value()));
}

TEST_CASE("binary metrics count answers above the threshold as yes") {
  const std::vector<float> answers{2, -1, 0.5F, -0.5F, 0, 3};
  const std::vector<float> truth{1, 0, 0, 1, 1, 1};
  metric::Binary binary;
  binary.add(answers, truth);  // yes: 0 (right), 2 (wrong), 5 (right); no: 1 (right), 3, 4 (wrong)
  CHECK(binary.accuracy() == 0.5);
  CHECK(binary.precision() == doctest::Approx(2.0 / 3));
  CHECK(binary.recall() == 0.5);
  CHECK(binary.f1() == doctest::Approx(4.0 / 7));
  check_batches(metric::BinaryAccuracy{}, answers, truth, 1, 0.5);
  check_batches(metric::BinaryF1{}, answers, truth, 1, 4.0 / 7);
  check_batches(metric::BinaryAccuracy{0.5}, std::vector<double>{0.4, 0.6}, std::vector<int>{0, 1}, 1, 1);
  CHECK(std::isnan(metric::BinaryF1{}.value()));
}

TEST_CASE("numbers that do not fit are refused") {
  metric::MeanSquaredError error;
  CHECK_THROWS_WITH_AS(error.add(std::vector<float>{1, 2}, std::vector<float>{1}),
                       "MeanSquaredError: expected 1 outputs for 1 targets, found 2", Error);
  metric::Accuracy accuracy{3};
  const std::vector<float> three{1, 2, 3};
  CHECK_THROWS_AS(accuracy.add(three, std::vector<int>{0, 1}), Error);
  CHECK_THROWS_WITH_AS(accuracy.add(three, std::vector<int>{3}),
                       "TopKAccuracy: target 0 of the batch must be a class index below 3, it is 3.000000", Error);
  CHECK_THROWS_AS(accuracy.add(three, std::vector<int>{-1}), Error);
  CHECK_THROWS_AS(accuracy.add(three, std::vector<float>{0.5F}), Error);
  CHECK_THROWS_WITH_AS(accuracy.add(std::vector<float>{1, std::nanf(""), 3}, std::vector<int>{0}),
                       "TopKAccuracy: output 1 of sample 0 of the batch is not a number", Error);
  metric::ConfusionMatrix matrix{3};
  CHECK_THROWS_AS(matrix.add(std::vector<float>{1, std::nanf(""), 3}, std::vector<int>{0}), Error);
  metric::Binary binary;
  CHECK_THROWS_AS(binary.add(std::vector<float>{1}, std::vector<float>{0.5F}), Error);
  CHECK_THROWS_AS(metric::Accuracy{1}, Error);
}

TEST_CASE("metrics of numbers are right to the ends of double") {
  using Numbers = std::vector<double>;
  const double infinite = std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::max();
  const auto mean_square = [](const Numbers& o, const Numbers& t) {
    metric::MeanSquaredError error;
    error.add(o, t);
    return error.value();
  };
  const auto mean_size = [](const Numbers& o, const Numbers& t) {
    metric::MeanAbsoluteError error;
    error.add(o, t);
    return error.value();
  };
  const Numbers zeros(4, 0.0);
  CHECK(mean_square({1e154, 1e154, 1e154, 1e154}, zeros) == doctest::Approx(1e308).epsilon(1e-14));
  CHECK(mean_square({2e154, 0, 0, 0}, zeros) == doctest::Approx(1e308).epsilon(1e-14));
  CHECK(mean_square({1e200, 0, 0, 0}, zeros) == infinite);
  CHECK(mean_square({1e-150, 1e-150, 1e-150, 1e-150}, zeros) == doctest::Approx(1e-300).epsilon(1e-14));
  CHECK(mean_square({infinite, 1, 2, 3}, {infinite, 1, 2, 5}) == 1);
  CHECK(mean_square({infinite, 1, 2, 3}, {-infinite, 1, 2, 5}) == infinite);
  CHECK(std::isnan(mean_square({infinite, std::nan(""), 2, 3}, {infinite, 1, 2, 5})));
  CHECK(mean_size({most, most, -most, -most}, zeros) == most);
  CHECK(mean_size({most, 0, 0, 0}, {-most, 0, 0, 0}) == most / 2);
  CHECK(mean_size({-infinite, 1}, {-infinite, 4}) == 1.5);
  CHECK(mean_size({-infinite, 1}, {0, 4}) == infinite);
  CHECK(std::isnan(mean_size({std::nan("")}, {0})));
  CHECK(metric::naive_error(Numbers{most, -most, -most}) == most);
  CHECK(metric::naive_error(Numbers{1, infinite, infinite}) == infinite);
  CHECK(metric::naive_error(Numbers{infinite, infinite}) == 0);

  metric::MeanAbsoluteScaledError scaled{1e300};
  scaled.add(Numbers{most}, Numbers{-most});
  CHECK(scaled.value() == doctest::Approx(2 * (most / 1e300)).epsilon(1e-14));
}

TEST_CASE("shares of variance and skill do not depend on the unit, however large or small") {
  const std::vector<double> o{1.5, 2, 3, 7, 4}, t{1, 2, 4, 9, 5}, b{2, 2, 3, 8, 6};
  const auto times = [](std::vector<double> x, double unit) {
    for (double& v : x) v *= unit;
    return x;
  };
  metric::RSquared share;
  share.add(o, t);
  metric::Skill skill;
  skill.add(o, t, b);
  for (const double unit : {0x1p1000, 0x1p600, 0x1p-500, 0x1p-600, 0x1p-1000}) {
    metric::RSquared whole, left, right;
    whole.add(times(o, unit), times(t, unit));
    CHECK(whole.value() == doctest::Approx(share.value()).epsilon(1e-14));
    left.merge(whole);
    right.add(std::vector{unit, unit}, std::vector{2 * unit, unit});
    left.merge(right);
    metric::RSquared all;
    all.add(o, t);
    all.add(std::vector{1.0, 1.0}, std::vector{2.0, 1.0});
    CHECK(left.value() == doctest::Approx(all.value()).epsilon(1e-14));
    metric::Skill own;
    own.add(times(o, unit), times(t, unit), times(b, unit));
    CHECK(own.value() == doctest::Approx(skill.value()).epsilon(1e-14));
  }
  // an error far beyond the targets
  metric::RSquared far;
  far.add(std::vector{1e200, 0.0}, std::vector{0.0, 1.0});
  CHECK(far.value() == -std::numeric_limits<double>::infinity());
  metric::RSquared equal;
  equal.add(std::vector{1e-200, 2e-200}, std::vector{1e-200, 1e-200});
  CHECK(std::isnan(equal.value()));
}

TEST_CASE("metrics of any number of classes are made, or refused in a sentence") {
  constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();
  for (const std::size_t few : {0U, 1U}) {
    CHECK_THROWS_AS(metric::Accuracy{few}, Error);
    CHECK_THROWS_AS((metric::TopKAccuracy{few, 1}), Error);
    CHECK_THROWS_AS(metric::ConfusionMatrix{few}, Error);
  }
  CHECK_THROWS_WITH_AS((metric::TopKAccuracy{3, 0}), "TopKAccuracy: k must lie from 1 to 3, it is 0", Error);
  CHECK_THROWS_WITH_AS((metric::TopKAccuracy{3, 4}), "TopKAccuracy: k must lie from 1 to 3, it is 4", Error);
  CHECK_THROWS_AS((metric::TopKAccuracy{3, endless}), Error);
  metric::TopKAccuracy all{3, 3};
  all.add(std::vector{1.0, 2.0, 3.0}, std::vector{0});
  CHECK(all.value() == 1);
  for (const std::size_t many : {std::size_t{32769}, std::size_t{1} << 31U, std::size_t{1} << 32U, endless})
    CHECK_THROWS_WITH_AS(metric::ConfusionMatrix{many},
                         ("ConfusionMatrix: expected at most 32768 classes, found " + std::to_string(many)).c_str(),
                         Error);
  // 2 times 2^63 classes would wrap around to no output
  metric::Accuracy absurd{endless / 2 + 1};
  CHECK_THROWS_WITH_AS(absurd.add(std::vector<float>{}, std::vector<int>{0, 1}),
                       "TopKAccuracy: expected 9223372036854775808 times 2 outputs for 2 targets, found 0", Error);
  absurd.add(std::vector<float>{}, std::vector<int>{});
  CHECK(std::isnan(absurd.value()));
}

TEST_CASE("infinite outputs have a rank, and nothing added has no value") {
  const double infinite = std::numeric_limits<double>::infinity();
  metric::Accuracy accuracy{3};
  accuracy.add(std::vector{infinite, -infinite, infinite, -infinite, -infinite, 0.0}, std::vector{0, 2});
  CHECK(accuracy.value() == 1);
  CHECK(std::isnan(metric::Accuracy{2}.value()));
  CHECK(std::isnan(metric::ConfusionMatrix{2}.value()));
  CHECK(std::isnan(metric::ConfusionMatrix{2}.macro_f1()));
  CHECK(std::isnan(metric::BinaryAccuracy{}.value()));
  CHECK(std::isnan(metric::BinaryF1{}.value()));
  CHECK(std::isnan(metric::MeanSquaredError{}.value()));
  CHECK(std::isnan(metric::MeanAbsoluteError{}.value()));
  CHECK(std::isnan(metric::RSquared{}.value()));
  CHECK(std::isnan(metric::Skill{}.value()));
  CHECK(std::isnan(metric::MeanAbsoluteScaledError{1}.value()));
  metric::RSquared merged;
  merged.merge(metric::RSquared{});
  CHECK(std::isnan(merged.value()));
  for (const std::size_t season : {std::size_t{3}, std::numeric_limits<std::size_t>::max()})
    CHECK(std::isnan(metric::naive_error(std::vector{1.0, 2.0, 3.0}, season)));
  CHECK(std::isnan(metric::naive_error(std::vector<double>{})));
  CHECK_THROWS_AS(metric::naive_error(std::vector{1.0, 2.0}, 0), Error);
}
