# What the scripts of this folder share that compile the files beside them.
set(ENV{LC_ALL} C)
string(REPLACE "," ";" INCLUDE_OPTIONS "${INCLUDE_OPTIONS}")
set(compile_options -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Iinclude ${INCLUDE_OPTIONS})
set(compile ${COMPILER} ${compile_options} -fsyntax-only)
if(NOT COMPILER MATCHES "clang")
  list(APPEND compile --param=ggc-min-heapsize=524288)  # less garbage collection
endif()

# prepare(<name> <text>) compiles a header with this text for use_prepared.
function(prepare name text)
  set(suffix gch)
  if(COMPILER MATCHES "clang")
    set(suffix pch)
  endif()
  file(WRITE "${PREPARED}/${name}.hpp" "${text}")
  execute_process(COMMAND ${COMPILER} ${compile_options} -x c++-header "${PREPARED}/${name}.hpp"
                          -o "${PREPARED}/${name}.hpp.${suffix}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# use_prepared(<name> <options>) gives the options with which a unit begins with the header of this name; none without a name.
function(use_prepared name options)
  set(${options} "" PARENT_SCOPE)
  if(name AND COMPILER MATCHES "clang")
    set(${options} -include-pch "${PREPARED}/${name}.hpp.pch" PARENT_SCOPE)
  elseif(name)
    set(${options} -include "${PREPARED}/${name}.hpp" -Winvalid-pch PARENT_SCOPE)
  endif()
endfunction()

# check_accepted(<file> <result>) compiles a file as it is, and appends a sentence to the result where that is not without a word.
function(check_accepted file result)
  execute_process(COMMAND ${compile} ${file} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT output STREQUAL "")
    message(NOTICE "${output}")
    set(${result} "${${result}}${file} should compile without a word.\n" PARENT_SCOPE)
  endif()
endfunction()
