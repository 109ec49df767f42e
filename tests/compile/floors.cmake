# Headers include only what stands below them: the floors of include/aila/README.md.
#
#     cmake -P tests/compile/floors.cmake          in the repository's root
cmake_minimum_required(VERSION 3.25)

# From the ground up. A folder's headers may include those of its own and of folders before it; a header named here stands on a floor
# of its own.
set(floors
  core contract layer integrate compose layer/layers.hpp zoo
  backend backend/host backend/plan backend/reference
  backend/cpu/simd backend/cpu/product backend/cpu/rows backend/cpu/recurrent backend/cpu/dense backend/cpu/conv backend/cpu/attention
  backend/cpu/mixture backend/cpu backend/cpu.hpp backend/reference.hpp backend/cuda
  network network/cuda learn learn/cuda io data .)
# Side by side: neither includes the other.
set(apart backend/cuda:backend/reference backend/cuda:backend/cpu backend/cuda:backend/cpu.hpp layer:integrate integrate:layer backend/reference:backend/cpu backend/cpu:backend/reference
  backend/cpu/recurrent:backend/cpu/rows backend/cpu/conv:backend/cpu/recurrent backend/cpu/attention:backend/cpu/conv
  backend/cpu/mixture:backend/cpu/attention backend/cpu/conv:backend/cpu/rows)

# floor_of(<header> <variable>) the floor of include/aila/<header>.
function(floor_of header result)
  if(header IN_LIST floors)
    set(${result} ${header} PARENT_SCOPE)
    return()
  endif()
  cmake_path(GET header PARENT_PATH folder)
  if(folder STREQUAL "")
    set(folder .)
  endif()
  if(NOT folder IN_LIST floors)
    message(FATAL_ERROR "include/aila/${header} lies in a folder without a floor; tests/compile/floors.cmake lists those there are")
  endif()
  set(${result} ${folder} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/include/aila include/aila/*.hpp)
set(faults "")
set(arrows 0)
foreach(header IN LISTS headers)
  floor_of(${header} from)
  list(FIND floors ${from} height)
  file(STRINGS include/aila/${header} includes REGEX "^#include \"")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "^#include \"([^\"]*)\".*" "\\1" include "${include}")
    cmake_path(GET header PARENT_PATH folder)
    set(target ${include})
    if(folder)
      cmake_path(SET target NORMALIZE "${folder}/${include}")
    endif()
    floor_of(${target} to)
    list(FIND floors ${to} below)
    math(EXPR arrows "${arrows} + 1")
    if(below GREATER height OR "${from}:${to}" IN_LIST apart)
      list(APPEND faults "include/aila/${header} includes ${target}: expected a floor below ${from}, found ${to}")
    endif()
  endforeach()
endforeach()
if(faults)
  list(JOIN faults "\n  " faults)
  message(FATAL_ERROR "headers include what stands above or beside them:\n  ${faults}")
endif()
# What knows that kernels run on the host: those kernels, and who is written for them alone.
set(of_the_host learn/check_gradients.hpp learn/loss_over.hpp learn/training_step.hpp network/wavefront.hpp)
foreach(header IN LISTS headers)
  file(STRINGS include/aila/${header} lines REGEX "HostBackend")
  if(lines AND NOT header MATCHES "^backend/" AND NOT header IN_LIST of_the_host)
    message(FATAL_ERROR "include/aila/${header} asks for a HostBackend: expected a ComputeBackend outside backend/, found ${lines}")
  endif()
endforeach()
if(arrows LESS 300)
  message(FATAL_ERROR "expected at least 300 includes between headers, found ${arrows}: nothing was looked at")
endif()
message(STATUS "${arrows} includes point down")
