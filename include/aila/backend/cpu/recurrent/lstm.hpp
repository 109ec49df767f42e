// LSTM on the CPU, attached to the layer.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../layer/lstm.hpp"
#include "lstm_step.hpp"
#include "recurrent_kernel.hpp"

namespace aila::inline v0 {

template <std::size_t Units, class... Options, class In, class Arch, class S>
CpuRecurrent<cpu::LstmCell<S, Arch, In::features, Units>, In> select_kernel(rank::Layer,
                                                                            Placed<Lstm<Units, Options...>, In>,
                                                                            backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
