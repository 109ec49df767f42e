// A program without exceptions and run-time types, as robots and games have them: it predicts, all at once and step by
// step.
#include <aila/aila.hpp>
#include <aila/eigen.hpp>
#include <aila/io.hpp>
#include <array>
#include <cmath>
#include <cstdio>

namespace {

struct Follower : aila::Network<aila::Sequence<5, 2>, aila::Gru<4>, aila::LastStep, aila::Linear<1>> {};

float difference(float a, float b) {
  return std::fabs(a - b);
}

int run() {
  const aila::Model<Follower> model{aila::Seed{7}};
  const std::array<float, 10> x{0.1F, 0.2F, -0.3F, 0.4F, 0.5F, -0.6F, 0.7F, 0.8F, -0.9F, 1.0F};

  aila::Predictor<Follower> predict{model};
  const float whole = predict(x)[0];
  aila::Workspace<Follower, aila::backend::Cpu, aila::Capability::predict> workspace{1};
  const float own_memory = model.predict(x, workspace)[0];
  aila::Stream<Follower> stream{model};
  float last = 0;
  for (std::size_t step = 0; step < 5; ++step) last = stream.step(std::span<const float, 2>(&x[2 * step], 2))[0];

  std::printf("%g %g %g\n", static_cast<double>(whole), static_cast<double>(own_memory), static_cast<double>(last));
  return whole != 0.0F && difference(whole, own_memory) == 0.0F && difference(whole, last) < 1e-6F ? 0 : 1;
}

}  // namespace

int main() {
  return run();
}
