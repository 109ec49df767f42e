// A device that is the host: what kernels and the runtime ask of it.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>

namespace emulated {

using Where = std::source_location;

struct Launch {
  const void* kernel;
  dim3 blocks, threads;
  std::size_t shared;
  std::function<void()> thread;  ///< what one thread does
};

/// Runs it block by block on the thread that stands for the device. What is wrong in a kernel ends the process with one
/// sentence that says which, in which block and thread.
void run(const Launch& launch);
/// Any other work of the device's.
void on_device(const std::function<void()>& work);

// Of the thread that runs. ----

void meet_block(Where where);
/// The 64 threads of two neighbouring warps.
void meet_pair(unsigned pair, Where where);
/// What each lane of the warp gave, until the next but one meeting.
const std::uint64_t* meet_warp(unsigned mask, std::uint64_t own, Where where);
/// c += a b by a warp, of TF32.
void multiply_tile(float (&c)[4], const float (&a)[4], const float (&b)[2], Where where);
/// A warp's part of c += a b by four warps: 16 rows, of TF32, by 64 columns; b as WideTile says, its `eight`-th eight.
void multiply_wide(float (&c)[32], const float (&a)[4], const float* b, unsigned eight, Where where);

std::byte* dynamic_shared();
/// The copy lands when it is waited for; until then what it writes is poison.
void copy_aside(void* to, const void* from, unsigned bytes, unsigned zeros);
void end_copies();
void wait_for_copies(unsigned groups);

// Memory ----

/// Where the process may not go: `at` is behind (or before) an array of so many bytes; null: none of its guards.
const char* guarded(const void* at, std::ptrdiff_t& beyond);
/// An array whose end is the end of what may be touched.
void* allocate(std::size_t bytes, const char* name);
void release(void* at);
bool is_allocated(const void* at);
/// Whether nobody has written behind arrays: they have 64 bytes there that may be read.
bool ends_are_untouched();

}  // namespace emulated
