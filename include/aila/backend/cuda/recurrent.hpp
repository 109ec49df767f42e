// LSTM and GRU on a GPU: the kernel of the whole sequence.
//
// Forward is a launch for all steps, and before it, where the inputs are wide or many, a product for the inputs' part
// of all sums. Backward is a launch for all steps, which leaves the gradients of the sums in global memory; then
// products for the input's gradient and the weights' (or one launch for all of them, where there are few rows: a small
// batch is bound by the number of launches). What backward looks at is kept, not computed again: that would read and
// write as much. See recurrent_forms.hpp for how a step is computed.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <type_traits>

#include "../kernel.hpp"
#include "cuda.hpp"
#include "product.hpp"
#include "recurrent_forms.hpp"
#include "recurrent_gradients.hpp"
#include "recurrent_pair.hpp"
#include "recurrent_rows.hpp"
#include "recurrent_tensor.hpp"
#include "recurrent_wide.hpp"
#include "relay.hpp"

namespace aila::inline v0 {

namespace cuda::recurrent {

/// Times 16 inputs that a step of Rows samples multiplies itself; 0: a product has done it before. As long as the
/// weights fit the registers: up to 16 inputs, and up to 64 in so few steps that a launch would take longer.
template <class Cell, std::size_t Units, std::size_t Inputs, std::size_t Rows>
consteval std::size_t input_chunks(bool few_steps) {
  constexpr std::size_t chunks = divide_up(Inputs, 16);
  if constexpr (Rows > most_rows(Units) || chunks > 4)
    return 0;
  else
    return ForwardForm<Cell, Units, Rows, chunks>::all_in_registers && (chunks == 1 || few_steps) ? chunks : 0;
}

/// Which forms a layer takes.
template <class Cell, std::size_t Units, std::size_t Steps, std::size_t Inputs>
struct RecurrentPlan {
  static constexpr std::size_t most = most_rows(Units);  ///< samples of a block
  static constexpr bool in_block = most > 0;             ///< the weights fit it
  static constexpr bool on_tensor_cores =
      Cell::gates == 4 && TensorForm<Units>::possible && most == TensorForm<Units>::rows;
  template <std::size_t Rows>
  static constexpr bool is_tensor_form = on_tensor_cores && Rows == TensorForm<Units>::rows;
  template <std::size_t Rows>
  static constexpr std::size_t chunks =
      is_tensor_form<Rows> ? 0 : input_chunks<Cell, Units, Inputs, Rows>(Rows <= 2 && Steps * Rows <= 48);
  template <std::size_t Rows, std::size_t Chunks = chunks<Rows>>
  static constexpr bool is_pair_form = Cell::gates == 4 && Rows == 1 && Chunks == 0 && PairForm<Units>::possible;
  static constexpr std::size_t input_vector = Inputs % 4 == 0 ? 4 : 1;  ///< inputs that are copied at once
  static constexpr std::size_t stream_chunks = input_chunks<Cell, Units, Inputs, 1>(true);
  static constexpr std::size_t block_chunks = input_chunks<Cell, Units, Inputs, 1>(false);  ///< of a relay's block

  /// Whether for so many samples, or for fewer, a product comes first.
  static constexpr bool multiplies_before(std::size_t samples) {
    if (!in_block) return true;
    const std::size_t rows = rows_for(samples, Units);
    return (rows >= 1 && chunks<1> == 0) || (rows >= 2 && chunks<2> == 0) || (rows >= 4 && chunks<4> == 0) ||
           (rows >= 8 && chunks<8> == 0);
  }
  static constexpr std::size_t sums_scratch(std::size_t rows) {
    return round_up(rows * Cell::gates * Units, alignment_elements);
  }
  static constexpr std::size_t bias_scratch(std::size_t samples) {
    return in_block ? round_up(most_blocks(samples, Units) * 4 * Units, alignment_elements) : 0;
  }

  /// f(constant) for the samples of a block.
  template <class F>
  static void with_rows(std::size_t samples, F&& f) {
    const std::size_t rows = rows_for(samples, Units);
    if (rows == 1) return f(std::integral_constant<std::size_t, 1>{});
    if constexpr (most >= 2)
      if (rows == 2) return f(std::integral_constant<std::size_t, 2>{});
    if constexpr (most >= 4)
      if (rows == 4) return f(std::integral_constant<std::size_t, 4>{});
    if constexpr (most >= 8)
      if (rows == 8) return f(std::integral_constant<std::size_t, 8>{});
  }
};

}  // namespace cuda::recurrent

template <class Cell, std::size_t Units, class In>
struct CudaRecurrent : KernelDefaults<float> {
  static constexpr const char* name = Cell::name;
  static constexpr bool takes_blocks = true;
  static constexpr bool sets_input_gradient = true;
  static constexpr BackwardNeeds backward_needs{.output = false};
  /// Whether a stream's kernel serves a Relay.
  static constexpr bool relays = cuda::recurrent::most_rows(Units) > 0;
  static constexpr std::size_t steps = In::positions, inputs = In::features, gates = Cell::gates;
  using Plan = cuda::recurrent::RecurrentPlan<Cell, Units, steps, inputs>;
  /// Whether the gradients of W_ih and W_hh are one launch: both maps are as wide, and some step has a state before it.
  static constexpr bool both_at_once = gates == 4 && inputs == Units && steps > 1;

  /// The gates of each step, in their place later the gradients of their sums; the cells; the states before each step.
  /// Of a stream h, and the cell, of as many samples as a relay may have.
  template <Capability C>
  struct Saved {
    float* gate = nullptr;
    float* cell = nullptr;
    float* before = nullptr;
    float* carried = nullptr;
    constexpr void bind(Arena<float>& arena, std::size_t samples) {
      const std::size_t rows = samples * steps;
      if constexpr (keeps_for_backward(C)) gate = arena.take(rows * 4 * Units);
      if constexpr (keeps_for_backward(C) && Cell::keeps_cells) cell = arena.take(rows * Units);
      if constexpr (C == Capability::train || (keeps_for_backward(C) && !Cell::keeps_cells))
        before = arena.take(rows * Units);
      if constexpr (C == Capability::stream) carried = arena.take(samples * (Cell::keeps_cells ? 2 : 1) * Units);
    }
  };
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    const std::size_t rows = samples * steps;
    const bool multiplies =
        c == Capability::stream ? Plan::stream_chunks == 0 || samples > 1 : Plan::multiplies_before(samples);
    const std::size_t forward = multiplies ? cuda::product_scratch(rows, gates * Units, inputs) : 0;
    if (!keeps_for_backward(c)) return multiplies ? Plan::sums_scratch(rows) + forward : 0;
    std::size_t backward = input_gradient_scratch(rows);
    if (c == Capability::train) {
      std::size_t of_weights =
          both_at_once
              ? cuda::product_scratch(gates * Units, inputs, rows, 2)
              : std::max({cuda::product_scratch(gates * Units, inputs, rows),
                          cuda::product_scratch(gates * Units, Units, rows),
                          cuda::product_scratch(2 * Units, Units, rows), cuda::product_scratch(Units, Units, rows)});
      if (Plan::in_block)
        backward += Plan::bias_scratch(samples);
      else
        of_weights = std::max(of_weights, cuda::column_sum_scratch(rows, gates * Units));
      backward += of_weights;
    }
    return std::max(forward, backward);
  }
  static constexpr std::size_t input_gradient_scratch(std::size_t rows) {
    return round_up(cuda::product_scratch(rows, inputs, gates * Units), alignment_elements);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      Saved<C>& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, Saved<C>& saved, float* scratch);

 private:
  /// Of all but the bias of a form whose steps sum it.
  static void add_weight_gradients(const Pass& pass, const float* x, const float* d, const float* states_before,
                                   Gradients<float> g, float* scratch);
};

#ifdef __CUDACC__

template <class Cell, std::size_t Units, class In>
template <Capability C>
[[gnu::used]] void CudaRecurrent<Cell, Units, In>::forward(const Pass& pass, Weights<float> w, const float*,
                                                           const float* x, float* y, Saved<C>& saved, float* scratch) {
  namespace recurrent = cuda::recurrent;
  constexpr bool streams = C == Capability::stream, keeps = keeps_for_backward(C);
  if (pass.samples == 0) return;
  recurrent::ForwardArguments a{.samples = streams ? 1 : pass.samples,
                                .steps = streams ? pass.samples * steps : steps,
                                .inputs = inputs,
                                .lengths = pass.lengths,
                                .x = x,
                                .weight_ih = w[0],
                                .weight_hh = w[1],
                                .bias = w[2],
                                .y = y,
                                .gates = saved.gate,
                                .cells = saved.cell,
                                .before = saved.before,
                                .state_from = saved.carried,
                                .state_to = saved.carried};
  if constexpr (gates == 3) a.state_bias = w[3];
  const auto multiply_inputs = [&] {
    const std::size_t rows = pass.samples * steps;
    float* const sums = keeps ? saved.gate : scratch;
    a.sums = sums;
    a.sums_row = static_cast<unsigned>((keeps ? 4 : gates) * Units);
    cuda::product(pass, rows, gates * Units, inputs, {x, inputs, 1}, {w[0], 1, inputs}, {sums, a.sums_row, w[2]},
                  keeps ? scratch : scratch + Plan::sums_scratch(rows));
  };
  const auto launch = [&](auto kernel, std::size_t rows, std::size_t threads, std::size_t bytes) {
    cuda::launch(pass, kernel, static_cast<unsigned>(cuda::divide_up(a.samples, rows)), static_cast<unsigned>(threads),
                 bytes, a);
  };
  if constexpr (!Plan::in_block) {
    using Form = recurrent::WideForm<Cell, Units>;
    multiply_inputs();
    launch(&recurrent::forward_wide<Cell, Units, keeps, streams>, Form::rows, Form::threads, Form::forward_bytes);
  } else if constexpr (streams) {
    const auto start = [&](auto chunks) {
      constexpr std::size_t count = decltype(chunks)::value, vector = count == 0 ? 1 : Plan::input_vector;
      using Form = recurrent::ForwardForm<Cell, Units, 1, count>;
      launch(&recurrent::forward_rows<Cell, Units, 1, count, vector, false, true>, 1, Form::threads, Form::bytes);
    };
    cuda::Relay* const relay = cuda::relay_of(pass);
    if (relay == nullptr) {
      if constexpr (Plan::stream_chunks == 0) multiply_inputs();
      return start(std::integral_constant<std::size_t, Plan::stream_chunks>{});
    }
    const cuda::Queue& queue = *static_cast<const cuda::Queue*>(pass.queue);
    a.samples = relay->samples;
    a.steps = pass.samples / relay->samples;
    constexpr std::size_t chunks = Plan::block_chunks;
    if constexpr (chunks == 0) multiply_inputs();
    a.state_from = relay->take_over(queue, saved.carried);
    if constexpr (Plan::template is_pair_form<1, chunks>) {
      using Form = recurrent::PairForm<Units>;
      a.lengths = relay->lengths;
      launch(&recurrent::forward_pair<Cell, Units, false>, 1, Form::threads, Form::bytes);
    } else {
      start(std::integral_constant<std::size_t, chunks>{});
    }
    relay->hand_on(queue);
  } else {
    Plan::with_rows(pass.samples, [&](auto rows) {
      constexpr std::size_t count = decltype(rows)::value, chunks = Plan::template chunks<count>;
      if constexpr (chunks == 0) multiply_inputs();
      if constexpr (Plan::template is_tensor_form<count>) {
        using Form = recurrent::TensorForm<Units>;
        launch(&recurrent::forward_tensor<Cell, Units, keeps>, count, Form::threads, Form::forward_bytes);
      } else if constexpr (Plan::template is_pair_form<count>) {
        using Form = recurrent::PairForm<Units>;
        launch(&recurrent::forward_pair<Cell, Units, keeps>, count, Form::threads, Form::bytes);
      } else {
        using Form = recurrent::ForwardForm<Cell, Units, count, chunks>;
        constexpr std::size_t vector = chunks == 0 ? 1 : Plan::input_vector;
        launch(&recurrent::forward_rows<Cell, Units, count, chunks, vector, keeps, false>, count, Form::threads,
               Form::bytes);
      }
    });
  }
}

template <class Cell, std::size_t Units, class In>
template <Capability C>
[[gnu::used]] void CudaRecurrent<Cell, Units, In>::backward(const Pass& pass, Weights<float> w, const float*,
                                                            const float* x, const float*, const float* dy, float* dx,
                                                            Gradients<float> g, Saved<C>& saved, float* scratch) {
  namespace recurrent = cuda::recurrent;
  const bool wants_weights = C == Capability::train && static_cast<bool>(g);
  if (pass.samples == 0 || (dx == nullptr && !wants_weights)) return;
  const std::size_t rows = pass.samples * steps;
  const recurrent::BackwardArguments a{.samples = pass.samples,
                                       .steps = steps,
                                       .lengths = pass.lengths,
                                       .weight_hh = w[1],
                                       .gates = saved.gate,
                                       .states = Cell::keeps_cells ? saved.cell : saved.before,
                                       .dy = dy,
                                       .bias_sums = wants_weights && Plan::in_block ? scratch : nullptr};
  std::size_t blocks = 0;
  const auto launch = [&](auto kernel, std::size_t of_block, std::size_t threads, std::size_t bytes) {
    blocks = cuda::divide_up(pass.samples, of_block);
    cuda::launch(pass, kernel, static_cast<unsigned>(blocks), static_cast<unsigned>(threads), bytes, a);
  };
  if constexpr (!Plan::in_block) {
    using Form = recurrent::WideForm<Cell, Units>;
    launch(&recurrent::backward_wide<Cell, Units>, Form::rows, Form::threads, Form::backward_bytes);
  } else {
    Plan::with_rows(pass.samples, [&](auto constant) {
      constexpr std::size_t count = decltype(constant)::value;
      if constexpr (Plan::template is_tensor_form<count>) {
        using Form = recurrent::TensorForm<Units>;
        launch(&recurrent::backward_tensor<Cell, Units>, count, Form::threads, Form::backward_bytes);
      } else {
        using Form = recurrent::BackwardForm<Cell, Units, count>;
        launch(&recurrent::backward_rows<Cell, Units, count>, count, Form::threads, Form::bytes);
      }
    });
  }

  const float* const d = saved.gate;
  if constexpr (Plan::in_block) {
    recurrent::GradientArguments of{.rows = rows,
                                    .inputs = inputs,
                                    .units = Units,
                                    .steps = steps,
                                    .lengths = pass.lengths,
                                    .blocks = blocks,
                                    .d_sums = d,
                                    .bias_sums = a.bias_sums,
                                    .x = x,
                                    .before = saved.before,
                                    .weight_ih = w[0],
                                    .dx = dx,
                                    .sets_dx = pass.sets_input_gradient};
    if (wants_weights) {
      of.d_weight_ih = g[0];
      of.d_weight_hh = g[1];
      of.d_bias = g[2];
      if constexpr (gates == 3) of.d_state_bias = g[3];
    }
    if (rows <= recurrent::few_rows) {
      const auto start = [&](const Pass& on, bool of_weights, float* to_dx) {
        recurrent::GradientArguments part = of;
        part.dx = to_dx;
        if (!of_weights) part.d_weight_ih = part.d_weight_hh = part.d_bias = part.d_state_bias = nullptr;
        const recurrent::FewPlan<Cell> plan(rows, inputs, Units, of_weights, to_dx != nullptr);
        cuda::launch(on, &recurrent::gradients_of_few<Cell>, static_cast<unsigned>(plan.blocks()), 256, 0, part);
      };
      if (!wants_weights || dx == nullptr || !cuda::has_side(pass)) {
        const auto both = [&](const Pass& on) { start(on, wants_weights, dx); };
        return dx == nullptr ? cuda::beside(pass, both) : both(pass);
      }
      cuda::beside(pass, [&](const Pass& on) { start(on, true, nullptr); });
      return start(pass, false, dx);
    }
    if (wants_weights)
      cuda::beside(pass, [&](const Pass& on) {
        cuda::launch(on, &recurrent::bias_gradients<Cell>,
                     static_cast<unsigned>(cuda::divide_up(4 * Units, recurrent::tile_width)), 256, 0, of);
      });
    scratch += Plan::bias_scratch(pass.samples);
  }
  if (wants_weights)
    cuda::beside(pass, [&](const Pass& on) {
      add_weight_gradients(on, x, d, saved.before, g, scratch + input_gradient_scratch(rows));
    });
  if (dx != nullptr)
    cuda::product(pass, rows, inputs, gates * Units, {d, 4 * Units, 1}, {w[0], inputs, 1},
                  {dx, inputs, nullptr, !pass.sets_input_gradient}, scratch);
}

template <class Cell, std::size_t Units, class In>
[[gnu::used]] void CudaRecurrent<Cell, Units, In>::add_weight_gradients(const Pass& pass, const float* x,
                                                                        const float* d, const float* states_before,
                                                                        Gradients<float> g, float* scratch) {
  const std::size_t rows = pass.samples * steps;
  cuda::recurrent::add_gradients_with_sums(pass, rows, steps, inputs, gates * Units, x,
                                           both_at_once ? states_before : nullptr, d, 4 * Units, g[0], g[1], scratch);
  const cuda::Matrix before{states_before, Units, 1};
  /// What `count` sums from number `place` on give with the states before, to rows of W_hh.
  const auto add_state_weight_gradient = [&](std::size_t place, std::size_t count, float* to) {
    const cuda::Matrix of_sums{d + place * Units, 1, before.row * 4};
    const cuda::Target target{to, before.row, nullptr, true};
    cuda::product(pass, count * Units, Units, rows, of_sums, before, target, scratch);
  };
  if constexpr (steps > 1 && !both_at_once) {  // before the first step there is none
    if constexpr (gates == 4) {
      add_state_weight_gradient(0, 4, g[1]);
    } else {
      add_state_weight_gradient(0, 2, g[1]);
      add_state_weight_gradient(3, 1, g[1] + 2 * Units * Units);
    }
  }
  if constexpr (!Plan::in_block) {
    cuda::column_sum(pass, rows, gates * Units, d, 4 * Units, g[2], scratch);
    if constexpr (gates == 3) {
      cuda::column_sum(pass, rows, 2 * Units, d, 4 * Units, g[3], scratch);
      cuda::column_sum(pass, rows, Units, d + 3 * Units, 4 * Units, g[3] + 2 * Units, scratch);
    }
  }
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
