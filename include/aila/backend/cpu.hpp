// backend::Cpu: xsimd kernels, for any architecture that xsimd knows.
#pragma once

#include "cpu/attention/attend.hpp"
#include "cpu/attention/attention_pooling.hpp"
#include "cpu/attention/self_attention.hpp"
#include "cpu/conv/conv_kernel.hpp"
#include "cpu/dense/linear.hpp"
#include "cpu/dense/patch_embedding.hpp"
#include "cpu/mixture/integrate_attention.hpp"
#include "cpu/mixture/integrate_linear.hpp"
#include "cpu/mixture/integrate_residual.hpp"
#include "cpu/mixture/integrate_scored.hpp"
#include "cpu/mixture/integrate_static.hpp"
#include "cpu/mixture/integrate_value_residual.hpp"
#include "cpu/recurrent/gru.hpp"
#include "cpu/recurrent/lstm.hpp"
#include "cpu/rows/norm.hpp"
#include "cpu/simd/cpu.hpp"
#include "host/kernels.hpp"
#include "plan/composites.hpp"

#if defined(AILA_COMPILED_FLOAT_KERNELS) || defined(AILA_COMPILED_DOUBLE_KERNELS)
#include "cpu/compiled_kernels.hpp"
#endif
