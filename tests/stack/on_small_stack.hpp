// Training and prediction of a network on a thread whose stack is measured.
#pragma once

#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/backend/reference.hpp>
#include <aila/compose/network.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/workspace.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "painted_stack.hpp"

namespace aila {

/// Training and prediction with a workspace, on a thread with a painted stack.
template <class Net, class Backend>
class OnSmallStack {
 public:
  using S = typename Backend::Scalar;
  using Train = Workspace<Net, Backend, Capability::train>;
  using Predict = Workspace<Net, Backend, Capability::predict>;
  using Kernel = typename Train::Kernel;
  using In = typename Train::In;

  /// What took most, and how much; nothing where that is within the bound.
  static std::string excess() {
    OnSmallStack here;
    std::string most;
    std::size_t bytes = stack_bound;
    const auto measure = [&](const char* what, auto&& f) {
      const std::size_t used = painted_stack().used_by(f);
      if (used <= bytes) return;
      bytes = used;
      most = std::string(what) + " takes " + std::to_string(used) + " bytes of stack";
    };
    measure("packing",
            [&] { Kernel::pack({here.parameters.data(), Train::layout.offset.data()}, here.packed.data()); });
    measure("training", [&] { here.train(); });
    measure("prediction", [&] { here.predict(); });
    CHECK(std::all_of(here.gradients.data(), here.gradients.data() + Train::layout.size,
                      [](S g) { return g - g == S(0); }));
    return most;
  }

 private:
  static constexpr std::size_t samples = 2, rows = 3, stride = round_up(Train::Out::features, alignment_elements);

  OnSmallStack() {
    for (std::size_t i = 0; i < Train::layout.size; ++i)
      parameters.data()[i] = S(0.001) * static_cast<S>(static_cast<int>(i * 37 % 101) - 50);
  }
  void train() {
    Train workspace(samples);
    std::copy_n(x.data(), samples * In::elements, workspace.input());
    std::fill_n(workspace.output_gradient(), samples * Train::Out::elements, S(1));
    RowGradients taken{table_rows.data(), table_values.data(), 0};
    Pass pass = first_pass();
    pass.training = true;
    pass.row_gradients = &taken;
    workspace.forward(pass, parameters.data(), packed.data(), workspace.input());
    workspace.backward(pass, parameters.data(), packed.data(), gradients.data(), true);
  }
  void predict() {
    Predict workspace(samples);
    workspace.forward(first_pass(), parameters.data(), packed.data(), x.data());
  }
  Pass first_pass() const {
    Pass pass;
    pass.samples = samples;
    pass.tables = &table_ref;
    return pass;
  }

  AlignedArray<S> parameters{Train::layout.size + 2 * alignment_elements};
  AlignedArray<S> gradients{Train::layout.size + 2 * alignment_elements};
  AlignedArray<S> packed{Kernel::packed + 2 * alignment_elements};
  AlignedArray<ElementOf<In, S>> x{samples * In::elements + 2 * alignment_elements};
  AlignedArray<S> table{In::is_tokens ? rows * stride : 1};
  TableRef table_ref{table.data(), rows};
  std::vector<std::int32_t> table_rows = std::vector<std::int32_t>(samples * In::positions);
  AlignedArray<S> table_values{In::is_tokens ? samples * In::positions * stride : 1};
};

template <class Net, class... Backend>
void check_small_stack() {
  ([] { CHECK(OnSmallStack<Net, Backend>::excess() == ""); }(), ...);
}
template <class Net>
void check_small_stack_on_both() {
  check_small_stack<Net, backend::Cpu, backend::Reference<double>>();
}

}  // namespace aila
