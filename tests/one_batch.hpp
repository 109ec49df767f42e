// One batch through a network's kernels on any backend, a device's too: what goes in and what comes out is the
// program's.
#pragma once

#include <aila/compose/walk.hpp>
#include <aila/network/workspace.hpp>
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

template <class Net, class Backend>
class OneBatch {
 public:
  using S = typename Backend::Scalar;
  using Training = aila::Workspace<Net, Backend, aila::Capability::train>;
  using Predicting = aila::Workspace<Net, Backend, aila::Capability::predict>;
  using Kernel = typename Training::Kernel;
  static constexpr const auto& layout = Training::layout;

  struct Gradients {
    std::vector<S> input, parameters;
  };

  /// set(S*) writes the parameters where parameter_table<Net>() has them.
  template <class F>
  explicit OneBatch(F&& set) : parameters_(layout.size + margin), packed_(Kernel::packed + margin) {
    std::vector<S> all(layout.size);
    set(all.data());
    queue_.to_device(all.data(), all.size(), parameters_.data());
    queue_.run([&] { Kernel::pack(weights(), packed_.data()); });
    wait(queue_);
  }
  aila::Weights<S> weights() const { return {parameters_.data(), layout.offset.data()}; }

  /// y of prediction for x [samples, In...]; lengths of the pass are the program's.
  std::vector<S> predict(const aila::Pass& pass, const std::vector<S>& x) const {
    Predicting workspace(pass.samples);
    const S* const there = workspace.take_input(x.data(), pass.samples);
    return forward(workspace, pass, there);
  }
  /// y of a forward that a backward may follow.
  std::vector<S> forward(Training& workspace, const aila::Pass& pass, const std::vector<S>& x) const {
    std::copy(x.begin(), x.end(), workspace.host_input());
    return forward(workspace, pass, workspace.send_input(pass.samples));
  }
  /// All gradients for dy [samples, Out...].
  Gradients backward(Training& workspace, const aila::Pass& pass, const std::vector<S>& dy) const {
    aila::ArrayOn<S, Backend> gradients(layout.size + margin);
    auto& queue = workspace.queue();
    queue.to_device(dy.data(), dy.size(), workspace.output_gradient());
    workspace.backward(there(workspace, pass), parameters_.data(), packed_.data(), gradients.data(), true);
    Gradients found{std::vector<S>(pass.samples * Training::In::elements), std::vector<S>(layout.size)};
    queue.to_host(workspace.input_gradient(), found.input.size(), found.input.data());
    queue.to_host(gradients.data(), layout.size, found.parameters.data());
    return found;
  }
  /// The pass as the kernels of a workspace take it.
  template <class Space>
  static aila::Pass there(Space& workspace, aila::Pass pass) {
    pass.lengths = workspace.take_lengths(pass.lengths, pass.samples);
    if constexpr (!aila::shares_memory<Backend>) pass.queue = &workspace.queue();
    return pass;
  }

 private:
  static constexpr std::size_t margin = 2 * aila::alignment_elements;

  template <class Queue>
  static void wait(const Queue& queue) {
    if constexpr (requires { queue.wait(); }) queue.wait();
  }
  template <class Space>
  std::vector<S> forward(Space& workspace, const aila::Pass& pass, const S* x) const {
    workspace.forward(there(workspace, pass), parameters_.data(), packed_.data(), x);
    const S* const y = workspace.host_output(pass.samples);
    return {y, y + pass.samples * Training::Out::elements};
  }

  typename Backend::Queue queue_;
  aila::ArrayOn<S, Backend> parameters_, packed_;
};
