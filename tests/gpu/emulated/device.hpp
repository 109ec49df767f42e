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
  int device = 0;
};

/// Runs it block by block on the thread that stands for the device. What is wrong in a kernel ends the process with one
/// sentence that says which, in which block and thread.
void run(const Launch& launch);
/// Most seconds of the processor for one block. They run one after the other, in either order, each to its end: one
/// that waits for another of its grid never gets there, as on a device that has no room for both.
void set_patience(double seconds);
/// Any other work of the device's.
void on_device(const std::function<void()>& work);

/// What a test may make of one of the two devices: they are one thread and one memory, and each call knows of which
/// it is. A kernel may go to arrays of its own device alone.
struct Device {
  std::size_t memory = std::size_t{8} << 30, used = 0;
  int capability = 90;
};
inline constexpr int devices = 2;
Device& device(int number);
/// The call from now on with this number, counted from 1, of those that take memory finds none; 0: none of them. Gives
/// how many were counted since the last time.
std::size_t without_memory_at(std::size_t call);

// Of the thread that runs. ----

void meet_block(Where where);
/// The 64 threads of two neighbouring warps.
void meet_pair(unsigned pair, Where where);
/// What each lane of the warp gave, until the next but one meeting.
const std::uint64_t* meet_warp(unsigned mask, std::uint64_t own, Where where);
/// c += a b by a warp, of TF32.
void multiply_tile(float (&c)[4], const float (&a)[4], const float (&b)[2], Where where);
/// A warp's part of c = or += a b by four warps: 16 rows, of TF32, by 64 columns; b as WideTile says, its `eight`-th
/// eight. The product lands when it is waited for; until then c is no number.
void multiply_wide(float (&c)[32], bool sets, const float (&a)[4], const float* b, unsigned eight, Where where);
void wait_for_products(float (&c)[32]);

std::byte* dynamic_shared();
/// The copy lands when it is waited for; until then what it writes is poison.
void copy_aside(void* to, const void* from, unsigned bytes, unsigned zeros);
void end_copies();
void wait_for_copies(unsigned groups);

// Memory ----

/// Where the process may not go: `at` is behind (or before) an array of so many bytes; null: none of its guards.
const char* guarded(const void* at, std::ptrdiff_t& beyond);
/// An array whose end is the end of what may be touched.
void* allocate(std::size_t bytes, const char* name, int device = -1);
void release(void* at);
/// The device of an array, -1 for one that is pinned memory of the host; -2: it is no array.
int device_of(const void* at);
/// Nobody may touch arrays of other devices than this one, until show_all.
void hide_others(int device);
void show_all();
/// Whether nobody has written behind arrays: they have 64 bytes there that may be read.
bool ends_are_untouched();

}  // namespace emulated
