// backend::Cpu: xsimd kernels, for any architecture that xsimd knows.
#pragma once

#include "cpu/attention_pooling.hpp"
#include "cpu/conv_kernel.hpp"
#include "cpu/cpu.hpp"
#include "cpu/gru.hpp"
#include "cpu/integrate_attention.hpp"
#include "cpu/integrate_linear.hpp"
#include "cpu/integrate_residual.hpp"
#include "cpu/linear.hpp"
#include "cpu/lstm.hpp"
#include "cpu/norm.hpp"
#include "cpu/patch_embedding.hpp"
#include "cpu/self_attention.hpp"
#include "host/kernels.hpp"

#if defined(AILA_COMPILED_FLOAT_KERNELS) || defined(AILA_COMPILED_DOUBLE_KERNELS)
#include "cpu/compiled_kernels.hpp"
#endif
