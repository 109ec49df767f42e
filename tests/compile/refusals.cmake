# Checks one file of tests/compile: what must be refused and with which words.
#
# The file begins with one line for each thing that must be refused,
#     // expect: <sentence>          compiled with -DMUST_FAIL
#     // expect <n>: <sentence>      compiled with -DMUST_FAIL_<n>
#     // expect <n> with <options>: <sentence>
# Without a macro the file compiles without a warning. With one there is exactly one line with `error:`; it holds the
# sentence and has at most 200 characters, and the compiler prints at most 20 lines, the trail of includes not counted.
#
# With -DPREPARED=<folder of prepare.cmake> all cases are first asked together (together.cmake), and by itself each that
# this does not clear; that the file compiles without a macro is left to accepted.cmake then.
#
#     cmake -DCOMPILER=g++ -DSOURCE=tests/compile/<file>.cpp -P tests/compile/refusals.cmake      in the repository's root
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/options.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/together.cmake)
set(faults "")
if(NOT PREPARED)
  check_accepted(${SOURCE} faults)
endif()

# What changes macros before the headers, or the compiler's options, needs the headers themselves.
file(READ "${SOURCE}" text)
set(prepared "")
if(PREPARED AND NOT text MATCHES "\n#(define|undef) ")
  use_prepared(aila prepared)
endif()
set(macros "")
while(text MATCHES "^// expect( ([0-9]+))?( with ([^:]+))?: ([^\n]+)\n")
  set(macro MUST_FAIL)
  if(CMAKE_MATCH_2)
    set(macro MUST_FAIL_${CMAKE_MATCH_2})
  endif()
  list(APPEND macros ${macro})
  set(sentence_${macro} "${CMAKE_MATCH_5}")
  separate_arguments(options_${macro} UNIX_COMMAND "${CMAKE_MATCH_4}")
  string(LENGTH "${CMAKE_MATCH_0}" length)
  string(SUBSTRING "${text}" ${length} -1 text)
endwhile()
if(NOT macros)
  message(FATAL_ERROR "${SOURCE} does not begin with a line '// expect: <sentence>'")
endif()

set(cleared "")
list(LENGTH macros count)
if(prepared AND count GREATER 1)
  ask_together("${macros}" cleared)
endif()
set(alone ${macros})
list(REMOVE_ITEM alone ${cleared})
foreach(macro IN LISTS alone)
  set(options ${options_${macro}})
  if(NOT options)
    set(options ${prepared})
  endif()
  execute_process(COMMAND ${compile} ${options} -D${macro} ${SOURCE}
                  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  without_trails("${output}" told)
  string(REGEX MATCHALL "error: " errors "${told}")
  list(LENGTH errors error_count)
  string(REGEX MATCHALL "\n" newlines "${told}")
  list(LENGTH newlines line_count)
  string(REGEX MATCH "[^\n]*error: [^\n]*" error_line "${told}")
  string(LENGTH "${error_line}" error_length)
  string(FIND "${error_line}" "${sentence_${macro}}" place)
  set(fault "")
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
    string(APPEND faults "${SOURCE} with -D${macro} should be refused with '${sentence_${macro}}', but ${fault}.\n")
  endif()
endforeach()
if(faults)
  message(FATAL_ERROR "${faults}")
endif()
list(LENGTH alone alone_count)
message(STATUS "${count} refusals as expected, ${alone_count} of them asked by themselves")
