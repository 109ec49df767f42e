// Functions that stop in the middle and go on later, each on a stack of its own.
//
// go(from, to) goes on where `to` was left; `from` goes on behind it where somebody goes to it. swapcontext does the
// same and asks the system each time.
#pragma once

#include <cstddef>

#ifndef __x86_64__
#include <ucontext.h>
#endif

namespace emulated {

#ifdef __x86_64__
using Context = void*;  // the top of a stack: a function's registers, and where it goes on
extern "C" void aila_emulated_switch(Context* from, const Context* to);
asm(R"(
.text
aila_emulated_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
inline void go(Context& from, const Context& to) {
  aila_emulated_switch(&from, &to);
}
inline Context begin_at(void (*function)(), std::byte* stack, std::size_t bytes) {
  auto* const top = reinterpret_cast<void**>(stack + bytes) - 8;  // as a call leaves it: 8 less than a multiple of 16
  top[6] = reinterpret_cast<void*>(function);
  return top;
}
#else
using Context = ucontext_t;
inline void go(Context& from, const Context& to) {
  swapcontext(&from, &to);
}
inline Context begin_at(void (*function)(), std::byte* stack, std::size_t bytes) {
  Context context;
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = bytes;
  context.uc_link = nullptr;
  makecontext(&context, function, 0);
  return context;
}
#endif

}  // namespace emulated
