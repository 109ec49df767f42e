#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <aila/eigen.hpp>
#include <aila/eigen_tensor.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "says.hpp"

namespace aila {
namespace {

struct Net : Network<Sequence<4, 3>, Lstm<5>, LastStep, Linear<2>> {};
using In = Sequence<4, 3>;

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = 0.01F * static_cast<float>((i * 37) % 101) - 0.5F;
  return values;
}
std::vector<float> copied(std::span<const float> values) {
  return {values.begin(), values.end()};
}

template <class Range>
concept Seen = requires(Range&& values) { as_vector(std::forward<Range>(values)); };

TEST_CASE("one sample may be an Eigen vector, matrix, map or reference, and gives what a vector gives") {
  const Model<Net> model{Seed{3}};
  Predictor predict{model, 2};
  const auto values = numbers(12);
  const auto expected = copied(predict(values));

  const Eigen::VectorXf dynamic = Eigen::Map<const Eigen::VectorXf>(values.data(), 12);
  CHECK(copied(predict(dynamic)) == expected);
  const Eigen::Matrix<float, 12, 1> fixed = dynamic;
  CHECK(copied(predict(fixed)) == expected);
  const Eigen::Matrix<float, 4, 3, Eigen::RowMajor> steps = as_matrix(values, 4, 3);
  CHECK(copied(predict(steps)) == expected);
  CHECK(copied(predict(Eigen::Map<const RowMajorMatrix<float>>(values.data(), 4, 3))) == expected);
  CHECK(copied(predict(Eigen::Ref<const Eigen::VectorXf>(dynamic))) == expected);
  CHECK(copied(predict(Eigen::Ref<const RowMajorMatrix<float>>(steps))) == expected);
  const Eigen::RowVectorXf row = dynamic.transpose();
  CHECK(copied(predict(row)) == expected);
}

TEST_CASE("a sample of fixed size is checked by the compiler and cannot throw") {
  using Window = Eigen::Matrix<float, 12, 1>;
  using Strided = Eigen::Map<Window, 0, Eigen::InnerStride<2>>;
  static_assert(noexcept(std::declval<Predictor<Net>&>()(std::declval<const Window&>())));
  static_assert(!noexcept(std::declval<Predictor<Net>&>()(std::declval<const Strided&>())));
  static_assert(!noexcept(std::declval<Predictor<Net>&>()(std::declval<const Eigen::VectorXf&>())));
  static_assert(detail::static_size<Eigen::Matrix<float, 4, 3, Eigen::RowMajor>>() == 12);
  static_assert(detail::static_size<Eigen::Matrix<float, 1, 12, Eigen::RowMajor>>() == 12);
}

TEST_CASE("a batch may be a row-major matrix, a map of one or a block of its rows") {
  const Model<Net> model{Seed{3}};
  Predictor predict{model, 5};
  const auto values = numbers(5 * 12);
  const auto expected = copied(predict.batch(values));

  const RowMajorMatrix<float> matrix = as_matrix(values, 5, 12);
  CHECK(copied(predict.batch(matrix)) == expected);
  CHECK(copied(predict.batch(Eigen::Map<const RowMajorMatrix<float>>(values.data(), 5, 12))) == expected);
  CHECK(copied(predict.batch(matrix.middleRows(2, 3))) == std::vector<float>(expected.begin() + 4, expected.end()));
  CHECK(copied(predict(matrix.row(4))) == std::vector<float>(expected.begin() + 8, expected.end()));
  CHECK(says([&] { predict.batch(matrix.leftCols(6)); }, "an Eigen input must be contiguous"));
  const RowMajorMatrix<float> narrow = RowMajorMatrix<float>::Zero(24, 2);
  CHECK(says([&] { predict.batch(narrow.leftCols(1)); }, "its outer stride 2"));
  CHECK(
      says([&] { predict.batch(RowMajorMatrix<float>(RowMajorMatrix<float>::Zero(6, 12))); }, "up to 5 samples of 12"));

  Workspace<Net, backend::Cpu, Capability::predict> workspace(5);
  CHECK(copied(model.predict(matrix, workspace)) == expected);
  CHECK(says([&] { model.predict(matrix.leftCols(11).eval(), workspace); }, "found 55 elements"));
}

TEST_CASE("tensors come in row-major with the extents of the input, and only so") {
  const Model<Net> model{Seed{3}};
  Predictor predict{model, 5};
  auto values = numbers(5 * 12);
  const auto expected = copied(predict.batch(values));

  CHECK(copied(predict.batch(as_tensor(values, 5, 4, 3))) == expected);
  Eigen::Tensor<float, 3, Eigen::RowMajor> tensor = as_tensor(values, 5, 4, 3);
  CHECK(copied(predict.batch(tensor)) == expected);
  const Eigen::Tensor<float, 2, Eigen::RowMajor> one = tensor.chip(1, 0);
  CHECK(copied(predict(one)) == std::vector<float>(expected.begin() + 2, expected.begin() + 4));

  CHECK(says([&] { predict.batch(as_tensor(values, 4, 5, 3)); },
             "expected a tensor of shape [4, 3], or [samples, ...] of it, found [4, 5, 3]"));
  CHECK(says([&] { predict.batch(as_tensor(values, 60)); }, "found [60]"));
}

TEST_CASE("samples may be Eigen's, and training on them is the same in bits") {
  const auto inputs = numbers(9 * 12);
  const auto targets = numbers(9 * 2);
  const std::vector<float> weights{1, 2, 1, 1, 0, 1, 1, 1, 3};
  const RowMajorMatrix<float> x = as_matrix(inputs, 9, 12), y = as_matrix(targets, 9, 2);
  const auto trained = [](const SamplesView<In>& samples) {
    Model<Net> model{Seed{5}};
    fit(model, samples, {.epochs = 2, .batch = 4});
    return copied(model.parameters());
  };
  const auto expected = trained(SamplesView<In>(inputs, targets, {}, weights));
  CHECK(trained(SamplesView<In>(x, y, {}, weights)) == expected);
  CHECK(trained(SamplesView<In>(as_tensor(inputs, 9, 4, 3), y, {}, weights)) == expected);
  CHECK(trained(SamplesView<In>(inputs, y, {}, weights)) == expected);
  CHECK(trained(SamplesView<In>(inputs, targets)) != expected);
  CHECK(says([&] { SamplesView<In>(as_tensor(inputs, 9, 3, 4), y); }, "found [9, 3, 4]"));
}

TEST_CASE("predictions come out as a matrix or a tensor over the same memory") {
  const Model<Net> model{Seed{3}};
  Predictor predict{model, 5};
  const auto y = predict.batch(numbers(5 * 12));
  const auto matrix = as_matrix(y, 5, 2);
  CHECK(matrix.data() == y.data());
  CHECK(matrix(3, 1) == y[7]);
  CHECK(as_vector(y)(7) == y[7]);
  const auto tensor = as_tensor(y, 5, 2);
  CHECK(tensor.data() == y.data());
  CHECK(tensor(3, 1) == y[7]);
  static_assert(decltype(tensor)::Layout == static_cast<int>(Eigen::RowMajor));

  std::vector<float> own(10);
  as_matrix(own, 2, 5)(1, 0) = 4;
  as_tensor(own, 2, 5)(1, 1) = 5;
  CHECK(own[5] == 4);
  CHECK(own[6] == 5);
  CHECK(says([&] { as_matrix(own, 3, 3); },
             "as_matrix: expected the 9 elements of a matrix of 3 rows and 3 columns, found 10"));
  CHECK(says([&] { as_tensor(own, 3, 3); }, "as_tensor: expected the elements of a tensor of shape [3, 3], found 10"));
  static_assert(Seen<std::vector<float>&>);
  static_assert(!Seen<std::vector<float>>, "a temporary's memory must not be kept");
}

TEST_CASE("parameters are matrices of their extents, and predict what the network does") {
  struct Affine : Network<Vector<3>, Linear<2>> {};
  const Model<Affine> model{Seed{1}};
  const auto weight = parameter_matrix(model, "linear.weight");
  const auto bias = parameter_matrix(model, "linear.bias");
  CHECK(weight.rows() == 2);
  CHECK(weight.cols() == 3);
  CHECK(bias.rows() == 2);
  CHECK(bias.cols() == 1);
  const Eigen::Vector3f x(0.5F, -1.0F, 2.0F);
  Predictor predict{model};
  const auto y = predict(x);
  const Eigen::Vector2f expected = weight * x + bias;
  CHECK(y[0] == doctest::Approx(expected[0]));
  CHECK(y[1] == doctest::Approx(expected[1]));
  CHECK(says([&] { parameter_matrix(model, "lstm.weight"); }, "has no parameter lstm.weight"));
}

}  // namespace
}  // namespace aila
