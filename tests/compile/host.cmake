# Compiles a file of tests/host as a program may that has aila's headers among its own, not as a system's: every warning
# that says something of the code is an error, and there are no run-time types.
#
#     cmake -DCOMPILER=g++ -DKIND=g++ -DSOURCE=tests/host/warnings.cpp -DOPTIONS=-std=gnu++20 -P tests/compile/host.cmake
cmake_minimum_required(VERSION 3.25)
set(ENV{LC_ALL} C)
string(REPLACE "," ";" INCLUDE_OPTIONS "${INCLUDE_OPTIONS}")
string(REPLACE "," ";" OPTIONS "${OPTIONS}")

if(KIND STREQUAL "g++")
  set(warnings
    -Wall -Wextra -Wpedantic -Wcast-align=strict -Wcast-qual -Wcomma-subscript -Wconversion -Wctor-dtor-privacy
    -Wdeprecated-copy-dtor -Wdouble-promotion -Wduplicated-branches -Wduplicated-cond -Wextra-semi -Wformat=2 -Wlogical-op
    -Wmismatched-tags -Wmissing-declarations -Wnon-virtual-dtor -Wnull-dereference -Wold-style-cast -Woverloaded-virtual
    -Wredundant-decls -Wredundant-tags -Wshadow -Wsign-conversion -Wsign-promo -Wstrict-null-sentinel -Wsuggest-override
    -Wswitch-default -Wswitch-enum -Wundef -Wunused-const-variable=2 -Wunused-macros -Wuseless-cast -Wvla -Wvolatile
    -Wzero-as-null-pointer-constant)
else()
  set(warnings
    -Weverything
    # C++20 is what the library is written in
    -Wno-c++98-compat -Wno-c++98-compat-pedantic -Wno-pre-c++14-compat -Wno-pre-c++17-compat -Wno-pre-c++17-compat-pedantic
    -Wno-pre-c++20-compat -Wno-pre-c++20-compat-pedantic -Wno-c++20-compat
    # kernels are written with pointers, and what has no room for padding is packed by hand
    -Wno-unsafe-buffer-usage -Wno-padded
    # exact zeros are meant
    -Wno-float-equal
    # a class of a header-only library has no unit for its table of functions
    -Wno-weak-vtables)
endif()

execute_process(
  COMMAND ${COMPILER} -fsyntax-only -fno-rtti ${warnings} -Werror ${OPTIONS} -Iinclude ${INCLUDE_OPTIONS} ${SOURCE}
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(NOTICE "${output}")
  message(FATAL_ERROR "${SOURCE} does not compile without warnings under ${OPTIONS}.")
endif()
