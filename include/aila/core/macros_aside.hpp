// Macros of other libraries whose names are names here, or in the headers that are included from here, are put aside:
// every header with code of its own begins with this and ends with macros_back.hpp, so that the order of a program's
// includes does not matter. Among the names that programs write, None alone is such a macro (X11):
// integrate::NoConnection is the same. Without `#pragma once`, as each header includes it anew.
#include "config.hpp"

// <complex.h>
#pragma push_macro("I")
#undef I
#pragma push_macro("complex")
#undef complex

// X11
#pragma push_macro("None")
#undef None
#pragma push_macro("Success")
#undef Success
#pragma push_macro("index")
#undef index

// <windows.h>
#pragma push_macro("far")
#undef far
#pragma push_macro("near")
#undef near
#pragma push_macro("max")
#undef max
#pragma push_macro("min")
#undef min
#pragma push_macro("small")
#undef small

// Arduino.h
#pragma push_macro("abs")
#undef abs
#pragma push_macro("round")
#undef round
#pragma push_macro("word")
#undef word
#pragma push_macro("HIGH")
#undef HIGH
#pragma push_macro("LOW")
#undef LOW
#pragma push_macro("B1")
#undef B1
#pragma push_macro("F")
#undef F

// macOS (AssertMacros.h) and game engines
#pragma push_macro("check")
#undef check
#pragma push_macro("require")
#undef require

// curses (term.h)
#pragma push_macro("columns")
#undef columns
#pragma push_macro("lines")
#undef lines
