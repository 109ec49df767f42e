# Checks that every header of one folder compiles without warnings as the first thing a file includes, that it looks at the
# options of the compiler's arithmetic (it reaches core/config.hpp), that it puts macros of others aside and leaves exceptions
# to core/error.hpp, and that what belongs to the edges stays there: Eigen and xsimd in backend/cpu and the Eigen adapters, files
# and JSON in io, printing nowhere.
#
# Most of what it costs is reading the headers of others. What a header includes in any case may have been read before it, for
# that hides nothing it lacks: so headers of which each includes the one before it are compiled in one call, behind a
# precompiled one that the first of them includes (bases.cmake). Where that fails, each is asked by itself.
#
#     cmake -DCOMPILER=g++ -DFOLDER=include/aila/layer -DPREPARED=<folder of prepare.cmake> -P tests/compile/headers.cmake
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/options.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/bases.cmake)
list(APPEND compile -Werror -x c++)
set(check -include tests/compile/arithmetic_is_checked.hpp)

file(GLOB headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${FOLDER}/*.hpp)
list(FILTER headers EXCLUDE REGEX "/(cuda|mpi|nccl|macros_back)\\.hpp")
set(faults "")

# Those that reach most come first.
set(left "")
foreach(header IN LISTS headers)
  find_reached(${header} reached)
  list(LENGTH reached count)
  math(EXPR count "1000 + ${count}")
  list(APPEND left ${count}${header})
endforeach()
list(SORT left ORDER DESCENDING)
list(TRANSFORM left REPLACE "^[0-9]+" "")

while(left)
  list(POP_FRONT left chain)
  find_base(${chain} base)
  find_reached(${chain} reached)
  foreach(header IN LISTS left)
    find_base(${header} its_base)
    if(header IN_LIST reached AND its_base STREQUAL base)
      list(PREPEND chain ${header})
      find_reached(${header} reached)
    endif()
  endforeach()
  list(REMOVE_ITEM left ${chain})

  # Compiled through an empty file, for a header given as the main file is warned about `#pragma once`.
  set(includes ${chain})
  list(TRANSFORM includes PREPEND "-include;")
  list(INSERT includes 2 ${check})
  use_prepared("${base}" prepared)
  execute_process(COMMAND ${compile} ${prepared} ${includes} /dev/null
                  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    foreach(header IN LISTS chain)
      execute_process(COMMAND ${compile} -include ${header} ${check} /dev/null
                      OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
      if(NOT result EQUAL 0)
        message(NOTICE "${output}")
        string(APPEND faults "${header} does not compile without warnings on its own.\n")
      endif()
    endforeach()
  endif()
endwhile()

foreach(header IN LISTS headers)
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
