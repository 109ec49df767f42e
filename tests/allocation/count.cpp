#include "count.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

namespace {
std::atomic<std::size_t> calls{0};
void note() {
  calls.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

bool allocation::is_counted() {
  return true;
}
std::size_t allocation::count() {
  return calls.load();
}

// glibc lets a program replace these and still reach its own.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);

void* malloc(std::size_t size) {
  note();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  note();
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  note();
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  *block = memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}
void free(void* block) {
  __libc_free(block);
}
}

void* operator new(std::size_t size) {
  note();
  if (void* block = __libc_malloc(size)) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  note();
  if (void* block = __libc_memalign(static_cast<std::size_t>(alignment), size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  __libc_free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  __libc_free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  __libc_free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  __libc_free(block);
}

#else

bool allocation::is_counted() {
  return false;
}
std::size_t allocation::count() {
  return 0;
}

#endif
