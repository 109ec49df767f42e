# Checks one file of tests/compile: what must compile, and what must be refused and with which words.
#
# The file begins with one line for each thing that must be refused,
#     // expect: <sentence>          compiled with -DMUST_FAIL
#     // expect <n>: <sentence>      compiled with -DMUST_FAIL_<n>
#     // expect <n> with <options>: <sentence>
# Without a macro the file compiles without a warning. With one there is exactly one line with `error:`; it holds the
# sentence and has at most 200 characters, and the compiler prints at most 20 lines, the trail of includes not counted.
#
# With -DPREPARED=<folder of prepare.cmake> the refusals begin where <aila/aila.hpp> has been read.
#
#     cmake -DCOMPILER=g++ -DSOURCE=tests/compile/<file>.cpp -P tests/compile/refusals.cmake      in the repository's root
cmake_minimum_required(VERSION 3.25)
set(ENV{LC_ALL} C)
string(REPLACE "," ";" INCLUDE_OPTIONS "${INCLUDE_OPTIONS}")
include(${CMAKE_CURRENT_LIST_DIR}/options.cmake)
set(compile ${COMPILER} ${compile_options} -fsyntax-only)

execute_process(COMMAND ${compile} ${SOURCE} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0 OR NOT output STREQUAL "")
  message(NOTICE "${output}")
  message(FATAL_ERROR "${SOURCE} should compile without a word.")
endif()

set(cases 0)
file(READ "${SOURCE}" text)
# What changes macros before the headers, or the compiler's options, needs the headers themselves.
set(prepared "")
if(PREPARED AND NOT text MATCHES "\n#(define|undef) ")
  set(prepared -include "${PREPARED}/aila.hpp" -Winvalid-pch)
  if(COMPILER MATCHES "clang")
    set(prepared -include-pch "${PREPARED}/aila.hpp.pch")
  endif()
endif()
while(text MATCHES "^// expect( ([0-9]+))?( with ([^:]+))?: ([^\n]+)\n")
  set(sentence "${CMAKE_MATCH_5}")
  separate_arguments(options UNIX_COMMAND "${CMAKE_MATCH_4}")
  set(macro MUST_FAIL)
  if(CMAKE_MATCH_2)
    set(macro MUST_FAIL_${CMAKE_MATCH_2})
  endif()
  string(LENGTH "${CMAKE_MATCH_0}" length)
  string(SUBSTRING "${text}" ${length} -1 text)
  math(EXPR cases "${cases} + 1")

  if(NOT options)
    set(options ${prepared})
  endif()
  execute_process(COMMAND ${compile} ${options} -D${macro} ${SOURCE}
                  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  set(fault "")
  # clang knows the headers of a prepared one by their whole paths.
  string(REPLACE "${CMAKE_CURRENT_SOURCE_DIR}/" "" output "${output}")
  string(REGEX MATCHALL "error: " errors "${output}")
  list(LENGTH errors error_count)
  string(REGEX REPLACE "(In file included|                ) from [^\n]*\n" "" told "${output}")
  string(REGEX MATCHALL "\n" newlines "${told}")
  list(LENGTH newlines line_count)
  string(REGEX MATCH "[^\n]*error: [^\n]*" error_line "${output}")
  string(LENGTH "${error_line}" error_length)
  string(FIND "${error_line}" "${sentence}" place)
  if(result EQUAL 0)
    set(fault "it compiles")
  elseif(NOT error_count EQUAL 1)
    set(fault "there are ${error_count} errors in place of one")
  elseif(place EQUAL -1)
    set(fault "the error does not say so")
  elseif(error_length GREATER 200)
    set(fault "the line of the error has ${error_length} characters, more than 200")
  elseif(line_count GREATER 20)
    set(fault "${line_count} lines are printed, more than 20")
  endif()
  if(fault)
    message(NOTICE "${output}")
    message(FATAL_ERROR "${SOURCE} with -D${macro} should be refused with '${sentence}', but ${fault}.")
  endif()
endwhile()
if(cases EQUAL 0)
  message(FATAL_ERROR "${SOURCE} does not begin with a line '// expect: <sentence>'")
endif()
message(STATUS "${cases} refusals as expected")
