// Blocks of threads on one thread of the host. Threads of a block are fibers: one goes on until it meets others, in an
// order that changes, so that what lacks a barrier reads too early in one of them.
#include "device.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fiber.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulated {
namespace {

constexpr unsigned most_threads = 1024;
constexpr std::size_t stack_bytes = 512 << 10, most_shared = 227 << 10;
constexpr int poison = 0xff;  // of floats NaN, of integers -1

enum class State { ready, meets_warp, meets_pair, meets_block, ended };

struct Copy {
  void* to;
  const void* from;
  unsigned bytes, zeros;
  std::size_t group;
};

struct Thread {
  Context context;
  State state = State::ready;
  unsigned number = 0;
  uint3 place{};
  Where where;
  std::vector<Copy> copies;
  std::size_t group = 0;
};

/// Of tensor cores: the first lane behind the meeting works it out.
struct Product {
  float a[16][8], b[8][8], sum[16][8];
  bool is_done;
};
struct Warp {
  unsigned threads = 0, arrived = 0, ready = 0, round = 0;
  unsigned step = 1;  ///< from one lane to the next, backwards or forwards
  std::uint64_t given[2][32];
  Product products[2];
};

struct Block {
  const Launch* launch = nullptr;
  unsigned threads = 0, arrived = 0, ended = 0;
  unsigned of_pair[16] = {};
};

Thread threads[most_threads];
Warp warps[most_threads / 32];
Block block;
Thread* current = nullptr;
Context scheduler;
std::byte *shared_end = nullptr, *shared_begin = nullptr;
std::uint64_t launches = 0, chance = 0;
char handler_stack[64 << 10];
std::atomic<std::uint64_t> blocks_done = 0;
std::atomic<double> patience = 100;

std::string kernel_name() {
  Dl_info info;
  if (block.launch == nullptr || dladdr(block.launch->kernel, &info) == 0 || info.dli_sname == nullptr)
    return "without a name";
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> whole(abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status),
                                                     &std::free);
  const std::string name = status == 0 ? whole.get() : info.dli_sname;
  const std::size_t end = name.find_first_of("<("), begin = name.rfind(' ', end);
  return name.substr(begin == name.npos ? 0 : begin + 1, end - (begin == name.npos ? 0 : begin + 1));
}

[[noreturn, gnu::format(printf, 1, 2)]] void fail(const char* format, ...) {
  std::fflush(stdout);
  std::fprintf(stderr, "kernel %s, block (%u, %u, %u), thread %u: ", kernel_name().c_str(), blockIdx.x, blockIdx.y,
               blockIdx.z, current == nullptr ? 0 : current->number);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
  std::_Exit(1);
}

std::string place_of(const Where& where) {
  const std::string file = where.file_name();
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(where.line());
}

bool is_same(const Where& a, const Where& b) {
  return a.line() == b.line() && (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

// ---- fibers

void enter(Thread& thread, Context& from) {
  --warps[thread.number / 32].ready;
  current = &thread;
  threadIdx = thread.place;
  go(from, thread.context);
}
/// The current thread stops: the next one of its warp that is ready goes on, or the scheduler where none is.
void yield() {
  Thread& own = *current;
  Warp& warp = warps[own.number / 32];
  for (unsigned lane = own.number % 32 + warp.step; warp.ready > 0 && lane < warp.threads; lane += warp.step) {
    Thread& next = threads[own.number / 32 * 32 + lane];
    if (next.state == State::ready) return enter(next, own.context);
  }
  go(own.context, scheduler);
}
void thread_main() {
  for (;;) {
    block.launch->thread();
    current->state = State::ended;
    ++block.ended;
    yield();
  }
}
/// Stacks have a page below them that nobody may touch.
void make_threads() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  auto* const stacks = static_cast<std::byte*>(mmap(nullptr, most_threads * stack_bytes, PROT_READ | PROT_WRITE,
                                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  for (unsigned i = 0; i < most_threads; ++i) {
    mprotect(stacks + i * stack_bytes, page, PROT_NONE);
    threads[i].context = begin_at(&thread_main, stacks + i * stack_bytes, stack_bytes);
    threads[i].number = i;
  }
  shared_end = static_cast<std::byte*>(allocate(most_shared, "the block's dynamic shared memory")) + most_shared;
}

// ---- meetings

/// The current thread waits until `all` threads from `first` on have come; `arrived` counts them.
bool meet(State state, unsigned& arrived, unsigned first, unsigned all, const Where& where) {
  current->state = state;
  current->where = where;
  if (++arrived < all) return false;
  arrived = 0;
  for (Thread* t = threads + first; t < threads + first + all; ++t) {
    if (!is_same(t->where, where))
      fail("meets thread %u, which is at %s, and not at %s", t->number, place_of(t->where).c_str(),
           place_of(where).c_str());
    t->state = State::ready;
    ++warps[t->number / 32].ready;
  }
  return true;
}

[[noreturn]] void fail_stuck() {
  const Thread *waits = nullptr, *other = nullptr;
  for (unsigned i = 0; i < block.threads; ++i)
    if (threads[i].state != State::ended && waits == nullptr) waits = &threads[i];
  for (unsigned i = 0; i < block.threads; ++i)
    if (threads[i].state != waits->state) other = &threads[i];
  current = const_cast<Thread*>(waits);
  const std::string at = place_of(waits->where);
  if (other == nullptr) fail("waits at %s for threads that the block does not have", at.c_str());
  if (other->state == State::ended) fail("waits at %s, and thread %u has ended", at.c_str(), other->number);
  fail("waits at %s, and thread %u at %s", at.c_str(), other->number, place_of(other->where).c_str());
}

/// The lower 13 bits are not looked at.
float truncated(float x) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xffffe000U);
}

bool next_chance() {
  chance = chance * 6364136223846793005U + 1442695040888963407U;
  return (chance >> 62 & 1) != 0;
}
/// Its threads go on, forwards or backwards; whether any did.
bool run_warp(unsigned number) {
  Warp& warp = warps[number];
  bool any = false;
  while (warp.ready > 0) {
    any = true;
    const bool backwards = next_chance();
    warp.step = backwards ? ~0U : 1U;
    unsigned lane = backwards ? warp.threads - 1 : 0;
    while (threads[32 * number + lane].state != State::ready) lane += warp.step;
    enter(threads[32 * number + lane], scheduler);
  }
  return any;
}

// ---- poison

/// The memory that __shared__ variables are in: those of the program that are a thread's.
int find_shared(dl_phdr_info* info, std::size_t, void* found) {
  for (int i = 0; i < info->dlpi_phnum; ++i)
    if (info->dlpi_phdr[i].p_type == PT_TLS)
      *static_cast<std::pair<void*, std::size_t>*>(found) = {info->dlpi_tls_data, info->dlpi_phdr[i].p_memsz};
  return 1;  // the program is the first
}

void run_block() {
  static const auto variables = [] {
    std::pair<void*, std::size_t> found{};
    dl_iterate_phdr(&find_shared, &found);
    return found;
  }();
  std::memset(variables.first, poison, variables.second);
  std::memset(shared_begin, poison, static_cast<std::size_t>(shared_end - shared_begin));
  block.arrived = block.ended = 0;
  std::fill(std::begin(block.of_pair), std::end(block.of_pair), 0);
  const unsigned count = (block.threads + 31) / 32;
  for (unsigned w = 0; w < count; ++w) {
    warps[w].threads = warps[w].ready = std::min(32U, block.threads - 32 * w);
    warps[w].arrived = 0;
  }
  for (unsigned i = 0; i < block.threads; ++i) {
    Thread& thread = threads[i];
    thread.state = State::ready;
    thread.place = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
    thread.copies.clear();
    thread.group = 0;
  }
  while (block.ended < block.threads) {
    bool any = false;
    const bool backwards = next_chance();
    for (unsigned w = 0; w < count; ++w) any = run_warp(backwards ? count - 1 - w : w) || any;
    if (!any) fail_stuck();
  }
}

/// Ends the process where the device's thread, of this clock, does not come to the end of a block.
void watch(clockid_t clock) {
  std::uint64_t done = 0;
  double since = 0;
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    timespec time{};
    clock_gettime(clock, &time);
    const double now = static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    if (const std::uint64_t seen = blocks_done; seen != done) {
      done = seen;
      since = now;
    }
    if (block.launch != nullptr && now - since > patience)
      fail("goes on and on: a block may not wait for another one of its grid, which may not run yet");
  }
}

void on_fault(int signal, siginfo_t* info, void*) {
  if (block.launch == nullptr) {
    std::signal(signal, SIG_DFL);
    return;
  }
  std::ptrdiff_t beyond = 0;
  const char* const of = guarded(info->si_addr, beyond);
  if (of == nullptr) fail("an address that is none, %p, or is not aligned", info->si_addr);
  fail("%td bytes %s the end of %s", beyond < 0 ? -beyond : beyond, beyond < 0 ? "before" : "behind", of);
}

}  // namespace

void on_device(const std::function<void()>& work) {
  static std::mutex one;
  static std::binary_semaphore is_asked(0), is_done(0);
  static const std::function<void()>* asked = nullptr;
  const std::lock_guard lock(one);
  [[maybe_unused]] static const bool has_begun = [] {
    std::thread device([] {
      stack_t stack{};
      stack.ss_sp = handler_stack;
      stack.ss_size = sizeof(handler_stack);
      sigaltstack(&stack, nullptr);
      struct sigaction action{};
      action.sa_sigaction = &on_fault;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK;
      sigaction(SIGSEGV, &action, nullptr);
      sigaction(SIGBUS, &action, nullptr);
      make_threads();
      for (;;) {
        is_asked.acquire();
        (*asked)();
        is_done.release();
      }
    });
    clockid_t clock{};
    pthread_getcpuclockid(device.native_handle(), &clock);
    std::thread([clock] { watch(clock); }).detach();
    device.detach();
    return true;
  }();
  asked = &work;
  is_asked.release();
  is_done.acquire();
}

void set_patience(double seconds) {
  patience = seconds;
}

void run(const Launch& launch) {
  block.launch = &launch;
  block.threads = launch.threads.x * launch.threads.y * launch.threads.z;
  gridDim = launch.blocks;
  blockDim = launch.threads;
  shared_begin = shared_end - (launch.shared + 15) / 16 * 16;
  chance = ++launches;
  const std::size_t all = std::size_t{gridDim.x} * gridDim.y * gridDim.z;
  const bool backwards = next_chance();
  hide_others(launch.device);
  for (std::size_t i = 0; i < all; ++i) {
    const std::size_t b = backwards ? all - 1 - i : i;
    blockIdx = {static_cast<unsigned>(b % gridDim.x), static_cast<unsigned>(b / gridDim.x % gridDim.y),
                static_cast<unsigned>(b / gridDim.x / gridDim.y)};
    run_block();
    ++blocks_done;
  }
  current = nullptr;
  show_all();
  if (!ends_are_untouched()) fail("one of the grid has written behind the end of an array");
  block.launch = nullptr;
}

void meet_block(Where where) {
  if (!meet(State::meets_block, block.arrived, 0, block.threads, where)) return yield();
  --warps[current->number / 32].ready;  // it goes on
}
void meet_pair(unsigned pair, Where where) {
  if (current->number / 64 != pair) fail("meets at %s the warps of another pair", place_of(where).c_str());
  if (!meet(State::meets_pair, block.of_pair[pair], 64 * pair, 64, where)) return yield();
  --warps[current->number / 32].ready;
}
const std::uint64_t* meet_warp(unsigned mask, std::uint64_t own, Where where) {
  if (mask != ~0U) fail("a meeting of a part of a warp at %s", place_of(where).c_str());
  Warp& warp = warps[current->number / 32];
  std::uint64_t* const given = warp.given[warp.round % 2];
  given[current->number % 32] = own;
  if (!meet(State::meets_warp, warp.arrived, current->number / 32 * 32, warp.threads, where)) {
    yield();
  } else {
    ++warp.round;
    --warp.ready;
  }
  return given;
}
void multiply_tile(float (&c)[4], const float (&a)[4], const float (&b)[2], Where where) {
  Warp& warp = warps[current->number / 32];
  Product& product = warp.products[warp.round % 2];
  const unsigned lane = current->number % 32, g = lane / 4, t = lane % 4;
  for (unsigned i = 0; i < 4; ++i) product.a[g + i % 2 * 8][t + i / 2 * 4] = truncated(a[i]);
  for (unsigned i = 0; i < 2; ++i) product.b[t + 4 * i][g] = truncated(b[i]);
  product.is_done = false;
  meet_warp(~0U, 0, where);
  if (!std::exchange(product.is_done, true))
    for (unsigned row = 0; row < 16; ++row) {
      float sum[8] = {};
      for (unsigned k = 0; k < 8; ++k)
        for (unsigned column = 0; column < 8; ++column) sum[column] += product.a[row][k] * product.b[k][column];
      std::copy(sum, sum + 8, product.sum[row]);
    }
  for (unsigned i = 0; i < 4; ++i) c[i] += product.sum[g + i / 2 * 8][2 * t + i % 2];
}

/// What products have given that threads wait for, by where that goes.
std::map<const float*, std::array<float, 32>> products_under_way;
void multiply_wide(float (&c)[32], bool sets, const float (&a)[4], const float* b, unsigned eight, Where where) {
  Warp& warp = warps[current->number / 32];
  Product& product = warp.products[warp.round % 2];
  const unsigned lane = current->number % 32, g = lane / 4, t = lane % 4;
  for (unsigned i = 0; i < 4; ++i) product.a[g + i % 2 * 8][t + i / 2 * 4] = truncated(a[i]);
  meet_warp(~0U, 0, where);
  auto& under_way = products_under_way[c];
  if (sets) under_way.fill(0);
  std::fill(c, c + 32, std::numeric_limits<float>::quiet_NaN());
  for (unsigned i = 0; i < 32; ++i) {
    const unsigned row = g + i / 2 % 2 * 8, column = i / 4 * 8 + 2 * t + i % 2;
    float sum = 0;
    for (unsigned k = 0; k < 8; ++k) {
      const unsigned four = (2 * eight + k / 4) ^ column % 8;
      sum += product.a[row][k] * truncated(b[column * 32 + four * 4 + k % 4]);
    }
    under_way[i] += sum;
  }
}
void wait_for_products(float (&c)[32]) {
  const auto it = products_under_way.find(c);
  if (it == products_under_way.end()) fail("waits for products that nobody started");
  std::copy(it->second.begin(), it->second.end(), c);
  products_under_way.erase(it);
}

std::byte* dynamic_shared() {
  return shared_begin;
}
void copy_aside(void* to, const void* from, unsigned bytes, unsigned zeros) {
  const unsigned all = bytes + zeros;
  if (reinterpret_cast<std::uintptr_t>(to) % all != 0 || reinterpret_cast<std::uintptr_t>(from) % all != 0)
    fail("copies %u bytes between addresses that are not aligned to them", all);
  std::memset(to, poison, all);
  current->copies.push_back({to, from, bytes, zeros, current->group});
}
void end_copies() {
  ++current->group;
}
void wait_for_copies(unsigned groups) {
  std::erase_if(current->copies, [&](const Copy& copy) {
    if (copy.group + groups >= current->group) return false;
    std::memcpy(copy.to, copy.from, copy.bytes);
    std::memset(static_cast<std::byte*>(copy.to) + copy.bytes, 0, copy.zeros);
    return true;
  });
}

}  // namespace emulated
