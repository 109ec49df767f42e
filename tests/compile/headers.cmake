# Checks that every header of one folder compiles without warnings as the first thing a file includes, that it looks at the
# options of the compiler's arithmetic (it reaches core/config.hpp), that it puts macros of others aside and leaves exceptions
# to core/error.hpp, and that what belongs to the edges stays there: Eigen and xsimd in backend/cpu and the Eigen adapters, files
# and JSON in io, printing nowhere.
#
#     cmake -DCOMPILER=g++ -DFOLDER=include/aila/layer -P tests/compile/headers.cmake             in the repository's root
cmake_minimum_required(VERSION 3.25)
set(ENV{LC_ALL} C)
string(REPLACE "," ";" INCLUDE_OPTIONS "${INCLUDE_OPTIONS}")
set(compile ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Werror -Iinclude
            ${INCLUDE_OPTIONS} -x c++)

file(GLOB headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${FOLDER}/*.hpp)
list(FILTER headers EXCLUDE REGEX "/(cuda|mpi|nccl|macros_back)\\.hpp")
set(faults "")
foreach(header IN LISTS headers)
  # Compiled through an empty file, for a header given as the main file is warned about `#pragma once`.
  execute_process(COMMAND ${compile} -include ${header} -include tests/compile/arithmetic_is_checked.hpp /dev/null
                  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(NOTICE "${output}")
    string(APPEND faults "${header} does not compile without warnings on its own.\n")
  endif()

  file(READ ${header} text)
  if(text MATCHES "\nnamespace aila" AND NOT text MATCHES
     "#pragma once\n\n#include \"[./a-z]*macros_aside\\.hpp\"\n.*\n#include \"[./a-z]*macros_back\\.hpp\"\n$")
    string(APPEND faults "${header} must begin with core/macros_aside.hpp and end with core/macros_back.hpp.\n")
  endif()

  file(STRINGS ${header} lines REGEX "^([^/\"]*[ {}])?(throw [A-Za-z_:]+[({]|throw;|try \\{|catch \\()")
  if(lines AND NOT header MATCHES "core/error.hpp")
    string(APPEND faults "${header} must leave throwing and catching to core/error.hpp: ${lines}\n")
  endif()

  set(forbidden "iostream|regex")
  if(NOT header MATCHES "/(backend/cpu|eigen[a-z_]*\\.hpp)")
    string(APPEND forbidden "|Eigen/[^>]*|unsupported/[^>]*|xsimd/[^>]*")
  endif()
  if(NOT header MATCHES "/(io|data)(/|\\.hpp)")
    string(APPEND forbidden "|nlohmann/[^>]*|fstream|filesystem")
  endif()
  file(STRINGS ${header} includes REGEX "^ *# *include <(${forbidden})>")
  foreach(line IN LISTS includes)
    string(APPEND faults "${header} must not have this line: ${line}\n")
  endforeach()
endforeach()
if(faults)
  message(FATAL_ERROR "${faults}")
endif()
