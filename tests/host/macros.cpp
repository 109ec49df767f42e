// Included behind headers of others that define macros with short names, aila works as ever: all of it compiles, trains
// and predicts. What those headers define stands here as they have it; those that are on every machine are included.
#include <complex.h>
#include <sys/param.h>
#include <sys/sysmacros.h>
#include <termios.h>

// <complex.h> as C has it
#define complex _Complex

// X11
#define Above 0
#define Always 2
#define Below 1
#define Bool int
#define Complex 0
#define CurrentTime 0L
#define False 0
#define KeyPress 2
#define None 0L
#define Status int
#define Success 0
#define True 1
#define Unsorted 0
#define index(s, c) (strchr((s), (c)))

// <windows.h>
#define CONST const
#define DELETE (0x00010000L)
#define ERROR 0
#define GetMessage GetMessageA
#define IN
#define NO_ERROR 0L
#define OPTIONAL
#define OUT
#define THIS INTERFACE* This
#define VOID void
#define far
#define interface struct
#define near
#define pascal __stdcall
#define small char
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define min(a, b) (((a) < (b)) ? (a) : (b))

// Arduino.h
#define B1 1
#define DEFAULT 1
#define DISPLAY 0x1
#define EULER 2.718281828459045235360287471352
#define F(string_literal) (reinterpret_cast<const __FlashStringHelper*>(PSTR(string_literal)))
#define HIGH 0x1
#define INPUT 0x0
#define LOW 0x0
#define OUTPUT 0x1
#define PI 3.1415926535897932384626433832795
#define SERIAL 0x0
#define abs(x) ((x) > 0 ? (x) : -(x))
#define bit(b) (1UL << (b))
#define constrain(amt, low, high) ((amt) < (low) ? (low) : ((amt) > (high) ? (high) : (amt)))
#define degrees(rad) ((rad) * RAD_TO_DEG)
#define interrupts() sei()
#define radians(deg) ((deg) * DEG_TO_RAD)
#define round(x) ((x) >= 0 ? (long)((x) + 0.5) : (long)((x) - 0.5))
#define sq(x) ((x) * (x))
#define word(...) makeWord(__VA_ARGS__)

// Qt
#define emit
#define foreach Q_FOREACH
#define forever for (;;)
#define signals public
#define slots

// macOS, game engines, curses
#define check(expression) abort_unless(expression)
#define columns CUR Numbers[0]
#define lines CUR Numbers[2]
#define require(expression, label) abort_unless(expression)
#define verify(expression) abort_unless(expression)
#define nil nullptr
#define NO false
#define YES true

#include <aila/aila.hpp>
#include <aila/data/background.hpp>
#include <aila/data/csv.hpp>
#include <aila/data/imdb.hpp>
#include <aila/data/mnist.hpp>
#include <aila/eigen.hpp>
#include <aila/eigen_tensor.hpp>
#include <aila/io.hpp>

#include <cstdio>
#include <vector>

// Behind the headers the macros are what they were.
static_assert(None == 0L && Success == 0 && HIGH == 0x1 && B1 == 1 && min(2, 1) == 1 && max(2, 1) == 2 &&
              round(1.5) == 2);

namespace {

/// `integrate::None` by the name that it has where None is a macro.
struct Sums
    : aila::Network<aila::Vector<2>, aila::Stack<aila::integrate::NoConnection, aila::Linear<4>, aila::Linear<4>>,
                    aila::Linear<1>> {};

int run() {
  aila::Samples<aila::Vector<2>> train;
  for (int sample = 0; sample < 32; ++sample) {
    const float a = static_cast<float>(sample % 8) / 8.0F, b = static_cast<float>(sample / 8) / 4.0F;
    train.inputs.insert(train.inputs.end(), {a, b});
    train.targets.push_back(a + b);
  }
  aila::Model<Sums> model{aila::Seed{7}};
  const aila::History history = aila::fit(model, train, {.epochs = 20});
  aila::Predictor<Sums> predict{model};
  const std::vector<float> x{0.5F, 0.25F};
  const float sum = predict(x)[0];
  std::printf("loss %g -> %g, %g\n", history.epochs.front().training_loss, history.epochs.back().training_loss,
              static_cast<double>(sum));
  return history.epochs.back().training_loss < history.epochs.front().training_loss && sum > 0 ? 0 : 1;
}

}  // namespace

int main() {
  return run();
}
