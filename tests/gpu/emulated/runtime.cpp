// The CUDA runtime of that device. Work of a stream is done as late as it may be: where the host waits for it, or
// another stream that waits for its event. What lacks a wait finds that nothing has been done.
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "device.hpp"

namespace {

using Work = std::function<void()>;

/// Work in order. What is captured stays; other work is dropped when it is done.
struct Sequence {
  std::vector<Work> works;
  std::size_t done = 0, awaited = 0;
  bool is_kept = false;

  void run_until(std::size_t position) {
    while (done < position) {
      const std::size_t i = done++;
      if (is_kept)
        works[i]();
      else
        std::exchange(works[i], nullptr)();
    }
  }
};
using SequencePointer = std::shared_ptr<Sequence>;

std::recursive_mutex lock;
using Locked = std::lock_guard<std::recursive_mutex>;
cudaError_t last_error = cudaSuccess;
constexpr int most_shared = 227 << 10;
std::map<std::pair<const void*, int>, int> shared_limits;
thread_local int current = 0;
emulated::Device all_devices[emulated::devices];
std::size_t calls = 0, failing_call = 0;

/// Counts a call that takes memory.
bool finds_memory() {
  const Locked locked(lock);
  return ++calls != failing_call;
}

}  // namespace

struct CUgraph_st {
  std::vector<SequencePointer> sequences;
  std::vector<cudaStream_t> streams;  ///< the first began
};
struct CUgraphExec_st {
  std::vector<SequencePointer> sequences;
};
struct CUstream_st {
  SequencePointer sequence = std::make_shared<Sequence>(), aside;
  CUgraph_st* capture = nullptr;
  int device = current;

  void join(CUgraph_st* graph) {
    aside = std::exchange(sequence, std::make_shared<Sequence>());
    sequence->is_kept = true;
    capture = graph;
    graph->sequences.push_back(sequence);
    graph->streams.push_back(this);
  }
  void leave() {
    sequence = std::move(aside);
    capture = nullptr;
  }
};
struct CUevent_st {
  SequencePointer sequence;
  std::size_t position = 0;
  CUgraph_st* capture = nullptr;
  int device = current;
};

namespace {
std::vector<cudaStream_t> streams;

void drain(Sequence& sequence) {
  if (sequence.done < sequence.works.size()) emulated::on_device([&] { sequence.run_until(sequence.works.size()); });
}
void drain_all() {
  for (const cudaStream_t stream : streams)
    if (stream->capture == nullptr) drain(*stream->sequence);
}
}  // namespace

namespace emulated {

Device& device(int number) {
  return all_devices[number];
}
std::size_t without_memory_at(std::size_t call) {
  const Locked locked(lock);
  failing_call = call;
  return std::exchange(calls, 0);
}

void put_in_order(cudaStream_t stream, Work work) {
  const Locked locked(lock);
  if (stream == cudaStreamPerThread) return on_device(work);
  stream->sequence->works.push_back(std::move(work));
}
void start(Launch launch, cudaStream_t stream) {
  const Locked locked(lock);
  launch.device = current;
  const auto limit = shared_limits.find({launch.kernel, current});
  const std::size_t threads = std::size_t{launch.threads.x} * launch.threads.y * launch.threads.z;
  const std::size_t most = limit == shared_limits.end() ? 48 << 10 : static_cast<std::size_t>(limit->second);
  if (threads == 0 || threads > 1024 || launch.blocks.y > 65535 || launch.blocks.z > 65535 || launch.shared > most)
    last_error = cudaErrorInvalidConfiguration;
  else if (stream != cudaStreamPerThread && stream->device != current)
    last_error = cudaErrorInvalidResourceHandle;
  else
    put_in_order(stream, [launch = std::move(launch)] { run(launch); });
}

// ---- memory

namespace {
struct Array {
  std::byte *pages, *begin;
  std::size_t page_bytes, bytes;
  const char* name;
  int device;
  bool is_hidden = false;
};
std::mutex arrays_lock;  // of its own: the device's thread asks, too
std::map<const void*, Array> arrays;
const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
constexpr std::size_t alignment = 64, readable = 64;  ///< behind the elements of an array, see cuda::Array
constexpr std::byte poison{0xff};
constexpr const char* array_of_device = "an array of the device";

void hide(Array& array, bool hides) {
  if (array.is_hidden == hides) return;
  mprotect(array.pages + page, array.page_bytes - 2 * page, hides ? PROT_NONE : PROT_READ | PROT_WRITE);
  array.is_hidden = hides;
}
}  // namespace

void* allocate(std::size_t bytes, const char* name, int device) {
  const std::lock_guard locked(arrays_lock);
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  const std::size_t inside = (rounded + page - 1) / page * page, all = inside + 2 * page;
  void* const at = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return nullptr;
  auto* const pages = static_cast<std::byte*>(at);
  mprotect(pages + page, inside, PROT_READ | PROT_WRITE);
  std::memset(pages + page, static_cast<int>(poison), inside);
  std::byte* const begin = pages + page + inside - rounded;
  arrays[begin] = {pages, begin, all, bytes, name, device};
  if (device >= 0) all_devices[device].used += bytes;
  return begin;
}
void release(void* at) {
  const std::lock_guard locked(arrays_lock);
  const auto found = arrays.find(at);
  if (const Array& array = found->second; array.device >= 0) all_devices[array.device].used -= array.bytes;
  munmap(found->second.pages, found->second.page_bytes);
  arrays.erase(found);
}
int device_of(const void* at) {
  const std::lock_guard locked(arrays_lock);
  const auto behind = arrays.upper_bound(at);
  if (behind == arrays.begin()) return -2;
  const Array& array = std::prev(behind)->second;
  return static_cast<const std::byte*>(at) < array.begin + array.bytes ? array.device : -2;
}
void hide_others(int device) {
  const std::lock_guard locked(arrays_lock);
  for (auto& [begin, array] : arrays) hide(array, array.device >= 0 && array.device != device);
}
void show_all() {
  const std::lock_guard locked(arrays_lock);
  for (auto& [begin, array] : arrays) hide(array, false);
}
const char* guarded(const void* at, std::ptrdiff_t& beyond) {
  const auto* const byte = static_cast<const std::byte*>(at);
  for (const auto& [begin, array] : arrays)
    if (byte >= array.pages && byte < array.pages + array.page_bytes) {
      beyond = byte - (array.begin + array.bytes);
      return array.is_hidden ? "an array of another device" : array.name;
    }
  return nullptr;
}
bool ends_are_untouched() {
  const std::lock_guard locked(arrays_lock);
  return std::ranges::all_of(arrays, [](const auto& of) {
    const Array& array = of.second;
    if (array.name != array_of_device) return true;
    const std::byte* const end = array.begin + array.bytes;  // as it was given, or cleared
    return std::all_of(end - readable, end, [](std::byte b) { return b == std::byte{0}; }) ||
           std::all_of(end - readable, end, [](std::byte b) { return b == poison; });
  });
}

}  // namespace emulated

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = emulated::devices;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= emulated::devices) return cudaErrorInvalidDevice;
  current = device;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  const Locked locked(lock);
  return std::exchange(last_error, cudaSuccess);
}
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorInvalidConfiguration    ? "a grid, block or shared memory that the device does not have"
         : error == cudaErrorInvalidResourceHandle ? "a stream or event of another device"
         : error == cudaErrorMemoryAllocation      ? "out of memory"
                                                   : "an error of the emulated device";
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  const std::lock_guard locked(emulated::arrays_lock);
  const emulated::Device& of = all_devices[current];
  *total = of.memory;
  *free = of.memory - std::min(of.used, of.memory);
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* of, const void*) {
  *of = {};
  of->sharedSizeBytes = 1;  // what it was compiled for has all instructions
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  const int capability = all_devices[device].capability;
  if (attribute == cudaDevAttrMaxSharedMemoryPerBlockOptin)
    *value = most_shared;
  else if (attribute == cudaDevAttrComputeCapabilityMajor)
    *value = capability / 10;
  else if (attribute == cudaDevAttrComputeCapabilityMinor)
    *value = capability % 10;
  else
    return cudaErrorInvalidValue;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* of, int) {
  *of = {};
  std::strcpy(of->name, "emulated");
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
  const Locked locked(lock);
  if (value > most_shared) return cudaErrorInvalidValue;
  shared_limits[{kernel, current}] = value;
  return cudaSuccess;
}
cudaError_t cudaFuncGetName(const char** name, const void* kernel) {
  Dl_info info;
  if (dladdr(kernel, &info) == 0 || info.dli_sname == nullptr) return cudaErrorInvalidDeviceFunction;
  *name = info.dli_sname;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** at, std::size_t bytes) {
  std::size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  if (!finds_memory() || bytes > free) return cudaErrorMemoryAllocation;
  *at = emulated::allocate(bytes, emulated::array_of_device, current);
  return *at == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFree(void* at) {
  const Locked locked(lock);
  drain_all();
  emulated::release(at);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** at, std::size_t bytes) {
  if (!finds_memory()) return cudaErrorMemoryAllocation;
  *at = emulated::allocate(bytes, "a pinned array");
  return *at == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* at) {
  return cudaFree(at);
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* of, const void* at) {
  *of = {};
  const int device = emulated::device_of(at);
  of->type = device == -2 ? cudaMemoryTypeUnregistered : device == -1 ? cudaMemoryTypeHost : cudaMemoryTypeDevice;
  of->device = device;
  return cudaSuccess;
}
/// Memory of the host that is not pinned is read before the call returns, and written before it does.
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (kind == cudaMemcpyHostToDevice && emulated::device_of(from) == -2) {
    const auto* const first = static_cast<const std::byte*>(from);
    emulated::put_in_order(stream, [to, staged = std::vector<std::byte>(first, first + bytes)] {
      std::memcpy(to, staged.data(), staged.size());
    });
    return cudaSuccess;
  }
  emulated::put_in_order(stream, [=] { std::memmove(to, from, bytes); });
  if (kind == cudaMemcpyDeviceToHost && emulated::device_of(to) == -2) return cudaStreamSynchronize(stream);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  emulated::put_in_order(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Locked locked(lock);
  if (!finds_memory()) return cudaErrorMemoryAllocation;
  *stream = new CUstream_st;
  streams.push_back(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Locked locked(lock);
  drain(*stream->sequence);
  std::erase(streams, stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Locked locked(lock);
  if (stream == cudaStreamPerThread) return cudaSuccess;  // its work is done at once
  if (stream->capture != nullptr) return cudaErrorStreamCaptureUnsupported;
  drain(*stream->sequence);
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Locked locked(lock);
  if (event->sequence == nullptr) return cudaSuccess;
  if (event->capture != nullptr && stream->capture == nullptr) stream->join(event->capture);
  if (event->capture != stream->capture) return cudaErrorStreamCaptureIsolation;
  event->sequence->awaited = std::max(event->sequence->awaited, event->position);
  emulated::put_in_order(stream, [of = event->sequence, position = event->position] { of->run_until(position); });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  if (!finds_memory()) return cudaErrorMemoryAllocation;
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Locked locked(lock);
  if (event->device != stream->device) return cudaErrorInvalidResourceHandle;
  *event = {stream->sequence, stream->sequence->works.size(), stream->capture, event->device};
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const Locked locked(lock);
  stream->join(new CUgraph_st);
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Locked locked(lock);
  *graph = stream->capture;
  bool are_joined = true;
  for (const cudaStream_t joined : (*graph)->streams) {
    if (joined != stream && joined->sequence->awaited < joined->sequence->works.size()) are_joined = false;
    joined->leave();
  }
  return are_joined ? cudaSuccess : cudaErrorStreamCaptureUnjoined;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* program, cudaGraph_t graph, unsigned long long) {
  if (!finds_memory()) {
    for (const SequencePointer& sequence : graph->sequences) sequence->works.clear();  // they hold one another
    return cudaErrorMemoryAllocation;
  }
  *program = new CUgraphExec_st{graph->sequences};
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t program, cudaStream_t stream) {
  emulated::put_in_order(stream, [all = program->sequences] {
    for (const SequencePointer& sequence : all) sequence->done = 0;
    all.front()->run_until(all.front()->works.size());
  });
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t program) {
  const Locked locked(lock);
  drain_all();
  for (const SequencePointer& sequence : program->sequences) sequence->works.clear();  // they hold one another
  delete program;
  return cudaSuccess;
}

}  // extern "C"
