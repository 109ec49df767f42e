// What a backend is: where the numbers of a network lie, who computes on them, and how a batch is split for that.
//
// A backend is a type with
//   using Scalar = float;
//       the numbers of the program: parameters, inputs, outputs
//   using Types = backend::Types<float>;
//       what its kernels store maps in, compute with and add up in
//   using Memory = ...;
//       static constexpr bool is_host: whether the program may look at an array while no work is under way;
//       template <class T> Array: Array<T>(count) owns zeroed elements, at 64 bytes or more: copied, moved, data(),
//       size(); (optional) template <class T> HostArray: likewise, where the program writes what goes there
//   using Queue = ...;
//       the work of one thread of the program, in order, see WorkQueue; Pass::queue points to it; (optional) its
//       Repeated does again what is put on it again, see RepeatedWork
//   using Kernels = ...;
//       (optional) the backend whose kernels it runs, by select_kernel; its own, where it does not say
//   using Split = GroupSplit;
//       how a batch becomes groups: groups and samples of `of(batch, parameters)`, the most of both, and those of an
//       evaluation
//   static constexpr const char* name;
// and what of a training step is no kernel of a layer is written once for all backends with the same kind of kernels:
// TrainingStep, LossOver and PaddedSteps are specialised for those that run on the host.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include "../core/arena.hpp"
#include "group_split.hpp"

namespace aila::inline v0 {

namespace backend {

/// Of kernels: in what maps and packed weights lie, what is multiplied, and in what products are summed.
template <class StorageType, class ComputeType = StorageType, class AccumulationType = ComputeType>
struct Types {
  using Storage = StorageType;
  using Compute = ComputeType;
  using Accumulation = AccumulationType;
};

/// Memory that program and kernels share.
struct HostMemory {
  static constexpr bool is_host = true;
  template <class T>
  using Array = AlignedArray<T>;
};

/// Work is done when it is put here.
struct HostQueue {
  template <class F>
  constexpr void run(F&& work) const {
    work();
  }
  template <class T>
  constexpr void to_device(const T* host, std::size_t count, T* device) const {
    std::copy_n(host, count, device);
  }
  template <class T>
  constexpr void to_host(const T* device, std::size_t count, T* host) const {
    std::copy_n(device, count, host);
  }
  template <class T>
  constexpr void clear(std::size_t count, T* device) const {
    std::fill_n(device, count, T{});
  }
};

/// What backends that compute on the host's memory have in common.
template <class ScalarType, class TypesOfKernels = backend::Types<ScalarType>>
struct OnHost {
  using Scalar = ScalarType;
  using Types = TypesOfKernels;
  using Memory = HostMemory;
  using Queue = HostQueue;
  using Split = GroupSplit;
  static constexpr bool is_host = true;
};

}  // namespace backend

/// Memory of a backend belongs to its queue: what runs on it, in the order in which it was put there, reads and writes
/// it, and nobody else. run(work) calls work(), which computes, or tells a device what to compute; to_device copies
/// what may be changed when it returns; to_host returns when all work before is done and the copy is there; clear
/// writes zeros. All of them may be called by work, too. (Optional) send is to_device of a HostArray, without a wait:
/// it stays as it is until to_host, or wait, returns; there(f) calls f() with the queue's device as the thread's.
template <class Q>
concept WorkQueue = std::default_initializable<Q> &&
                    requires(Q& queue, void (&work)(), const float* from, float* to, std::size_t count) {
                      queue.run(work);
                      queue.to_device(from, count, to);
                      queue.to_host(from, count, to);
                      queue.clear(count, to);
                    };

namespace detail {
/// Work that is put on a queue again and again: run(queue, numbers, work), of which `numbers` tell all that work()
/// depends on. A queue that can do at once what it did for equal numbers has one of its own.
struct RepeatedWork {
  static constexpr bool looks_at_numbers = false;
};
template <class Queue>
struct RepeatedOn {
  using type = RepeatedWork;
};
template <class Queue>
  requires requires { typename Queue::Repeated; }
struct RepeatedOn<Queue> {
  using type = typename Queue::Repeated;
};
template <class T, class Memory>
struct HostArrayFor {
  using type = AlignedArray<T>;
};
template <class T, class Memory>
  requires requires { typename Memory::template HostArray<T>; }
struct HostArrayFor<T, Memory> {
  using type = typename Memory::template HostArray<T>;
};

template <class B>
struct KernelsOfBackend {
  using type = B;
};
template <class B>
  requires requires { typename B::Kernels; }
struct KernelsOfBackend<B> {
  using type = typename B::Kernels;
};
}  // namespace detail

/// The backend that this one's kernels are written for.
template <class B>
using KernelsOf = typename detail::KernelsOfBackend<B>::type;

/// Memory of a backend.
template <class T, class B>
using ArrayOn = typename B::Memory::template Array<T>;
/// Memory of the program that a backend copies from and to.
template <class T, class B>
using HostArrayOf = typename detail::HostArrayFor<T, typename B::Memory>::type;

template <class B>
concept ComputeBackend =
    WorkQueue<typename B::Queue> && requires(const ArrayOn<typename B::Scalar, B>& array, std::size_t batch) {
      requires std::same_as<typename KernelsOf<B>::Scalar, typename B::Scalar>;
      typename B::Types::Storage;
      typename B::Types::Compute;
      typename B::Types::Accumulation;
      { B::Memory::is_host } -> std::convertible_to<bool>;
      { array.data() } -> std::same_as<const typename B::Scalar*>;
      { array.size() } -> std::same_as<std::size_t>;
      { B::Split::of(batch, batch).groups } -> std::convertible_to<std::size_t>;
      { B::Split::of(batch, batch).samples } -> std::convertible_to<std::size_t>;
      { B::Split::most_samples(batch, batch) } -> std::same_as<std::size_t>;
      { B::Split::most_groups(batch, batch) } -> std::same_as<std::size_t>;
      { B::Split::most } -> std::convertible_to<std::size_t>;
      { B::Split::evaluation } -> std::convertible_to<std::size_t>;
      { B::name } -> std::convertible_to<const char*>;
    };

/// Whether the program shares its memory with this backend.
template <class B>
inline constexpr bool shares_memory = B::Memory::is_host;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
