// expect 1: aila: check_gradients of a layer needs an input: check_gradients<Layer, In>()
// expect 2: aila: gradients are checked on a backend in double
// expect 3: aila: gradients are checked on real inputs, not on tokens
// expect 4: aila: gradients are checked on a backend in double
#include <aila/aila.hpp>
#include <aila/learn/check_gradients.hpp>
#include <aila/learn/check_loss_gradients.hpp>
using namespace aila;

bool checked() {
#if defined(MUST_FAIL_1)
  return check_gradients<Tanh>().ok;
#elif defined(MUST_FAIL_2)
  return check_gradients<Tanh, Vector<5>, backend::Cpu>().ok;
#elif defined(MUST_FAIL_3)
  return check_gradients<Tanh, Tokens<5>>().ok;
#elif defined(MUST_FAIL_4)
  return check_loss_gradients<Huber, Vector<5>, backend::Cpu>().ok;
#else
  return check_gradients<Tanh, Vector<5>>().ok && check_loss_gradients<Huber, Vector<5>>().ok;
#endif
}
