// A program of somebody who uses aila: it trains a few steps on straight lines and predicts how one goes on.
#include <aila/aila.hpp>
#include <aila/io.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

#include "trend.hpp"

float predicted_by_other_unit(const aila::Model<Trend>& model, const std::vector<float>& window);

int main() {
  constexpr int samples = 64;
  constexpr int months = 6;
  std::vector<float> windows;
  std::vector<float> next;
  for (int sample = 0; sample < samples; ++sample) {
    const float slope = static_cast<float>(sample % 16) / 16.0f - 0.5f;
    for (int month = 0; month < months; ++month) windows.push_back(slope * static_cast<float>(month) / months);
    next.push_back(slope);
  }

  aila::Model<Trend> model{aila::Seed{7}};
  const aila::Data train{windows, next};
  const auto history = aila::fit(model, train, {.epochs = 20});

  aila::Predictor<Trend> predict{model};
  const std::vector<float> window(windows.end() - months, windows.end());
  const float here = predict(window)[0];
  const float there = predicted_by_other_unit(model, window);
  std::printf("loss %.4f -> %.4f, predicted %.4f and %.4f\n", history.front().loss, history.back().loss, here, there);
  return history.back().loss < history.front().loss && std::isfinite(here) && here == there ? 0 : 1;
}
