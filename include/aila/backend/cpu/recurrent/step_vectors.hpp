// Vectors of units for one step of one sample, and the gates of recurrent layers with little latency.
//
// A step waits for the step before it: what counts is how long its chain of operations is, more than how many there
// are. Gates come as quotients, so that a product of two of them is one division, and polynomials are summed in pairs.
// No number here is denormal where the sums are not: nobody has to change the processor's mode, which would wait for
// everything under way.
//
// The sums over h read the packed weights once. Within the first-level cache they are bound by fused multiply-adds, of
// which two vectors of units have enough independent ones; all sums come first then, since the processor looks ahead
// too little to work on gates beside them. Beyond, they are bound by the second-level cache: every other step goes
// through the weights from the last to the first, and finds in the first-level cache what the step before left there.
// Measured on a core of Zen 4 (AVX-512), LSTM(1) and Linear: 32, 48, 120 and 502 ns a step of 8, 16, 32 and 64
// units, the last 0.8 of the weights' product by itself, which goes through them in one direction.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <bit>
#include <limits>

#include "../product/row_product.hpp"
#include "recurrent_forward.hpp"

namespace aila::inline v0::cpu {

/// Cells and states smaller than this are kept as 0: their squares are no denormal numbers.
template <class Scalar>
inline constexpr Scalar smallest_state = std::is_same_v<Scalar, float> ? Scalar(1e-19) : Scalar(1e-150);

/// A whole register.
template <class S, class Arch>
struct WholeVectors {
  using Scalar = S;
  using V = simd::Batch<S, Arch>;
  static constexpr std::size_t width = simd::width<S, Arch>;
  [[gnu::always_inline]] static V load(const S* from) noexcept { return simd::load<S, Arch>(from); }
  [[gnu::always_inline]] static void store(S* to, const V& v) noexcept { simd::store(to, v); }
  [[gnu::always_inline]] static void store_first(S* to, const V& v, std::size_t n) noexcept {
    simd::store_first(to, v, n);
  }
  [[gnu::always_inline]] static V load_first(const S* from, std::size_t n) noexcept {
    return simd::load_first<S, Arch>(from, n);
  }
  [[gnu::always_inline]] static S sum(const V& v) noexcept { return simd::reduce_add(v); }
  [[gnu::always_inline]] static V all(S value) noexcept { return V(value); }
  /// Four registers of one Scalar each. Shuffles of one load leave the loads to the weights.
  [[gnu::always_inline]] static void spread(const S* from, V (&to)[4]) noexcept {
#if defined(__AVX512F__)
    if constexpr (simd::is_avx512<Arch> && std::is_same_v<S, float>) {
      const __m512 all = _mm512_broadcast_f32x4(_mm_loadu_ps(from));
      to[0] = _mm512_permute_ps(all, 0x00);
      to[1] = _mm512_permute_ps(all, 0x55);
      to[2] = _mm512_permute_ps(all, 0xaa);
      to[3] = _mm512_permute_ps(all, 0xff);
      return;
    }
#endif
#if defined(__AVX__)
    if constexpr (simd::is_avx<Arch> && std::is_same_v<S, float>) {
      const __m128 four = _mm_loadu_ps(from);
      const __m256 all = _mm256_insertf128_ps(_mm256_castps128_ps256(four), four, 1);
      to[0] = _mm256_permute_ps(all, 0x00);
      to[1] = _mm256_permute_ps(all, 0x55);
      to[2] = _mm256_permute_ps(all, 0xaa);
      to[3] = _mm256_permute_ps(all, 0xff);
      return;
    }
#endif
    for (std::size_t i = 0; i < 4; ++i) to[i] = V(from[i]);
  }
  [[gnu::always_inline]] static V fmadd(const V& a, const V& b, const V& c) noexcept { return simd::fmadd(a, b, c); }
  /// x between the bounds; a NaN stays one.
  [[gnu::always_inline]] static V within(S low, S high, const V& x) noexcept {
    return simd::max(simd::min(x, V(high)), V(low));
  }
  [[gnu::always_inline]] static V at_most(S high, const V& x) noexcept { return simd::min(x, V(high)); }
  /// The last bits of a float as the exponent of another.
  [[gnu::always_inline]] static V as_exponent(const V& x) noexcept {
    return std::bit_cast<V>(std::bit_cast<xsimd::batch<std::int32_t, Arch>>(x) << 23);
  }
  [[gnu::always_inline]] static V large_or_zero(const V& x) noexcept {
    return xsimd::select(xsimd::abs(x) < V(smallest_state<S>), V(S(0)), x);
  }
};

#if defined(__AVX512F__) && defined(__AVX512VL__)
/// Half a register of AVX-512: of few units, half as much work. The architecture is in the type, as everywhere: xsimd's
/// batches of eight would be shared with code that was compiled for AVX2.
template <class Arch>
struct HalfVectors {
  using Scalar = float;
  using V = __m256;
  static constexpr std::size_t width = 8;
  [[gnu::always_inline]] static V load(const float* from) noexcept { return _mm256_loadu_ps(from); }
  [[gnu::always_inline]] static void store(float* to, V v) noexcept { _mm256_storeu_ps(to, v); }
  [[gnu::always_inline]] static void store_first(float* to, V v, std::size_t n) noexcept {
    _mm256_mask_storeu_ps(to, static_cast<__mmask8>((1U << n) - 1U), v);
  }
  [[gnu::always_inline]] static V load_first(const float* from, std::size_t n) noexcept {
    return _mm256_maskz_loadu_ps(static_cast<__mmask8>((1U << n) - 1U), from);
  }
  [[gnu::always_inline]] static float sum(V v) noexcept {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  [[gnu::always_inline]] static V all(float value) noexcept { return _mm256_set1_ps(value); }
  [[gnu::always_inline]] static void spread(const float* from, V (&to)[4]) noexcept {
    const void* const four = from;  // wherever it lies
    const V all = _mm256_broadcast_ps(static_cast<const __m128*>(four));
    to[0] = _mm256_permute_ps(all, 0x00);
    to[1] = _mm256_permute_ps(all, 0x55);
    to[2] = _mm256_permute_ps(all, 0xaa);
    to[3] = _mm256_permute_ps(all, 0xff);
  }
  [[gnu::always_inline]] static V fmadd(V a, V b, V c) noexcept { return _mm256_fmadd_ps(a, b, c); }
  [[gnu::always_inline]] static V within(float low, float high, V x) noexcept {
    return _mm256_max_ps(all(low), _mm256_min_ps(all(high), x));
  }
  [[gnu::always_inline]] static V at_most(float high, V x) noexcept { return _mm256_min_ps(all(high), x); }
  [[gnu::always_inline]] static V as_exponent(V x) noexcept {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 23));
  }
  [[gnu::always_inline]] static V large_or_zero(V x) noexcept {
    const V size = _mm256_andnot_ps(all(-0.0F), x);
    // Not less, so that a NaN stays one.
    return _mm256_maskz_mov_ps(_mm256_cmp_ps_mask(size, all(smallest_state<float>), _CMP_NLT_UQ), x);
  }
};

template <class S, class Arch, std::size_t Units>
using StepVectors = std::conditional_t<simd::is_avx512<Arch> && std::is_same_v<S, float> && Units <= 16,
                                       HalfVectors<Arch>, WholeVectors<S, Arch>>;
#else
template <class S, class Arch, std::size_t Units>
using StepVectors = WholeVectors<S, Arch>;
#endif

/// Gates as quotients.
template <class Vectors>
struct StepGates {
  using S = typename Vectors::Scalar;
  using V = typename Vectors::V;
  struct Quotient {
    V above, below;
  };

  /// tanh x = above / below, NaN where x is. float: x P(x^2) / Q(x^2), a fit of least relative error, 2e-8, on +-9,
  /// beyond which the quotient is 1; rounding makes it 1 unit in the last place as a rule, 5 at most.
  [[gnu::always_inline]] static Quotient tanh(const V& x) noexcept { return tanh(x, x, Vectors::all(S(1))); }
  /// tanh(kept) / factor, where `kept` is x or, where x is next to nothing, 0: the polynomials wait for neither.
  [[gnu::always_inline]] static Quotient tanh(const V& x, const V& kept, const V& factor) noexcept {
    if constexpr (std::is_same_v<S, float>) {
      const auto all = [](float value) __attribute__((always_inline)) { return Vectors::all(value); };
      // A square of 1e-15 or more has a square that is no denormal number, and 1e-15 is nothing beside 1.
      const V t = Vectors::at_most(81.0F, Vectors::fmadd(x, x, all(1e-15F)));
      const V bounded = Vectors::within(-9.0F, 9.0F, kept);
      const V t2 = t * t;
      const V p = Vectors::fmadd(t, all(1.338397955e-01F), all(1.0F));
      const V q = Vectors::fmadd(t, all(4.671730104e-01F), all(1.0F));
      const V p2 =
          Vectors::fmadd(t2, all(1.341979392e-08F), Vectors::fmadd(t, all(2.066124543e-05F), all(3.498995169e-03F)));
      const V q2 =
          Vectors::fmadd(t2, all(7.804718826e-07F), Vectors::fmadd(t, all(3.291036794e-04F), all(2.589020306e-02F)));
      return {Vectors::fmadd(bounded * t2, p2, bounded * p), Vectors::fmadd(factor * t2, q2, factor * q)};
    } else {
      return {simd::tanh_gate(kept), factor};
    }
  }

  /// sigmoid x = 1 / below, below = 1 + e^-x, NaN where x is. float: e^-x = 2^n 2^f, relative error 1e-7 and, where x
  /// is large, that of 1.44 x; x counts as +-40 at most.
  [[gnu::always_inline]] static V sigmoid(const V& x) noexcept {
    if constexpr (std::is_same_v<S, float>) {
      const auto all = [](float value) __attribute__((always_inline)) { return Vectors::all(value); };
      const V z = Vectors::within(-40.0F, 40.0F, x);
      // 1.5 2^23 + 127: the last bits of the sum are the nearest integer n, as an exponent.
      const V shifted = Vectors::fmadd(z, all(-1.44269504F), all(12583039.0F));
      const V n = all(12583039.0F) - shifted;
      const V f = Vectors::fmadd(z, all(-1.44269504F), n);
      const V f2 = f * f;
      const V low = Vectors::fmadd(f, all(6.931469671e-01F), all(1.0F));
      const V middle = Vectors::fmadd(f, all(5.550713274e-02F), all(2.402211972e-01F));
      const V high = Vectors::fmadd(f, all(1.327647178e-03F), all(9.675541333e-03F));
      const V power = Vectors::fmadd(f2, Vectors::fmadd(f2, high, middle), low);
      return Vectors::fmadd(power, Vectors::as_exponent(shifted), all(1.0F));
    } else {
      return V(S(1)) + simd::exp(V(-Vectors::within(S(-300), S(300), x)));
    }
  }
};

/// What the steps of recurrent layers share. A `Cell` names its Vectors and sizes (see RecurrentSizes); the weights of
/// the sums over h are panels of one register of units.
template <class Cell>
struct OneStep {
  using Vectors = typename Cell::Vectors;
  using S = typename Vectors::Scalar;
  using V = typename Vectors::V;
  static constexpr auto sizes = Cell::sizes;
  static constexpr std::size_t w = Vectors::width, W = sizes.W, units = sizes.units, gates = sizes.gates;
  static constexpr std::size_t count = ceil_div(units, w);
  /// Whether the weights are more than the first-level cache keeps from one step to the next.
  static constexpr bool turns = gates * units * sizes.lanes() * sizeof(S) > 24576;
  /// Whether the sums over x come before all others: of many features the weights are read in the order of memory.
  static constexpr bool inputs_first = sizes.features >= 8;
  /// Vectors of units that are summed and activated at once.
  static constexpr std::size_t together = turns ? 1 : smaller(2, count);

  /// Where the sums of gate g of the vectors from v on lie, and where y and the state's vectors do.
  static constexpr std::size_t place(std::size_t g, std::size_t v) noexcept { return g * sizes.lanes() + v * w; }

  /// Number of the register of the input's weights that holds gate g of vector v, and where in it the vector begins.
  static constexpr std::size_t in_register(std::size_t g, std::size_t v) noexcept {
    return g * sizes.vectors() + v * w / W;
  }
  static constexpr std::size_t within(std::size_t v) noexcept { return v * w % W; }

  template <std::size_t Count>
  struct Sums {
    static constexpr std::size_t chains = Count == 1 ? 2 : 1;  // of each sum: their number hides an addition's latency
    V at[chains][Count][gates];

    /// The first of each sum begins as given, the others with nothing.
    [[gnu::always_inline]] void begin(std::size_t j, std::size_t g, const V& start) noexcept {
      at[0][j][g] = start;
      if constexpr (chains > 1) at[1][j][g] = Vectors::all(S(0));
    }
    /// at[][j][g] += sum over k < N of left[k] weights[j][g][k stride, ...), from the last k on with Backward.
    template <std::size_t N, bool Backward = false>
    [[gnu::always_inline]] void add(const S* left, const S* const (&weights)[Count][gates],
                                    std::size_t stride) noexcept {
      const auto product = [&](std::size_t i, const V& factor, V(&to)[Count][gates]) __attribute__((always_inline)) {
        const std::size_t k = Backward ? N - 1 - i : i;
        AILA_UNROLL
        for (std::size_t j = 0; j < Count; ++j) {
          AILA_UNROLL
          for (std::size_t g = 0; g < gates; ++g)
            to[j][g] = Vectors::fmadd(factor, Vectors::load(weights[j][g] + k * stride), to[j][g]);
        }
      };
      constexpr std::size_t four = 4, whole = N / four * four;
      AILA_UNROLL_2
      for (std::size_t i = 0; i < whole; i += four) {
        V factors[four];
        Vectors::spread(left + (Backward ? N - four - i : i), factors);
        AILA_UNROLL
        for (std::size_t p = 0; p < four; ++p) product(i + p, factors[Backward ? four - 1 - p : p], at[p % chains]);
      }
      AILA_UNROLL
      for (std::size_t i = whole; i < N; ++i) product(i, Vectors::all(left[Backward ? N - 1 - i : i]), at[i % chains]);
    }
    /// Adds the products of h and its weights.
    template <bool Backward>
    [[gnu::always_inline]] void add_state(std::size_t v, const S* h, const S* packed) noexcept {
      const S* weights[Count][gates];
      AILA_UNROLL
      for (std::size_t j = 0; j < Count; ++j) {
        const std::size_t panel = (v + j) * w / W * W * gates * units;
        AILA_UNROLL
        for (std::size_t g = 0; g < gates; ++g)
          weights[j][g] = packed + sizes.recurrent_at() + panel + within(v + j) + g * W;
      }
      add<units, Backward>(h, weights, gates * W);
    }
    [[gnu::always_inline]] void store(std::size_t v, S* sums) noexcept {
      AILA_UNROLL
      for (std::size_t j = 0; j < Count; ++j) {
        AILA_UNROLL
        for (std::size_t g = 0; g < gates; ++g) {
          if constexpr (chains > 1) at[0][j][g] = at[0][j][g] + at[1][j][g];
          Vectors::store(sums + place(g, v + j), at[0][j][g]);
        }
      }
    }
  };

  /// Vector v of y, and of nothing behind it.
  [[gnu::always_inline]] static void store_output(S* y, std::size_t v, const V& h) noexcept {
    if (units % w == 0 || (v + 1) * w <= units)
      Vectors::store(y + v * w, h);
    else
      Vectors::store_first(y + v * w, h, units - v * w);
  }

  /// Scalars that a step leaves for the next: h, twice with `turns`, and behind it the cells.
  static constexpr std::size_t cells_at = (turns ? 2 : 1) * sizes.lanes();
  static constexpr std::size_t state_size = cells_at + (sizes.states - 2) * sizes.lanes();

  /// x [features] -> y = h [units], from and to `state`. `sums` is memory for 4 lanes, and `turn` even and odd in turn.
  [[gnu::always_inline]] static void step(const S* x, const S* packed, S* state, S* y, S* sums,
                                          [[maybe_unused]] std::uint64_t turn) noexcept {
    S* const cells = state + cells_at;
    if constexpr (inputs_first)
      row_times_packed<S, typename Cell::Arch, sizes.features, gates * sizes.lanes()>(x, packed + sizes.input_at(),
                                                                                      packed, sums);
    if constexpr (turns) {
      S* const other = state + sizes.lanes();
      if (turn % 2 == 1)
        sum_and_activate<true>(x, packed, other, state, cells, y, sums);
      else
        sum_and_activate<false>(x, packed, state, other, cells, y, sums);
    } else {
      for_each_group([&](std::size_t v, auto size) __attribute__((always_inline)) {
        Cell::template add_up<decltype(size)::value, false>(v, x, packed, state, sums);
      });
      for_each_group([&](std::size_t v, auto size) __attribute__((always_inline)) {
        Cell::template activate<decltype(size)::value>(v, sums, state, state, cells, y);
      });
    }
  }

 private:
  /// f(first vector, constant number of vectors) for all groups of vectors.
  template <class F>
  [[gnu::always_inline]] static void for_each_group(F&& f) noexcept {
    constexpr std::size_t groups = ceil_div(count, together), last = count - (groups - 1) * together;
    AILA_UNROLL_4
    for (std::size_t i = 0; i < groups; ++i) {
      if (last == together || i + 1 < groups)
        f(i * together, std::integral_constant<std::size_t, together>{});
      else
        f(i * together, std::integral_constant<std::size_t, last>{});
    }
  }
  /// The gates of a group are computed while the weights of the next one come from the second-level cache.
  template <bool Backward>
  [[gnu::always_inline]] static void sum_and_activate(const S* x, const S* packed, const S* before, S* h, S* cells,
                                                      S* y, S* sums) noexcept {
    AILA_UNROLL_4
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t v = Backward ? count - 1 - i : i;
      Cell::template add_up<1, Backward>(v, x, packed, before, sums);
      Cell::template activate<1>(v, sums, before, h, cells, y);
    }
  }
};

/// Calls f(carried) for a block of `count` steps of which step number `turn` is the first: `carried` is what one_step
/// left in `state`, and what f leaves there is where one_step will look for it.
template <class Cell, class S, class F>
void with_carried(S* state, std::uint64_t turn, std::size_t count, F&& f) noexcept {
  using Step = OneStep<Cell>;
  constexpr std::size_t lanes = Cell::sizes.lanes();
  const auto h = [&](std::uint64_t number) { return state + (Step::turns && number % 2 == 1 ? lanes : 0); };
  f(CarriedState<S>{h(turn), state + Step::cells_at, turn == 0});
  if (h(turn + count) != h(turn)) std::memcpy(h(turn + count), h(turn), lanes * sizeof(S));
}

/// Valid steps of a block: each counts as a sample of one step.
inline std::int32_t valid_in_block(const std::int32_t* lengths, std::size_t count) noexcept {
  std::size_t valid = 0;
  while (valid < count && (lengths == nullptr || lengths[valid] > 0)) ++valid;
  return static_cast<std::int32_t>(valid);
}

/// Lanes of units whose sums are on the stack, in registers where there are few.
inline constexpr std::size_t most_lanes_on_stack = 256;

/// Scalars of scratch that the step of a cell needs.
template <class Cell>
constexpr std::size_t one_step_scratch() noexcept {
  return Cell::sizes.lanes() > most_lanes_on_stack ? 4 * Cell::sizes.lanes() : 0;
}
template <class Cell, class S>
[[gnu::always_inline]] inline void one_step(const S* x, const S* packed, S* state, S* y, [[maybe_unused]] S* scratch,
                                            std::uint64_t turn) noexcept {
  if constexpr (one_step_scratch<Cell>() > 0) {
    OneStep<Cell>::step(x, packed, state, y, scratch, turn);
  } else {
    alignas(64) S sums[4 * Cell::sizes.lanes()];
    OneStep<Cell>::step(x, packed, state, y, sums, turn);
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
