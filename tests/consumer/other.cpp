// A second unit with everything included: it must link beside the first and see the same model.
#include <aila/aila.hpp>
#include <aila/eigen.hpp>
#include <aila/eigen_tensor.hpp>
#include <aila/io.hpp>

#include <vector>

#include "trend.hpp"

float predicted_by_other_unit(const aila::Model<Trend>& model, const std::vector<float>& window) {
  aila::Predictor<Trend> predict{model};
  const Eigen::VectorXf seen = aila::as_vector(window);
  return aila::as_matrix(predict(seen), 1, 1)(0, 0);
}
