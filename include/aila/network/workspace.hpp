// Workspace: the memory of one worker: what a forward and a backward over a group of samples write.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../backend/host/padding.hpp"
#include "../backend/kernel.hpp"
#include "../backend/staged.hpp"
#include "../compose/network.hpp"
#include "../core/no_memory.hpp"

namespace aila::inline v0 {

namespace detail {
/// An array of f(samples, retain) elements. f grows at most in proportion, so what is too much is known before f
/// overflows. Throws Error.
template <class Array>
[[gnu::noinline]] constexpr Array workspace_memory(std::size_t samples, Retain retain,
                                                   std::size_t (*f)(std::size_t, Retain)) {
  return taking("workspace", samples, "samples", [&] {
    const std::size_t one = f(1, retain);
    if (samples > 1 && one > 0 && samples > static_cast<std::size_t>(PTRDIFF_MAX) / one) throw_as<std::bad_alloc>();
    return Array(f(samples, retain));
  });
}
template <class Scalar>
[[gnu::noinline]] std::vector<std::span<Scalar>> idle_memory(const MemoryPlan& plan, Scalar* memory) {
  std::vector<std::span<Scalar>> parts;
  for (const MemoryPlan::Range& part : plan.idle(Life::between)) parts.emplace_back(memory + part.first, part.count);
  return parts;
}

/// A forward whose first parts go block by block of steps, where a backend has one: see network/cuda/wavefront.hpp.
template <class Net, class Backend>
struct WavefrontForward {
  static constexpr bool possible = false;
};
struct NoWavefront {
  static constexpr bool possible = false;
};

/// Where a program writes what goes to a workspace on memory of its own, and reads what comes from there.
template <class Element, class Backend>
struct Border {
  Border(std::size_t samples, std::size_t in, std::size_t out) : x(samples * in), y(samples * out) {}
  HostArrayOf<Element, Backend> x;
  HostArrayOf<typename Backend::Scalar, Backend> y;
};
template <class Element, class Backend>
  requires(shares_memory<Backend>)
struct Border<Element, Backend> {
  constexpr Border(std::size_t, std::size_t, std::size_t) {}
};
}  // namespace detail

/// Memory for up to a number of samples, taken once; forward and backward allocate nothing. Pointers that it gives are
/// to memory of the backend, unless they say `host`.
template <class Net, ComputeBackend Backend, Capability C>
class Workspace {
 public:
  using Scalar = typename Backend::Scalar;
  using Placed = typename detail::BoundNetwork<Net>::Bound;
  using In = typename Placed::In;
  using Out = typename Placed::Out;
  using Kernels = KernelsOf<Backend>;
  using Kernel = KernelFor<Placed, Kernels>;
  using Element = ElementOf<In, Scalar>;
  using Queue = typename Backend::Queue;
  /// All-reduces over the groups of a batch in a forward; a workspace that works on a whole batch needs not to know.
  static constexpr std::size_t phases = phases_of<Kernel>();
  static constexpr std::size_t all_reduce = all_reduce_of<Kernel>();
  static constexpr const auto& layout = parameter_layout<Placed>;
  /// Whether forward leaves the processor's mode alone; then x and the weights should hold no denormal numbers.
  static constexpr bool keeps_host_mode = C == Capability::stream && stays_normal_of<Kernel>();
  using MissingBackward = std::conditional_t<keeps_for_backward(C), detail::MissingBackward<Kernel>, detail::NoRefusal>;
  enum { has_kernels = detail::RefusalOf<Kernel>::say(), has_backward = MissingBackward::say() };

  /// Throws Error where there is no memory for so many. One for inspection keeps what every part computes: in others,
  /// maps that are needed no more are overwritten.
  constexpr explicit Workspace(std::size_t samples, Retain retain = Retain::needed)
      : capacity_(samples),
        retain_(retain),
        memory_(detail::workspace_memory<ArrayOn<Scalar, Backend>>(samples, retain, &Workspace::size)),
        tokens_(detail::workspace_memory<ArrayOn<std::int32_t, Backend>>(copies_tokens ? samples : 0, retain,
                                                                         &Workspace::tokens)),
        lengths_(detail::workspace_memory<ArrayOn<std::int32_t, Backend>>(shares_memory<Backend> ? 0 : samples, retain,
                                                                          &Workspace::lengths)),
        all_reduce_(taking_all_reduce(samples)),
        border_(taking_border(samples)) {
    MemoryPlan plan = plan_for(samples, retain);
    buffers_->bind(plan, reuse(retain), memory_.data(), samples);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  constexpr ~Workspace() = default;

  /// Scalars of memory for a number of samples.
  static constexpr std::size_t size(std::size_t samples, Retain retain = Retain::needed) {
    return plan_for(samples, retain).size();
  }

  constexpr std::size_t capacity() const { return capacity_; }
  /// Where a caller may put the inputs: backward reads them from here, where reading beyond the end is allowed. A
  /// forward over them clears the steps behind a sample's length, and backward those of output_gradient().
  constexpr Element* input() {
    if constexpr (In::is_tokens)
      return tokens_.data();
    else
      return buffers_->x;
  }
  constexpr Scalar* output() { return buffers_->y; }
  constexpr const Scalar* output() const { return buffers_->y; }
  constexpr Scalar* output_gradient() { return buffers_->dy; }
  /// Of the input, after backward with `wants_input_gradient`.
  constexpr Scalar* input_gradient() { return buffers_->dx; }

  /// Where a program writes inputs, and then send_input(samples), which gives them as the kernels read them.
  constexpr Element* host_input() {
    if constexpr (shares_memory<Backend>)
      return input();
    else
      return border_.x.data();
  }
  constexpr const Element* send_input(std::size_t samples) {
    if constexpr (!shares_memory<Backend>) queue_.to_device(border_.x.data(), samples * In::elements, input());
    return input();
  }
  /// Inputs of the program, and their lengths (null: all steps), as the kernels read them. Throws Error for more
  /// samples than the capacity.
  constexpr const Element* take_input(const Element* host, std::size_t samples) {
    if constexpr (shares_memory<Backend>) {
      return host;
    } else {
      if (samples > capacity_) refuse(samples);
      const std::size_t count = samples * In::elements;
      if constexpr (requires { queue_.send(border_.x.data(), count, input()); }) {
        if (count * sizeof(Element) <= small) {
          if (std::exchange(sent_, true)) queue_.wait();
          std::copy_n(host, count, border_.x.data());
          queue_.send(border_.x.data(), count, input());
          return input();
        }
      }
      queue_.to_device(host, count, input());
      return input();
    }
  }
  constexpr const std::int32_t* take_lengths(const std::int32_t* host, std::size_t samples) {
    if constexpr (shares_memory<Backend>) {
      return host;
    } else {
      if (host == nullptr) return nullptr;
      if (samples > capacity_) refuse(samples);
      queue_.to_device(host, samples, lengths_.data());
      return lengths_.data();
    }
  }
  /// Where lengths of samples may be written in the backend's memory.
  constexpr std::int32_t* lengths()
    requires(!shares_memory<Backend>)
  {
    return lengths_.data();
  }
  /// The outputs of so many samples, where a program reads them; until the next call.
  constexpr const Scalar* host_output(std::size_t samples) {
    if constexpr (shares_memory<Backend>) {
      return output();
    } else {
      queue_.to_host(output(), samples * Out::elements, border_.y.data());
      sent_ = false;
      return border_.y.data();
    }
  }
  constexpr Queue& queue() { return queue_; }
  /// Calls f(), which takes addresses of a model's memory, on the device where the workspace is.
  template <class F>
  constexpr void on_its_device(F&& f) {
    if constexpr (requires { queue_.there(f); })
      queue_.there(f);
    else
      f();
  }

  /// Throws Error where a model's parameters are on another device. To be asked before the model takes its tables to
  /// this one.
  constexpr void expect_here([[maybe_unused]] const Scalar* parameters) const {
    if constexpr (requires { queue_.expect_here(parameters); }) queue_.expect_here(parameters);
  }

  /// As if no step of a stream had been.
  constexpr void reset() noexcept(shares_memory<Backend>)
    requires(C == Capability::stream)
  {
    queue_.clear(memory_.size(), memory_.data());
  }

  /// output() = network(x), x [samples, In...]; zero behind a sample's length, where the output has steps; nothing for
  /// no samples. One phase of it where the pass has an all-reduce, else all. Throws Error for more samples than the
  /// capacity.
  constexpr void forward(const Pass& pass, const Scalar* parameters, const Scalar* packed, const Element* x) {
    forward(pass, Weights<Scalar>(parameters, layout.offset.data()), packed, x);
  }
  /// The same of tensors that lie where the caller says.
  constexpr void forward(const Pass& given, Weights<Scalar> w, const Scalar* packed, const Element* x) {
    if (!works_on(given)) return;
    expect_here(w.base());
    [[maybe_unused]] bool in_blocks = false;
    if constexpr (Wavefront::possible)
      on_its_device([&] { in_blocks = retain_ == Retain::needed && wavefront_.serves(given, capacity_); });
    put(given, w, packed, x, [&] {
      [[maybe_unused]] const Mode mode;
      const auto& pass = on_queue(given);
      if constexpr (C != Capability::stream)
        if (pass.lengths != nullptr && x == input()) PaddedSteps<Kernels>::template clear_input<In>(pass, input());
      in_phases(pass, [&](const Pass& now) {
        if constexpr (Wavefront::possible)
          if (in_blocks) {
            constexpr std::uint32_t value = Kernel::plan.node[Wavefront::parts - 1].writes;
            wavefront_.forward(now, w, packed, x,
                               value == Kernel::plan.output ? buffers_->y : buffers_->saved.value[value]);
            return Kernel::template forward_nodes<C>(now, w, packed, x, buffers_->y, buffers_->saved, buffers_->scratch,
                                                     Wavefront::parts, Kernel::nodes);
          }
        Kernel::template forward<C>(now, w, packed, x, buffers_->y, buffers_->saved, buffers_->scratch);
      });
      clear_padding(pass, buffers_->y);
    });
  }

  /// The same from node `begin` of the network's plan on, where those before it have left their maps in saved().
  constexpr void forward_from(std::size_t begin, const Pass& given, const Scalar* parameters, const Scalar* packed,
                              const Element* x) {
    if (!works_on(given)) return;
    queue_.run([&] {
      [[maybe_unused]] const Mode mode;
      const auto& pass = on_queue(given);
      in_phases(pass, [&](const Pass& now) {
        Kernel::template forward_nodes<C>(now, Weights<Scalar>(parameters, layout.offset.data()), packed, x,
                                          buffers_->y, buffers_->saved, buffers_->scratch, begin, Kernel::nodes);
      });
      clear_padding(pass, buffers_->y);
    });
  }

  /// Adds to `gradients` (null: nobody asks) the gradient for output_gradient(), after forward over input().
  constexpr void backward(const Pass& pass, const Scalar* parameters, const Scalar* packed, Scalar* gradients,
                          bool wants_input_gradient = false)
    requires(keeps_for_backward(C))
  {
    Scalar* dx = nullptr;
    Pass now = pass;
    if constexpr (!In::is_tokens) {
      if (wants_input_gradient) {
        dx = buffers_->dx;
        now.sets_input_gradient = sets_input_gradient_of<Kernel>();
        if (!now.sets_input_gradient && pass.phase == 0) queue_.clear(pass.samples * In::elements, dx);
      }
    }
    backward(now, Weights<Scalar>(parameters, layout.offset.data()), packed,
             Gradients<Scalar>(gradients, layout.offset.data()), dx);
  }
  /// The same of tensors that lie where the caller says; adds to dx too (null: nobody asks).
  constexpr void backward(const Pass& given, Weights<Scalar> w, const Scalar* packed, Gradients<Scalar> g, Scalar* dx)
    requires(keeps_for_backward(C))
  {
    if (!works_on(given)) return;
    queue_.run([&] {
      [[maybe_unused]] const typename Kernels::FloatMode mode;
      const auto& pass = on_queue(given);
      clear_padding(pass, buffers_->dy);
      in_phases(pass, [&](const Pass& now) {
        Kernel::template backward<C>(now, w, packed, static_cast<const Element*>(input()), buffers_->y, buffers_->dy,
                                     dx, g, buffers_->saved, buffers_->scratch);
      });
    });
  }

  constexpr auto& saved() { return buffers_->saved; }
  constexpr Scalar* scratch() { return buffers_->scratch; }
  /// All of it: for who fills it with numbers that no kernel may rely on.
  constexpr std::span<Scalar> memory() { return {memory_.data(), memory_.size()}; }
  /// What of it means nothing between a forward and its backward.
  std::vector<std::span<Scalar>> idle() {
    return detail::idle_memory<Scalar>(plan_for(capacity_, retain_), memory_.data());
  }

 private:
  /// Where a call enters the kernels: they need not know of no samples, nor of more than there is memory for.
  constexpr bool works_on(const Pass& pass) const {
    if constexpr (C == Capability::stream) return true;  // steps of the one sample
    if (pass.samples > capacity_) refuse(pass.samples);
    return pass.samples > 0;
  }
  [[noreturn]] void refuse(std::size_t samples) const {
    throw_error("workspace: expected up to ", capacity_, " samples, found ", samples);
  }
  static constexpr auto taking_all_reduce(std::size_t samples) {
    if constexpr (shares_memory<Backend> || all_reduce == 0)
      return ArrayOn<double, Backend>(all_reduce);
    else
      return detail::taking("workspace", samples, "samples", [] { return ArrayOn<double, Backend>(all_reduce); });
  }
  using Border = detail::Border<Element, Backend>;
  static constexpr Border taking_border(std::size_t samples) {
    if constexpr (shares_memory<Backend>)
      return Border(samples, In::elements, Out::elements);
    else
      return detail::taking("workspace", samples, "samples",
                            [&] { return Border(samples, In::elements, Out::elements); });
  }
  /// Work of a forward to the queue, which may have done the same before.
  template <class F>
  constexpr void put(const Pass& pass, Weights<Scalar> w, const Scalar* packed, const Element* x, F&& work) {
    if constexpr (!keeps_for_backward(C) && Repeated::looks_at_numbers) {
      if (!pass.training && pass.all_reduce == nullptr) {
        const auto number = [](const void* at) { return reinterpret_cast<std::uintptr_t>(at); };
        std::array<std::size_t, 5 + 2 * tables> numbers{pass.samples, number(pass.lengths), number(w.base()),
                                                        number(packed), number(x)};
        for (std::size_t t = 0; t < tables; ++t) {
          numbers[5 + 2 * t] = number(pass.tables[t].rows);
          numbers[6 + 2 * t] = pass.tables[t].count;
        }
        return repeated_.run(queue_, numbers, work);
      }
    }
    queue_.run(work);
  }
  /// Zeros at the padded steps of a map like the output. They are no outputs: neither a loss nor another layer may see
  /// what a layer of single steps makes of padding.
  static constexpr void clear_padding(const Pass& pass, Scalar* map) {
    if constexpr (C != Capability::stream)
      PaddedSteps<Kernels>::template clear_after<typename Placed::Layer, In>(pass, map);
  }
  /// Calls f once, or for every phase with this group as the only one.
  template <class F>
  constexpr void in_phases(const Pass& pass, F&& f) {
    if (phases == 0 || pass.all_reduce != nullptr) {
      f(pass);
    } else if constexpr (phases > 0) {
      AllReduce alone{all_reduce_.data(), all_reduce_.data(), 0};
      Pass now = pass;
      now.all_reduce = &alone;
      for (now.phase = 0; now.phase <= phases; ++now.phase) f(now);
    }
  }

  /// Kernels on the program's own memory need no queue.
  static constexpr const Pass& on_queue(const Pass& pass)
    requires(shares_memory<Backend>)
  {
    return pass;  // NOLINT(bugprone-return-const-ref-from-parameter): a copy would be made of each step of a stream
  }
  constexpr Pass on_queue(Pass pass)
    requires(!shares_memory<Backend>)
  {
    pass.queue = &queue_;
    return pass;
  }

  /// Bytes of inputs that are copied sooner than a device's copy of them has been waited for.
  static constexpr std::size_t small = std::size_t{1} << 18;
  static constexpr bool copies_tokens = In::is_tokens;
  static constexpr std::size_t tables = tables_of<typename Placed::Layer, In>();
  using Repeated = typename detail::RepeatedOn<Queue>::type;
  using Wavefront =
      std::conditional_t<C == Capability::predict, detail::WavefrontForward<Net, Backend>, detail::NoWavefront>;
  struct HostMode {
    constexpr HostMode() = default;
  };
  using Mode = std::conditional_t<keeps_host_mode, HostMode, typename Kernels::FloatMode>;

  struct Buffers {
    Scalar* x = nullptr;
    Scalar* y = nullptr;
    Scalar* dx = nullptr;
    Scalar* dy = nullptr;
    Scalar* scratch = nullptr;
    typename Kernel::template Saved<C> saved{};

    [[gnu::noinline]] constexpr void bind(MemoryPlan& plan, Reuse reuse, Scalar* memory, std::size_t samples) {
      constexpr auto parts = static_cast<Life::Time>(ticks_of<Kernel>());
      Arena<Scalar> arena(plan, reuse, memory);
      y = arena.take(samples * Out::elements, Life::always());
      if constexpr (!In::is_tokens) x = arena.take(samples * In::elements, Life::always());
      if constexpr (keeps_for_backward(C)) {
        dy = arena.take(samples * Out::elements, Life::always());
        if constexpr (!In::is_tokens) dx = arena.take(samples * In::elements, Life::always());
      }
      constexpr bool parts_have_their_own = is_plan_kernel<Kernel> && C != Capability::stream;
      if (!parts_have_their_own || !arena.shares())
        scratch = arena.take(Kernel::scratch(samples, C), Life::in_both(0, parts - 1));
      arena.enter({0, parts});
      saved.bind(arena, samples);
    }
  };
  static constexpr Reuse reuse(Retain retain) {
    return retain == Retain::all ? Reuse::none : keeps_for_backward(C) ? Reuse::in_training : Reuse::in_forward;
  }
  [[gnu::noinline]] static constexpr MemoryPlan plan_for(std::size_t samples, Retain retain) {
    MemoryPlan plan;
    detail::Held<Buffers> buffers;
    buffers->bind(plan, reuse(retain), nullptr, samples);
    plan.place();
    return plan;
  }
  static constexpr std::size_t tokens(std::size_t samples, Retain) { return samples * In::elements; }
  static constexpr std::size_t lengths(std::size_t samples, Retain) { return samples; }

  std::size_t capacity_;
  Retain retain_;
  [[no_unique_address]] Queue queue_;
  [[no_unique_address]] Repeated repeated_;
  [[no_unique_address]] Wavefront wavefront_;
  ArrayOn<Scalar, Backend> memory_;
  ArrayOn<std::int32_t, Backend> tokens_, lengths_;
  ArrayOn<double, Backend> all_reduce_;
  [[no_unique_address]] Border border_;
  detail::Held<Buffers> buffers_;
  bool sent_ = false;  ///< what border_ holds is on its way
};

/// Bytes of one worker's workspace for a number of samples; a constant. Of a network with hundreds of layers ask
/// Workspace::size at run time: its plan takes more steps than a compiler grants.
template <class Net, class Backend, Capability C = Capability::predict, std::size_t Samples = 1>
inline constexpr std::size_t workspace_bytes =
    Workspace<Net, Backend, C>::size(Samples) * sizeof(typename Backend::Scalar);

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
