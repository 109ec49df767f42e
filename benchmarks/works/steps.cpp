// One step of LSTM(1 -> N) + Linear for one sample, on one thread, beside the same step in Eigen in the same process;
// and the product with its recurrent weights alone, [1 x N] [N x 4 N].
#include <cmath>

#include "../eigen_step.hpp"
#include "work.hpp"

namespace works {

namespace {

template <std::size_t Units>
struct StepNet : aila::Network<aila::Sequence<1, 1>, aila::Lstm<Units>, aila::LastStep, aila::Linear<1>> {};

template <std::size_t Units>
class Step final : public Run {
 public:
  Step() {
    for (const float x : inputs_)
      if (!(std::abs(eigen_.step(x) - stream_.step(x)[0]) < 1e-5F)) throw aila::Error("the steps differ");
  }
  void repeat(std::size_t times) override {
    float sum = 0;
    for (std::size_t i = 0; i < times; ++i) sum += stream_.step(inputs_[at_++ % input_count])[0];
    keep(&(sum_ = sum));
  }
  const char* beside() const override { return "eigen"; }
  void repeat_beside(std::size_t times) override {
    float sum = 0;
    for (std::size_t i = 0; i < times; ++i) sum += eigen_.step(inputs_[at_++ % input_count]);
    keep(&(sum_ = sum));
  }
  std::vector<Tensor> dump() override {
    stream_.reset();
    std::vector<float> outputs;
    for (const float x : inputs_) outputs.push_back(stream_.step(x)[0]);
    return {{"work.input", {inputs_.size()}, inputs_}, {"work.output", {outputs.size()}, outputs}};
  }

 private:
  aila::Model<StepNet<Units>> model_{aila::Seed{7}};
  aila::Stream<StepNet<Units>> stream_{model_};
  aila_benchmarks::EigenStep<static_cast<int>(Units)> eigen_{model_};
  static constexpr std::size_t input_count = 256;
  std::vector<float> inputs_ = numbers(1003, input_count);
  std::size_t at_ = 0;
  float sum_ = 0;
};

template <std::size_t Units>
class StepProduct final : public Run {
  using Arch = aila::simd::DefaultArch;

 public:
  StepProduct() {
    aila::cpu::pack<float, Arch>(weights_.data(), 4 * Units, 1, Units, 4 * Units, packed_.data());
    for (std::size_t i = 0; i < Units; ++i) h_.data()[i] = number(1004, i);
  }
  void repeat(std::size_t times) override {
    for (std::size_t i = 0; i < times; ++i) {
      aila::cpu::row_times_packed<float, Arch, Units, 4 * Units>(h_.data(), packed_.data(), zeros_.data(),
                                                                 gates_.data());
      keep(gates_.data());
    }
  }
  std::vector<Tensor> dump() override {
    repeat(1);
    return {{"work.input", {Units}, {h_.data(), h_.data() + Units}},
            {"work.output", {4 * Units}, {gates_.data(), gates_.data() + 4 * Units}}};
  }

 private:
  std::vector<float> weights_ = numbers(1005, Units * 4 * Units);
  aila::AlignedArray<float> packed_{aila::cpu::packed_size<float, Arch>(Units, 4 * Units) + aila::alignment_elements};
  aila::AlignedArray<float> h_{Units + aila::alignment_elements}, zeros_{4 * Units + aila::alignment_elements},
      gates_{4 * Units + aila::alignment_elements};
};

template <std::size_t Units>
void add(Works& works) {
  const double product = 2.0 * Units * 4 * Units;
  works.push_back({.name = "step/" + std::to_string(Units), .flops = product, .start = [] {
                     return std::make_unique<Step<Units>>();
                   }});
  works.push_back({.name = "step/" + std::to_string(Units) + "/product", .flops = product, .start = [] {
                     return std::make_unique<StepProduct<Units>>();
                   }});
}

}  // namespace

void add_steps(Works& works) {
  add<8>(works);
  add<16>(works);
  add<32>(works);
  add<64>(works);
}

}  // namespace works
