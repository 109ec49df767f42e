// The device code of kernels made from bodies; see body.hpp, which includes this where nvcc compiles.
#pragma once

namespace aila::inline v0::cuda {

/// Which row stands in for a thread's own where that one does not count: one of the same warp that does. All lanes call
/// it; none where no row of the warp counts.
struct RowOfWarp {
  static constexpr std::size_t none = ~std::size_t{0};
  __device__ static std::size_t of(bool counts, std::size_t row) {
    const unsigned mask = __ballot_sync(0xffffffffU, counts);
    if (mask == 0) return none;
    const std::size_t other = __shfl_sync(0xffffffffU, static_cast<unsigned long long>(row), __ffs(mask) - 1);
    return counts ? row : other;
  }
};

/// Where a body's `g.add` goes.
struct WarpGradient {
  float* sums;
  const std::uint32_t* first;  ///< of each tensor
  __device__ void add(std::size_t tensor, std::size_t element, float value) const {
    for (int lane = 16; lane > 0; lane /= 2) value += __shfl_xor_sync(0xffffffffU, value, lane);
    if (threadIdx.x % 32 == 0) sums[first[tensor] + element] += value;
  }
};

/// Where a thread of its own keeps what its body adds: no other waits for it.
struct ThreadGradient {
  float* sums;                 ///< [elements, threads], in shared memory
  const std::uint32_t* first;  ///< of each tensor
  __device__ void add(std::size_t tensor, std::size_t element, float value) const {
    sums[(first[tensor] + element) * blockDim.x + threadIdx.x] += value;
  }
  __device__ void open(std::size_t size) const {
    for (std::size_t i = 0; i < size; ++i) sums[i * blockDim.x + threadIdx.x] = 0;
  }
  /// The sums over a warp's threads, each in an order of its own, so that lanes meet at no bank.
  __device__ void close(std::size_t size, float* partial) const {
    __syncwarp();
    const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    float* const to = partial + (static_cast<std::size_t>(blockIdx.x) * (blockDim.x / 32) + warp) * size;
    for (std::size_t i = lane; i < size; i += 32) {
      float sum = 0;
      for (unsigned l = 0; l < 32; ++l) sum += sums[i * blockDim.x + warp * 32 + (l + lane) % 32];
      to[i] = sum;
    }
  }
};

/// f(x, to) for the numbers x of rows [base, base + count) of a map and their places in a block's rows at an odd
/// stride: vectors of four where rows are whole ones, several on their way at once.
template <class Vector, class F>
__device__ void over_tile(Vector* map, std::size_t count, std::size_t width, float* tile, F f) {
  constexpr unsigned together = 8, each = sizeof(Vector) / sizeof(float);
  const unsigned stride = static_cast<unsigned>(BodyPlan::stride(width)), of_row = static_cast<unsigned>(width) / each;
  const unsigned all = static_cast<unsigned>(count) * of_row;
  for (unsigned i = threadIdx.x; i < all; i += together * blockDim.x) {
    std::remove_const_t<Vector> x[together];
#pragma unroll
    for (unsigned k = 0; k < together; ++k) {
      const unsigned at = i + k * blockDim.x;
      if constexpr (F::loads)
        if (at < all) x[k] = map[at];
    }
#pragma unroll
    for (unsigned k = 0; k < together; ++k) {
      const unsigned at = i + k * blockDim.x;
      if (at < all) f(x[k], map + at, tile + at / of_row * stride + at % of_row * each);
    }
  }
}
template <class T, class F>
__device__ void over_rows(T* map, std::size_t base, std::size_t count, std::size_t width, float* tile, F f) {
  using Four = std::conditional_t<std::is_const_v<T>, const float4, float4>;
  if (width % 4 == 0)
    over_tile(reinterpret_cast<Four*>(map + base * width), count, width, tile, f);
  else
    over_tile(map + base * width, count, width, tile, f);
}
/// Rows into a block's rows, and back.
struct LoadTile {
  static constexpr bool loads = true;
  __device__ void operator()(float x, const float*, float* tile) const { *tile = x; }
  __device__ void operator()(float4 x, const float4*, float* tile) const {
    tile[0] = x.x, tile[1] = x.y, tile[2] = x.z, tile[3] = x.w;
  }
};
struct StoreTile {
  static constexpr bool loads = false;
  __device__ void operator()(float, float* to, const float* tile) const { *to = *tile; }
  __device__ void operator()(float4, float4* to, const float* tile) const {
    *to = make_float4(tile[0], tile[1], tile[2], tile[3]);
  }
};
struct AddTile {
  static constexpr bool loads = true;
  __device__ void operator()(float x, float* to, const float* tile) const { *to = x + *tile; }
  __device__ void operator()(float4 x, float4* to, const float* tile) const {
    *to = make_float4(x.x + tile[0], x.y + tile[1], x.z + tile[2], x.w + tile[3]);
  }
};
__device__ inline void load_rows(const float* map, std::size_t base, std::size_t count, std::size_t width,
                                 float* tile) {
  over_rows(map, base, count, width, tile, LoadTile{});
}
__device__ inline void store_rows(float* tile, std::size_t base, std::size_t count, std::size_t width, float* map) {
  over_rows(map, base, count, width, tile, StoreTile{});
}
__device__ inline void add_rows(float* tile, std::size_t base, std::size_t count, std::size_t width, float* map) {
  over_rows(map, base, count, width, tile, AddTile{});
}

/// Calls f(base, count) for the rows of every block in turn.
template <class F>
__device__ void over_row_blocks(std::size_t rows, F&& f) {
  for (std::size_t base = static_cast<std::size_t>(blockIdx.x) * blockDim.x; base < rows;
       base += static_cast<std::size_t>(gridDim.x) * blockDim.x)
    f(base, rows - base < blockDim.x ? rows - base : static_cast<std::size_t>(blockDim.x));
}

/// What a body's gradients are added to, in a kernel K with shared memory for its threads' own sums at `shared`.
template <class K>
struct GradientOf {
  static constexpr bool by_thread = K::sums_of_thread > 0;
  using type = std::conditional_t<by_thread, ThreadGradient, WarpGradient>;
  __device__ static type open(float* partial, float* shared, const std::uint32_t* first);
  __device__ static void close(const type& gradient, float* partial) {
    if constexpr (by_thread) gradient.close(K::Sums::size, partial);
  }
};

/// A warp's own sums begin at zero.
__device__ inline float* open_sums(float* partial, std::size_t size) {
  float* const sums = partial + (static_cast<std::size_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32) * size;
  for (std::size_t i = threadIdx.x % 32; i < size; i += 32) sums[i] = 0;
  __syncwarp();
  return sums;
}

template <class K>
__device__ typename GradientOf<K>::type GradientOf<K>::open(float* partial, float* shared, const std::uint32_t* first) {
  if constexpr (by_thread) {
    const ThreadGradient gradient{shared, first};
    gradient.open(K::Sums::size);
    return gradient;
  } else {
    return WarpGradient{open_sums(partial, K::Sums::size), first};
  }
}

/// What warps have summed, in their order, added to the gradients: blocks of 32 parameters by 8 shares of the warps.
template <std::size_t Tensors>
__global__ void add_sums_kernel(const float* partial, std::size_t slots, std::size_t size, Given<float*, Tensors> to,
                                Given<std::uint32_t, Tensors + 1> first) {
  __shared__ float sums[8][33];
  const std::size_t p = static_cast<std::size_t>(blockIdx.x) * 32 + threadIdx.x;
  float sum = 0;
  if (p < size)
    for (std::size_t s = threadIdx.y; s < slots; s += 8) sum += partial[s * size + p];
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y > 0 || p >= size) return;
  for (unsigned i = 1; i < 8; ++i) sum += sums[i][threadIdx.x];
  std::size_t t = 0;
  while (p >= first.at[t + 1]) ++t;
  to.at[t][p - first.at[t]] += sum;
}
template <class Sums>
void add_sums(const Pass& pass, const float* partial, std::size_t slots, Gradients<float> g) {
  if constexpr (Sums::size > 0) {
    Given<float*, Sums::tensors> to{};
    Given<std::uint32_t, Sums::tensors + 1> first{};
    for (std::size_t t = 0; t < Sums::tensors; ++t) to.at[t] = g[t];
    for (std::size_t t = 0; t <= Sums::tensors; ++t) first.at[t] = Sums::first[t];
    launch(pass, &add_sums_kernel<Sums::tensors>, static_cast<unsigned>(divide_up(Sums::size, 32)), dim3(32, 8), 0,
           partial, slots, Sums::size, to, first);
  }
}

/// A view of a part's tensors that a kernel can be given: from the lowest on.
template <std::size_t Tensors>
struct GivenWeights {
  const float* base = nullptr;
  std::uint32_t offset[Tensors + 1]{};
  explicit GivenWeights(Weights<float> w) {
    for (std::size_t t = 0; t < Tensors; ++t) base = t == 0 || w[t] < base ? w[t] : base;
    for (std::size_t t = 0; t < Tensors; ++t) offset[t] = static_cast<std::uint32_t>(w[t] - base);
  }
  __device__ Weights<float> view() const { return {base, offset}; }
};

template <class L, class In>
struct ElementForward {
  const std::int32_t* lengths;
  const float* x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    if constexpr (In::rank == 2)
      if (i % In::elements / In::features >= valid_length(lengths, i / In::elements, In::extents[0])) {
        y[i] = 0;
        return;
      }
    y[i] = L::template value<float>(x[i]);
  }
};
template <class L, class In>
struct ElementBackward {
  const std::int32_t* lengths;
  const float *x, *y, *dy;
  float* dx;
  bool sets;
  __device__ void operator()(std::size_t i) const {
    if constexpr (In::rank == 2)
      if (i % In::elements / In::features >= valid_length(lengths, i / In::elements, In::extents[0])) {
        if (sets) dx[i] = 0;
        return;
      }
    const float slope = dy[i] * L::template slope<float>(x[i], y[i]);
    dx[i] = sets ? slope : dx[i] + slope;
  }
};

/// Zeros at a sample's padded steps in a thread's own row, [steps, features].
template <class In>
__device__ void clear_steps_of_row(const std::int32_t* lengths, std::size_t sample, float* row) {
  for (std::size_t i = valid_length(lengths, sample, In::extents[0]) * In::features; i < In::elements; ++i) row[i] = 0;
}

template <class K, class L, class In, std::size_t Tensors>
__global__ void body_forward_kernel(std::size_t rows, const std::int32_t* lengths, GivenWeights<Tensors> given,
                                    const float* x, float* y) {
  using Out = typename K::Out;
  float* const memory = dynamic_shared();
  constexpr std::size_t in = K::width_in, out = K::width_out;
  float* const tile_x = memory;
  float* const tile_y = tile_x + blockDim.x * BodyPlan::stride(in);
  over_row_blocks(rows, [&](std::size_t base, std::size_t count) {
    if constexpr (K::ahead.staged) {
      load_rows(x, base, count, in, tile_x);
      __syncthreads();
    }
    if (threadIdx.x < count) {
      const std::size_t row = base + threadIdx.x, sample = row / K::rows_per_sample;
      const float* from = x + row * in;
      float* to = y + row * out;
      float own[K::mixes_steps && !K::ahead.staged ? in : 1];
      if constexpr (K::ahead.staged) {
        from = tile_x + threadIdx.x * BodyPlan::stride(in);
        to = tile_y + threadIdx.x * BodyPlan::stride(out);
      }
      if constexpr (K::mixes_steps)
        if (lengths != nullptr) {
          if constexpr (!K::ahead.staged) {
            for (std::size_t i = 0; i < in; ++i) own[i] = from[i];
            from = own;
          }
          clear_steps_of_row<In>(lengths, sample, const_cast<float*>(from));
        }
      float scratch[K::of_body + 1];
      aila::detail::call_body<K::asks>(
          scratch, [](auto&&... a) -> decltype(L::template forward<In>(a...)) { return L::template forward<In>(a...); },
          from, given.view(), to);
      if constexpr (In::rank == 2 && Out::rank == 2)
        if (lengths != nullptr) {
          const std::size_t valid = length_after<L, In>(valid_length(lengths, sample, In::extents[0]));
          const std::size_t first = K::position_wise ? row % K::rows_per_sample : 0;
          for (std::size_t i = 0; i < out; ++i)
            if (first + i / Out::features >= valid) to[i] = 0;
        }
    }
    if constexpr (K::ahead.staged) {
      __syncthreads();
      store_rows(tile_y, base, count, out, y);
      __syncthreads();
    }
  });
  static_cast<void>(tile_y);
}

template <class K, class L, class In, std::size_t Tensors>
__global__ void body_backward_kernel(std::size_t rows, const std::int32_t* lengths, GivenWeights<Tensors> given,
                                     const float* x, const float* dy, float* dx, float* partial) {
  float* const memory = dynamic_shared();
  constexpr std::size_t in = K::width_in, out = K::width_out;
  constexpr auto first = K::first_sums;
  constexpr bool staged = K::back.staged;
  float* const tile_x = memory;
  float* const tile_dx = tile_x + blockDim.x * BodyPlan::stride(in);
  float* const tile_dy = tile_dx + blockDim.x * BodyPlan::stride(in);
  float* const tile_sums = tile_dy + blockDim.x * BodyPlan::stride(out);
  auto gradient = GradientOf<K>::open(partial, tile_sums, first.data());
  over_row_blocks(rows, [&](std::size_t base, std::size_t count) {
    if constexpr (staged) {
      load_rows(x, base, count, in, tile_x);
      load_rows(dy, base, count, out, tile_dy);
      __syncthreads();
    }
    const std::size_t row = base + threadIdx.x, sample = row / K::rows_per_sample;
    bool counts = threadIdx.x < count;
    if constexpr (K::has_padding && K::position_wise)
      counts = counts && row % K::rows_per_sample < valid_length(lengths, sample, In::extents[0]);
    const std::size_t stand_in = RowOfWarp::of(counts, row);
    if (stand_in != RowOfWarp::none) {
      const float* from = x + stand_in * in;
      if constexpr (staged) from = tile_x + (stand_in - base) * BodyPlan::stride(in);
      float steps[K::mixes_steps ? in : 1];
      if constexpr (K::mixes_steps)
        if (lengths != nullptr) {  // a copy: the row may stand in for others
          for (std::size_t i = 0; i < in; ++i) steps[i] = from[i];
          clear_steps_of_row<In>(lengths, stand_in / K::rows_per_sample, steps);
          from = steps;
        }
      float d_in[in], d_out[out];
      for (std::size_t i = 0; i < in; ++i) d_in[i] = 0;
      for (std::size_t i = 0; i < out; ++i)
        d_out[i] = !counts ? 0.0F : staged ? tile_dy[threadIdx.x * BodyPlan::stride(out) + i] : dy[row * out + i];
      float scratch[K::of_body + 1];
      aila::detail::call_body<K::asks>(
          scratch,
          [](auto&&... a) -> decltype(L::template backward<In>(a...)) { return L::template backward<In>(a...); }, from,
          given.view(), static_cast<const float*>(d_out), static_cast<float*>(d_in), gradient);
      if constexpr (K::mixes_steps)
        if (lengths != nullptr) clear_steps_of_row<In>(lengths, stand_in / K::rows_per_sample, d_in);
      for (std::size_t i = 0; i < in; ++i) {
        const float value = counts ? d_in[i] : 0.0F;
        if constexpr (staged)
          tile_dx[threadIdx.x * BodyPlan::stride(in) + i] = value;
        else if (counts && dx != nullptr)
          dx[row * in + i] += value;
      }
    } else if constexpr (staged) {
      for (std::size_t i = 0; i < in; ++i) tile_dx[threadIdx.x * BodyPlan::stride(in) + i] = 0;
    }
    if constexpr (staged) {
      __syncthreads();
      if (dx != nullptr) add_rows(tile_dx, base, count, in, dx);
      __syncthreads();
    }
  });
  GradientOf<K>::close(gradient, partial);
  static_cast<void>(tile_dx), static_cast<void>(tile_dy);
}

template <class K, std::size_t Tensors>
__global__ void policy_forward_kernel(std::size_t rows, const std::int32_t* lengths, GivenWeights<Tensors> given,
                                      const float* own, Given<const float*, K::items> before, float* z) {
  using P = typename K::P;
  using Own = typename K::Own;
  using Before = typename K::Before;
  float* const memory = dynamic_shared();
  constexpr auto column = K::column;
  constexpr auto features = K::features;
  constexpr bool staged = K::ahead.staged;
  constexpr std::size_t stride = BodyPlan::stride(K::d), stride_z = BodyPlan::stride(K::width);
  float* const tile_own = memory;
  float* const tile_z = tile_own + blockDim.x * stride;
  float* const tile_before = tile_z + blockDim.x * stride_z;
  over_row_blocks(rows, [&](std::size_t base, std::size_t count) {
    if constexpr (staged) {
      load_rows(own, base, count, K::d, tile_own);
      for (std::size_t i = 0; i < K::items; ++i)
        load_rows(before.at[i], base, count, features[i], tile_before + blockDim.x * column[i]);
      __syncthreads();
    }
    if (threadIdx.x < count) {
      const std::size_t row = base + threadIdx.x;
      const float* y = own + row * K::d;
      float* to = z + row * K::width;
      const float* maps[K::items + 1];
      for (std::size_t i = 0; i < K::items; ++i) maps[i] = before.at[i] + row * features[i];
      if constexpr (staged) {
        y = tile_own + threadIdx.x * stride;
        to = tile_z + threadIdx.x * stride_z;
        for (std::size_t i = 0; i < K::items; ++i)
          maps[i] = tile_before + blockDim.x * column[i] + threadIdx.x * BodyPlan::stride(features[i]);
      }
      float scratch[K::of_body + 1];
      aila::detail::call_body<K::asks>(
          scratch,
          [](auto&&... a) -> decltype(P::template forward<Own, Before>(a...)) {
            return P::template forward<Own, Before>(a...);
          },
          y, static_cast<const float* const*>(maps), given.view(), to);
      if constexpr (K::adds_own)
        for (std::size_t f = 0; f < K::d; ++f) to[f] += y[f];
      if constexpr (K::Out::rank == 2)
        if (row % Own::positions >= valid_length(lengths, row / Own::positions, Own::positions))
          for (std::size_t f = 0; f < K::width; ++f) to[f] = 0;
    }
    if constexpr (staged) {
      __syncthreads();
      store_rows(tile_z, base, count, K::width, z);
      __syncthreads();
    }
  });
  static_cast<void>(tile_before);
}

template <class K, std::size_t Tensors>
__global__ void policy_backward_kernel(std::size_t rows, const std::int32_t* lengths, GivenWeights<Tensors> given,
                                       const float* own, Given<const float*, K::items> before, const float* dz,
                                       float* d_own, Given<float*, K::items> d_before, float* partial) {
  using P = typename K::P;
  using Own = typename K::Own;
  using Before = typename K::Before;
  float* const memory = dynamic_shared();
  constexpr auto column = K::column;
  constexpr auto features = K::features;
  constexpr auto first = K::first_sums;
  constexpr bool staged = K::back.staged;
  constexpr std::size_t stride = BodyPlan::stride(K::d);
  float* const tile_own = memory;
  float* const tile_dz = tile_own + blockDim.x * stride;
  // Where rows are equally wide: a thread has taken its row of dz when it writes that of the own item.
  float* const tile_d_own = K::d == K::width ? tile_dz : tile_dz + blockDim.x * BodyPlan::stride(K::width);
  float* const tile_before = tile_d_own + blockDim.x * stride;
  float* const tile_d_before = tile_before + blockDim.x * K::before_width;
  float* const tile_sums = tile_d_before + blockDim.x * K::before_width;
  auto gradient = GradientOf<K>::open(partial, tile_sums, first.data());
  over_row_blocks(rows, [&](std::size_t base, std::size_t count) {
    if constexpr (staged) {
      load_rows(own, base, count, K::d, tile_own);
      load_rows(dz, base, count, K::width, tile_dz);
      for (std::size_t i = 0; i < K::items; ++i)
        load_rows(before.at[i], base, count, features[i], tile_before + blockDim.x * column[i]);
      for (std::size_t i = threadIdx.x; i < blockDim.x * K::before_width; i += blockDim.x) tile_d_before[i] = 0;
      __syncthreads();
    }
    const std::size_t row = base + threadIdx.x;
    bool counts = threadIdx.x < count;
    if constexpr (Own::rank == 2)
      counts = counts && row % Own::positions < valid_length(lengths, row / Own::positions, Own::positions);
    const std::size_t stand_in = RowOfWarp::of(counts, row);
    if (stand_in != RowOfWarp::none) {
      float da[K::width], d_y[K::d], unused[staged ? 1 : K::most_width];
      for (std::size_t f = 0; f < K::width; ++f)
        da[f] = !counts  ? 0.0F
                : staged ? tile_dz[threadIdx.x * BodyPlan::stride(K::width) + f]
                         : dz[row * K::width + f];
      for (std::size_t f = 0; f < K::d; ++f) d_y[f] = K::adds_own ? da[f] : 0.0F;
      for (float& f : unused) f = 0;
      const float* y = staged ? tile_own + (stand_in - base) * stride : own + stand_in * K::d;
      const float* maps[K::items + 1];
      float* d_maps[K::items + 1];
      for (std::size_t i = 0; i < K::items; ++i) {
        const std::size_t at = BodyPlan::stride(features[i]);
        if constexpr (staged) {
          maps[i] = tile_before + blockDim.x * column[i] + (stand_in - base) * at;
          d_maps[i] = tile_d_before + blockDim.x * column[i] + threadIdx.x * at;
        } else {
          maps[i] = before.at[i] + stand_in * features[i];
          d_maps[i] = counts && d_before.at[i] != nullptr ? d_before.at[i] + row * features[i] : unused;
        }
      }
      float scratch[K::of_body + 1];
      aila::detail::call_body<K::asks>(
          scratch,
          [](auto&&... a) -> decltype(P::template backward<Own, Before>(a...)) {
            return P::template backward<Own, Before>(a...);
          },
          y, static_cast<const float* const*>(maps), given.view(), static_cast<const float*>(da),
          static_cast<float*>(d_y), static_cast<float* const*>(d_maps), gradient);
      for (std::size_t f = 0; f < K::d; ++f) {
        if constexpr (staged)
          tile_d_own[threadIdx.x * stride + f] = counts ? d_y[f] : 0.0F;
        else if (counts && d_own != nullptr)
          d_own[row * K::d + f] += d_y[f];
      }
    } else if constexpr (staged) {
      for (std::size_t f = 0; f < K::d; ++f) tile_d_own[threadIdx.x * stride + f] = 0;
    }
    if constexpr (staged) {
      __syncthreads();
      if (d_own != nullptr) add_rows(tile_d_own, base, count, K::d, d_own);
      for (std::size_t i = 0; i < K::items; ++i)
        if (d_before.at[i] != nullptr)
          add_rows(tile_d_before + blockDim.x * column[i], base, count, features[i], d_before.at[i]);
      __syncthreads();
    }
  });
  GradientOf<K>::close(gradient, partial);
  static_cast<void>(tile_d_before);
}

template <class K, std::size_t Tensors>
__global__ void policy_mixture_kernel(std::size_t rows, GivenWeights<Tensors> given, const float* own,
                                      Given<const float*, K::items> before, float* weights) {
  using P = typename K::P;
  using Own = typename K::Own;
  using Before = typename K::Before;
  constexpr auto features = K::features;
  for_each_element(rows, [&](std::size_t row) {
    const float* maps[K::items + 1];
    for (std::size_t i = 0; i < K::items; ++i) maps[i] = before.at[i] + row * features[i];
    float scratch[K::of_body + 1];
    aila::detail::call_body<K::asks>(
        scratch,
        [](auto&&... a) -> decltype(P::template mixture<Own, Before>(a...)) {
          return P::template mixture<Own, Before>(a...);
        },
        own + row * K::d, static_cast<const float* const*>(maps), given.view(), weights + row * K::mixture_weights);
  });
}

/// What kernels are given of the earlier maps.
template <std::size_t Items, class T>
Given<T, Items> given_maps(T const* maps) {
  Given<T, Items> given{};
  for (std::size_t i = 0; i < Items; ++i) given.at[i] = maps[i];
  return given;
}

}  // namespace aila::inline v0::cuda

namespace aila::inline v0 {

template <class L, class In, class Backend>
template <Capability C>
[[gnu::used]] void CudaElementWise<L, In, Backend>::forward(const Pass& pass, Weights<float>, const float*,
                                                            const float* x, float* y, NothingSaved&, float*) {
  const std::int32_t* const lengths = C == Capability::stream ? nullptr : pass.lengths;
  cuda::over_elements(pass, pass.samples * In::elements, cuda::ElementForward<L, cuda::StepsKind<In>>{lengths, x, y});
}
template <class L, class In, class Backend>
template <Capability C>
[[gnu::used]] void CudaElementWise<L, In, Backend>::backward(const Pass& pass, Weights<float>, const float*,
                                                             const float* x, const float* y, const float* dy, float* dx,
                                                             Gradients<float>, NothingSaved&, float*) {
  if constexpr (SlopeBody<L, float>) {
    if (dx != nullptr)
      cuda::over_elements(
          pass, pass.samples * In::elements,
          cuda::ElementBackward<L, cuda::StepsKind<In>>{pass.lengths, x, y, dy, dx, pass.sets_input_gradient});
  } else {
    enum { checked = MissingBackward::say() };
  }
}

template <class L, class In, class Backend>
template <Capability C>
[[gnu::used]] void CudaBody<L, In, Backend>::forward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                     float* y, NothingSaved&, float*) {
  const std::size_t rows = pass.samples * rows_per_sample;
  const std::size_t memory = ahead.staged ? (cuda::BodyPlan::stride(width_in) + cuda::BodyPlan::stride(width_out)) *
                                                ahead.threads * sizeof(float)
                                          : 0;
  const std::int32_t* const lengths = C == Capability::stream ? nullptr : pass.lengths;
  cuda::launch(pass, &cuda::body_forward_kernel<CudaBody, L, In, Sums::tensors>, cuda::blocks_for(rows, ahead.threads),
               static_cast<unsigned>(ahead.threads), memory, rows, lengths, cuda::GivenWeights<Sums::tensors>(w), x, y);
}
template <class L, class In, class Backend>
template <Capability C>
[[gnu::used]] void CudaBody<L, In, Backend>::backward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                      const float*, const float* dy, float* dx, Gradients<float> g,
                                                      NothingSaved&, float* scratch) {
  if constexpr (BackwardBody<L, In, float>) {
    const std::size_t rows = pass.samples * rows_per_sample, blocks = back.blocks(rows, Sums::size);
    const std::size_t memory = back.staged ? back_floats * back.threads * sizeof(float) : 0;
    cuda::launch(pass, &cuda::body_backward_kernel<CudaBody, L, In, Sums::tensors>, static_cast<unsigned>(blocks),
                 static_cast<unsigned>(back.threads), memory, rows, pass.lengths, cuda::GivenWeights<Sums::tensors>(w),
                 x, dy, dx, scratch);
    if (g) cuda::add_sums<Sums>(pass, scratch, blocks * (back.threads / 32), g);
  } else {
    enum { checked = MissingBackward::say() };
  }
}

template <class Part, class Backend>
template <Capability C>
[[gnu::used]] void CudaPolicyBody<Part, Backend>::forward(const Pass& pass, Weights<float> w, const float*,
                                                          const float* own, const float* const* before, float* z,
                                                          NothingSaved&, float*) {
  const std::size_t rows = pass.samples * Own::positions;
  const std::size_t memory = ahead.staged ? (cuda::BodyPlan::stride(d) + cuda::BodyPlan::stride(width) + before_width) *
                                                ahead.threads * sizeof(float)
                                          : 0;
  const std::int32_t* const lengths = C == Capability::stream ? nullptr : pass.lengths;
  cuda::launch(pass, &cuda::policy_forward_kernel<CudaPolicyBody, Sums::tensors>, cuda::blocks_for(rows, ahead.threads),
               static_cast<unsigned>(ahead.threads), memory, rows, lengths, cuda::GivenWeights<Sums::tensors>(w), own,
               cuda::given_maps<items>(before), z);
}
template <class Part, class Backend>
template <Capability C>
[[gnu::used]] void CudaPolicyBody<Part, Backend>::backward(const Pass& pass, Weights<float> w, const float*,
                                                           const float* own, const float* const* before,
                                                           const float* dz, float* d_own, float* const* d_before,
                                                           Gradients<float> g, NothingSaved&, float* scratch) {
  if constexpr (has_backward) {
    const std::size_t rows = pass.samples * Own::positions, blocks = back.blocks(rows, Sums::size);
    const std::size_t memory = back.staged ? back_floats * back.threads * sizeof(float) : 0;
    cuda::launch(pass, &cuda::policy_backward_kernel<CudaPolicyBody, Sums::tensors>, static_cast<unsigned>(blocks),
                 static_cast<unsigned>(back.threads), memory, rows, pass.lengths, cuda::GivenWeights<Sums::tensors>(w),
                 own, cuda::given_maps<items>(before), dz, d_own, cuda::given_maps<items>(d_before), scratch);
    if (g) cuda::add_sums<Sums>(pass, scratch, blocks * (back.threads / 32), g);
  } else {
    enum { checked = MissingBackward::say() };
  }
}
template <class Part, class Backend>
[[gnu::used]] void CudaPolicyBody<Part, Backend>::mixture(const Pass& pass, Weights<float> w, const float* own,
                                                          const float* const* before, float* weights, float*) {
  if constexpr (Part::mixture_weights > 0) {
    const std::size_t rows = pass.samples * Own::positions;
    cuda::launch(pass, &cuda::policy_mixture_kernel<CudaPolicyBody, Sums::tensors>, cuda::blocks_for(rows, 64), 64, 0,
                 rows, cuda::GivenWeights<Sums::tensors>(w), own, cuda::given_maps<items>(before), weights);
  }
}

}  // namespace aila::inline v0
