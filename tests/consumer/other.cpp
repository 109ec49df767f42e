// A second unit with everything included: it must link beside the first and see the same model.
#include <aila/aila.hpp>
#include <aila/eigen.hpp>

#include <vector>

#include "trend.hpp"

float predicted_by_other_unit(const aila::Model<Trend>& model, const std::vector<float>& window) {
  aila::Predictor<Trend> predict{model};
  return predict(window)[0];
}
