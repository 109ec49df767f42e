# Compiles headers once for the many calls of the compiler that begin with them: <aila/aila.hpp> for the refusals of
# tests/compile, or those of bases.cmake for the tests of headers.
#
#     cmake -DCOMPILER=g++ -DPREPARED=<folder> -DFOR=refusals -P tests/compile/prepare.cmake      in the repository's root
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/options.cmake)
file(REMOVE_RECURSE "${PREPARED}")
if(FOR STREQUAL "headers")
  include(${CMAKE_CURRENT_LIST_DIR}/bases.cmake)
  foreach(base IN LISTS bases)
    prepare(${base} "#include <aila/${base}.hpp>\n")
  endforeach()
else()
  # Layers and networks first, as the files of tests/compile have them.
  prepare(aila "#include <aila/contract/layer.hpp>\n#include <aila/contract/policy.hpp>\n#include <aila/compose/network.hpp>\n#include <aila/aila.hpp>\n")
endif()
