// One convolution, forward, over a batch that lies in memory, on two threads.
#include <aila/backend/cpu.hpp>
#include <aila/compose/network.hpp>
#include <aila/core/thread_pool.hpp>
#include <aila/layer/layers.hpp>

#include "work.hpp"

namespace works {

namespace {

constexpr std::size_t batch = 128, group = 8, threads = 2;

template <class L, class In>
class Convolution final : public Run {
  using Part = aila::Placed<L, In>;
  using Out = typename Part::Out;
  using Kernel = aila::KernelFor<Part, aila::backend::Cpu>;
  static constexpr auto layout = aila::detail::make_layout<Part>();
  static constexpr auto capability = aila::Capability::predict;

 public:
  Convolution() {
    Kernel::pack(weights(), packed_.data());
    for (std::size_t i = 0; i < threads; ++i) scratch_.emplace_back(padded(Kernel::scratch(group, capability)));
  }

  void repeat(std::size_t times) override {
    for (std::size_t i = 0; i < times; ++i) {
      pool_.run(batch / group, [&](std::size_t part, std::size_t worker) {
        aila::Pass pass;
        pass.samples = group;
        typename Kernel::template Saved<capability> saved;
        Kernel::template forward<capability>(pass, weights(), packed_.data(), x_.data() + part * group * In::elements,
                                             y_.data() + part * group * Out::elements, saved, scratch_[worker].data());
      });
      keep(y_.data());
    }
  }
  std::vector<Tensor> dump() override {
    repeat(1);
    std::vector<Tensor> tensors;
    for (std::size_t t = 0; t < Part::parameters.size(); ++t) {
      const aila::ParameterSpec& p = Part::parameters[t];
      tensors.push_back({p.name,
                         {p.extents.begin(), p.extents.begin() + static_cast<std::ptrdiff_t>(p.rank)},
                         {weights()[t], weights()[t] + p.size()}});
    }
    tensors.push_back({"work.input",
                       {batch, In::extents[0], In::extents[1], In::features},
                       {x_.data(), x_.data() + batch * In::elements}});
    tensors.push_back({"work.output",
                       {batch, Out::extents[0], Out::extents[1], Out::features},
                       {y_.data(), y_.data() + batch * Out::elements}});
    return tensors;
  }

 private:
  /// Kernels may read whole vectors beyond an end.
  static constexpr std::size_t padded(std::size_t count) { return count + 2 * aila::alignment_elements; }
  static aila::AlignedArray<float> make(std::uint32_t stream, std::size_t count, float scale) {
    aila::AlignedArray<float> values(padded(count));
    for (std::size_t i = 0; i < count; ++i) values.data()[i] = scale * number(stream, i);
    return values;
  }
  aila::Weights<float> weights() const { return {parameters_.data(), layout.offset.data()}; }

  aila::ThreadPool pool_{threads};
  aila::AlignedArray<float> parameters_ = make(1, layout.size, 0.1F), packed_{padded(Kernel::packed)},
                            x_ = make(2, batch* In::elements, 1), y_{padded(batch * Out::elements)};
  std::vector<aila::AlignedArray<float>> scratch_;
};

}  // namespace

void add_convolutions(Works& works) {
  using Layer = aila::Conv<64>;
  using In = aila::Image<16, 16, 64>;
  works.push_back({.name = "conv/3x3/16x16/64:64",
                   .threads = threads,
                   .flops = static_cast<double>(batch * aila::Placed<Layer, In>::flops),
                   .start = [] { return std::make_unique<Convolution<Layer, In>>(); }});
}

}  // namespace works
