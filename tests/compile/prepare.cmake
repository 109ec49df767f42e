# Compiles <aila/aila.hpp> once for the many refusals of tests/compile, which ask for it with the options that they share.
#
#     cmake -DCOMPILER=g++ -DPREPARED=<folder> -P tests/compile/prepare.cmake                     in the repository's root
cmake_minimum_required(VERSION 3.25)
string(REPLACE "," ";" INCLUDE_OPTIONS "${INCLUDE_OPTIONS}")
include(${CMAKE_CURRENT_LIST_DIR}/options.cmake)
file(REMOVE_RECURSE "${PREPARED}")
# Layers and networks first, as the files of tests/compile have them.
file(WRITE "${PREPARED}/aila.hpp"
     "#include <aila/layer/layers.hpp>\n#include <aila/network/network.hpp>\n#include <aila/aila.hpp>\n")
set(compiled aila.hpp.gch)
if(COMPILER MATCHES "clang")
  set(compiled aila.hpp.pch)
endif()
execute_process(COMMAND ${COMPILER} ${compile_options} -x c++-header "${PREPARED}/aila.hpp" -o "${PREPARED}/${compiled}"
                COMMAND_ERROR_IS_FATAL ANY)
