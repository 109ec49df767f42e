// Convolutions of single features on a GPU: no products of matrices, bound by memory.
//
// A thread has four outputs of a row and, where widths allow it, four features: neighbouring threads read neighbouring
// features. Weights lie in shared memory by taps. What neighbouring outputs read again is in the first-level cache. dx
// is the same over dy, by the phases of the stride. dW: a block sums some positions for a few taps, a second kernel
// the blocks.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "conv_windows.hpp"

namespace aila::inline v0::cuda::detail {

/// Taps along a row of the kernel that a thread of dW has.
constexpr std::size_t depthwise_taps_at_once(const ConvPlan& c) {
  return c.x.kernel == 3 || c.x.kernel == 5 ? c.x.kernel : 1;
}
/// Parts that the positions of a batch are summed in.
constexpr std::size_t depthwise_chunks(const ConvPlan& c, std::size_t samples) {
  const std::size_t others = c.taps() / depthwise_taps_at_once(c) * divide_up(c.inputs, 128);
  return std::clamp<std::size_t>(divide_up(samples * c.out_positions(), 128), 1,
                                 std::max<std::size_t>(multiprocessors * 8 / others, 1));
}
constexpr std::size_t depthwise_gradient_scratch(const ConvPlan& c, std::size_t samples) {
  return depthwise_chunks(c, samples) * (round_up(c.taps() * c.inputs, 4) + c.inputs);
}

/// Threads of a block side by side over vectors of features, a power of two.
constexpr unsigned depthwise_lanes(std::size_t vectors, std::size_t most = 32) {
  unsigned lanes = 1;
  while (lanes < vectors && 2 * lanes <= most) lanes *= 2;
  return lanes;
}

#ifdef __CUDACC__

template <unsigned vector>
__device__ inline void load_vector(const float* from, float (&v)[vector]) {
  if constexpr (vector == 4) {
    const float4 q = *reinterpret_cast<const float4*>(from);
    v[0] = q.x;
    v[1] = q.y;
    v[2] = q.z;
    v[3] = q.w;
  } else {
    v[0] = *from;
  }
}
template <unsigned vector>
__device__ inline void store_vector(float* to, const float (&v)[vector], bool adds) {
  if constexpr (vector == 4) {
    float4* const q = reinterpret_cast<float4*>(to);
    const float4 old = adds ? *q : float4{0, 0, 0, 0};
    *q = {old.x + v[0], old.y + v[1], old.z + v[2], old.w + v[3]};
  } else {
    *to = adds ? *to + v[0] : v[0];
  }
}

struct DepthwiseWork {
  ConvWindows windows;
  const float* weights = nullptr;  ///< [features, taps], as the layer has them
  const float* bias = nullptr;
  float* to = nullptr;
  Divisor taps;
  int tap_columns = 1;
  unsigned lanes = 1;
  bool in_shared = true;  ///< weights, by taps
  bool adds = false;
};

inline constexpr unsigned depthwise_threads = 256, depthwise_strip = 4;

/// Blocks: x goes through strips of outputs, y through features, z through phases.
template <unsigned vector>
__global__ void __launch_bounds__(depthwise_threads) depthwise_kernel(const __grid_constant__ DepthwiseWork work) {
  const ConvWindows& w = work.windows;
  const ConvPhase& phase = w.phases[blockIdx.z];
  const unsigned width = work.lanes * vector, first = blockIdx.y * width;
  const auto channels = static_cast<unsigned>(w.map.channels);
  float* const weights = dynamic_shared();
  if (work.in_shared) {
    for (unsigned e = threadIdx.x; e < width * work.taps.by; e += depthwise_threads) {
      const unsigned feature = work.taps.divide(e), tap = e - feature * work.taps.by;
      if (first + feature < channels)
        weights[tap * width + feature] = work.weights[static_cast<std::size_t>(first) * work.taps.by + e];
    }
    __syncthreads();
  }
  const unsigned lane = threadIdx.x % work.lanes, slice = threadIdx.x / work.lanes;
  const unsigned slices = depthwise_threads / work.lanes, feature = first + lane * vector;
  if (feature >= channels) return;
  const unsigned strips = (phase.columns.by + depthwise_strip - 1) / depthwise_strip;
  const unsigned all = phase.rows / phase.columns.by * strips;
  const auto rows = static_cast<unsigned>(phase.y.count);

  float bias[vector] = {};
  if (work.bias != nullptr)
#pragma unroll
    for (unsigned c = 0; c < vector; ++c) bias[c] = work.bias[feature + c];

  for (unsigned s = blockIdx.x * slices + slice; s < all; s += gridDim.x * slices) {
    const unsigned line = s / strips, sample = line / rows;
    const int i = static_cast<int>(line - sample * rows), j = static_cast<int>((s - line * strips) * depthwise_strip);
    int steps = w.map.width, count = w.to_width;  // of the map that is read, and of that which is made
    if (w.lengths != nullptr) {
      const int length = w.axis.clamp(w.lengths[sample]), out = w.axis.out(length);
      steps = w.is_backward ? out : length;
      count = w.is_backward ? length : out;
    }
    float sums[depthwise_strip][vector];
#pragma unroll
    for (unsigned o = 0; o < depthwise_strip; ++o)
#pragma unroll
      for (unsigned c = 0; c < vector; ++c) sums[o][c] = bias[c];
    const int y = phase.y.first + i * phase.y.step, x = phase.x.first + j * phase.x.step;
    for (int a = 0; a < phase.y.taps; ++a) {
      const int in_y = y + a * phase.y.tap_step;
      if (static_cast<unsigned>(in_y) >= static_cast<unsigned>(w.map.height)) continue;
      const float* const from =
          w.map.at +
          (static_cast<std::size_t>(sample) * static_cast<unsigned>(w.map.height) + static_cast<unsigned>(in_y)) *
              static_cast<unsigned>(w.map.width) * w.map.channels +
          feature;
      const int kernel_row = (phase.y.kernel_first + a * phase.y.kernel_step) * work.tap_columns;
      for (int b = 0; b < phase.x.taps; ++b) {
        const auto tap = static_cast<unsigned>(kernel_row + phase.x.kernel_first + b * phase.x.kernel_step);
        float weight[vector];
        if (work.in_shared) {
          load_vector(weights + tap * width + lane * vector, weight);
        } else {
#pragma unroll
          for (unsigned c = 0; c < vector; ++c)
            weight[c] = work.weights[static_cast<std::size_t>(feature + c) * work.taps.by + tap];
        }
        const int in_x = x + b * phase.x.tap_step;
#pragma unroll
        for (unsigned o = 0; o < depthwise_strip; ++o) {
          const int at = in_x + static_cast<int>(o) * phase.x.step;
          if (static_cast<unsigned>(at) >= static_cast<unsigned>(steps)) continue;
          float v[vector];
          load_vector(from + static_cast<std::size_t>(at) * w.map.channels, v);
#pragma unroll
          for (unsigned c = 0; c < vector; ++c) sums[o][c] = fmaf(weight[c], v[c], sums[o][c]);
        }
      }
    }
    const int to_y = phase.y.to + i * phase.y.to_step;
    float* const to =
        work.to +
        (static_cast<std::size_t>(sample) * static_cast<unsigned>(w.to_height) + static_cast<unsigned>(to_y)) *
            static_cast<unsigned>(w.to_width) * w.to_channels +
        feature;
#pragma unroll
    for (unsigned o = 0; o < depthwise_strip; ++o) {
      const int column = j + static_cast<int>(o), to_x = phase.x.to + column * phase.x.to_step;
      if (column >= phase.x.count || (to_x >= count && work.adds)) continue;
      if (to_x >= count)
#pragma unroll
        for (unsigned c = 0; c < vector; ++c) sums[o][c] = 0;
      store_vector(to + static_cast<std::size_t>(to_x) * w.to_channels, sums[o], work.adds);
    }
  }
}

template <class = void>
void start_depthwise(const Pass& pass, const ConvPlan& c, const ConvWindows& windows, const float* weights,
                     const float* bias, float* to, bool adds) {
  constexpr std::size_t most_shared = 200 * 1024;
  DepthwiseWork work;
  work.windows = windows;
  work.weights = weights;
  work.bias = bias;
  work.to = to;
  work.taps = Divisor(c.taps());
  work.tap_columns = static_cast<int>(c.x.kernel);
  work.adds = adds;
  const bool wide = windows.map.wide && c.inputs % 4 == 0 && is_aligned(to);
  const std::size_t vector = wide ? 4 : 1, vectors = c.inputs / vector, bytes = c.taps() * vector * sizeof(float);
  work.lanes = depthwise_lanes(vectors, std::clamp<std::size_t>(48 * 1024 / bytes, 1, 32));
  work.in_shared = work.lanes * bytes <= most_shared;
  std::size_t strips = 0;
  for (unsigned i = 0; i < windows.phase_count; ++i) {
    const ConvPhase& phase = windows.phases[i];
    strips =
        std::max<std::size_t>(strips, phase.rows / phase.columns.by * divide_up(phase.columns.by, depthwise_strip));
  }
  const std::size_t slices = depthwise_threads / work.lanes;
  const dim3 blocks(blocks_for(strips, slices, multiprocessors * 8),
                    static_cast<unsigned>(divide_up(vectors, work.lanes)), windows.phase_count);
  const std::size_t shared = work.in_shared ? work.lanes * bytes : 0;
  if (wide)
    launch(pass, &depthwise_kernel<4>, blocks, depthwise_threads, shared, work);
  else
    launch(pass, &depthwise_kernel<1>, blocks, depthwise_threads, shared, work);
}
template <class = void>
void depthwise_forward(const Pass& pass, const ConvPlan& c, bool is_sequence, const float* weights, const float* bias,
                       const float* x, float* y) {
  for_each_part(c, pass.samples, is_sequence ? pass.lengths : nullptr,
                [&](std::size_t first, std::size_t samples, const std::int32_t* lengths) {
                  ConvWindows windows =
                      forward_windows(c, is_sequence, samples, lengths, x + first * c.in_positions() * c.inputs);
                  windows.map.wide = is_aligned(windows.map.at) && c.inputs % 4 == 0;
                  start_depthwise(pass, c, windows, weights, bias, y + first * c.out_positions() * c.outputs, false);
                });
}
template <class = void>
void depthwise_input_gradient(const Pass& pass, const ConvPlan& c, bool is_sequence, const float* weights,
                              const float* dy, float* dx) {
  for_each_part(c, pass.samples, is_sequence ? pass.lengths : nullptr,
                [&](std::size_t first, std::size_t samples, const std::int32_t* lengths) {
                  for_backward_windows(c, is_sequence, samples, lengths, dy + first * c.out_positions() * c.outputs,
                                       [&](const ConvWindows& all) {
                                         ConvWindows windows = all;
                                         windows.map.wide = is_aligned(windows.map.at) && c.inputs % 4 == 0;
                                         start_depthwise(pass, c, windows, weights, nullptr,
                                                         dx + first * c.in_positions() * c.inputs,
                                                         !pass.sets_input_gradient);
                                       });
                });
}

struct DepthwiseGradient {
  const float* x = nullptr;
  const float* dy = nullptr;
  float* parts = nullptr;  ///< [chunks, taps, features rounded up to four]
  float* sums = nullptr;   ///< [chunks, features], of dy; may be null
  std::size_t part = 0;
  unsigned channels = 1, lanes = 1, positions = 0, positions_each = 0;
  Divisor in_sample, columns;
  int height = 1, width = 1, tap_columns = 1;
  int stride_y = 1, stride_x = 1, padding_y = 0, padding_x = 0, dilation_y = 1, dilation_x = 1;
  const std::int32_t* lengths = nullptr;
  StepAxis axis;
};

/// Blocks: x goes through chunks of positions, y through features, z through taps, `taps` of a row at once.
template <unsigned vector, unsigned taps>
__global__ void __launch_bounds__(depthwise_threads)
    depthwise_gradient_kernel(const __grid_constant__ DepthwiseGradient d) {
  __shared__ float4 shared_vectors[depthwise_threads * vector / 4];
  float* const shared = reinterpret_cast<float*>(shared_vectors);
  const unsigned lane = threadIdx.x % d.lanes, slice = threadIdx.x / d.lanes, slices = depthwise_threads / d.lanes;
  const unsigned feature = (blockIdx.y * d.lanes + lane) * vector, tap = blockIdx.z * taps;
  const bool is_there = feature < d.channels, sums_up = d.sums != nullptr && tap == 0;
  const auto columns = static_cast<unsigned>(d.tap_columns);
  const int tap_y = static_cast<int>(tap / columns) * d.dilation_y - d.padding_y;
  const int tap_x = static_cast<int>(tap % columns) * d.dilation_x - d.padding_x;
  float sums[taps + 1][vector] = {};  // the last of dy
  if (is_there) {
    const unsigned begin = blockIdx.x * d.positions_each, end = min(d.positions, begin + d.positions_each);
    for (unsigned p = begin + slice; p < end; p += slices) {
      const unsigned sample = d.in_sample.divide(p), position = p - sample * d.in_sample.by;
      const auto i = static_cast<int>(d.columns.divide(position));
      const auto j = static_cast<int>(position) - i * static_cast<int>(d.columns.by);
      int steps = d.width;
      if (d.lengths != nullptr) {
        steps = d.axis.clamp(d.lengths[sample]);
        if (j >= d.axis.out(steps)) continue;
      }
      const int y = i * d.stride_y + tap_y, x = j * d.stride_x + tap_x;
      const bool in_rows = static_cast<unsigned>(y) < static_cast<unsigned>(d.height);
      if (!in_rows && !sums_up) continue;
      float gradient[vector];
      load_vector(d.dy + static_cast<std::size_t>(p) * d.channels + feature, gradient);
      if (sums_up)
#pragma unroll
        for (unsigned c = 0; c < vector; ++c) sums[taps][c] += gradient[c];
      if (!in_rows) continue;
      const float* const from =
          d.x +
          (static_cast<std::size_t>(sample) * static_cast<unsigned>(d.height) + static_cast<unsigned>(y)) *
              static_cast<unsigned>(d.width) * d.channels +
          feature;
#pragma unroll
      for (unsigned t = 0; t < taps; ++t) {
        const int at = x + static_cast<int>(t) * d.dilation_x;
        if (static_cast<unsigned>(at) >= static_cast<unsigned>(steps)) continue;
        float v[vector];
        load_vector(from + static_cast<std::size_t>(at) * d.channels, v);
#pragma unroll
        for (unsigned c = 0; c < vector; ++c) sums[t][c] = fmaf(gradient[c], v[c], sums[t][c]);
      }
    }
  }
  float* const mine = shared + threadIdx.x * vector;
#pragma unroll
  for (unsigned t = 0; t <= taps; ++t) {
    if (t == taps && !sums_up) break;
    __syncthreads();  // what was there is read
#pragma unroll
    for (unsigned c = 0; c < vector; ++c) mine[c] = sums[t][c];
    for (unsigned half = slices / 2; half > 0; half /= 2) {
      __syncthreads();
      if (slice < half)
#pragma unroll
        for (unsigned c = 0; c < vector; ++c) mine[c] += mine[half * d.lanes * vector + c];
    }
    if (slice != 0 || !is_there) continue;
    float* const to = t == taps ? d.sums + static_cast<std::size_t>(blockIdx.x) * d.channels
                                : d.parts + blockIdx.x * d.part + static_cast<std::size_t>(tap + t) * d.channels;
#pragma unroll
    for (unsigned c = 0; c < vector; ++c) to[feature + c] = mine[c];
  }
}

/// dW += dy x, and db += the sum of dy, where it is not null.
template <class = void>
void depthwise_weight_gradient(const Pass& pass, const ConvPlan& c, bool is_sequence, const float* x, const float* dy,
                               float* dw, float* db, float* scratch) {
  const std::size_t at_once = depthwise_taps_at_once(c);
  for_each_part(c, pass.samples, is_sequence ? pass.lengths : nullptr,
                [&](std::size_t first, std::size_t samples, const std::int32_t* lengths) {
                  const std::size_t positions = samples * c.out_positions(), chunks = depthwise_chunks(c, samples);
                  DepthwiseGradient d;
                  d.x = x + first * c.in_positions() * c.inputs;
                  d.dy = dy + first * c.out_positions() * c.outputs;
                  d.parts = scratch;
                  d.part = round_up(c.taps() * c.inputs, 4);
                  if (db != nullptr) d.sums = scratch + chunks * d.part;
                  d.channels = static_cast<unsigned>(c.inputs);
                  d.positions = static_cast<unsigned>(positions);
                  d.positions_each = static_cast<unsigned>(divide_up(positions, chunks));
                  d.in_sample = Divisor(c.out_positions());
                  d.columns = Divisor(c.x.out());
                  d.height = static_cast<int>(c.y.in);
                  d.width = static_cast<int>(c.x.in);
                  d.tap_columns = static_cast<int>(c.x.kernel);
                  d.stride_y = static_cast<int>(c.y.stride);
                  d.stride_x = static_cast<int>(c.x.stride);
                  d.padding_y = static_cast<int>(c.y.padding);
                  d.padding_x = static_cast<int>(c.x.padding);
                  d.dilation_y = static_cast<int>(c.y.dilation);
                  d.dilation_x = static_cast<int>(c.x.dilation);
                  d.lengths = lengths;
                  d.axis = step_axis(c.x);
                  const bool wide = c.inputs % 4 == 0 && is_aligned(d.x) && is_aligned(d.dy);
                  const std::size_t vectors = wide ? c.inputs / 4 : c.inputs;
                  d.lanes = depthwise_lanes(vectors);
                  const dim3 blocks(static_cast<unsigned>(chunks), static_cast<unsigned>(divide_up(vectors, d.lanes)),
                                    static_cast<unsigned>(c.taps() / at_once));
                  const auto start = [&](auto kernel) { launch(pass, kernel, blocks, depthwise_threads, 0, d); };
                  if (at_once == 3)
                    start(wide ? &depthwise_gradient_kernel<4, 3> : &depthwise_gradient_kernel<1, 3>);
                  else if (at_once == 5)
                    start(wide ? &depthwise_gradient_kernel<4, 5> : &depthwise_gradient_kernel<1, 5>);
                  else
                    start(wide ? &depthwise_gradient_kernel<4, 1> : &depthwise_gradient_kernel<1, 1>);

                  PartialSums p;
                  p.parts = d.parts;
                  p.sums = d.sums;
                  p.splits = static_cast<unsigned>(chunks);
                  p.part = d.part;
                  p.count = db != nullptr ? c.inputs : 0;
                  p.to.at = dw;
                  p.to.row = 1;
                  p.to.column = c.taps();
                  p.to.rows = static_cast<unsigned>(c.taps());
                  p.to.columns = static_cast<unsigned>(c.inputs);
                  p.to.adds = true;
                  p.to.sums = db;
                  p.to.adds_sums = true;
                  sum_parts(pass, p);
                });
}
#endif

}  // namespace aila::inline v0::cuda::detail

#include "../../core/macros_back.hpp"
