# What AILA_CUDA comes to on machines without CUDA, or with one that is too old: cmake -DBINARY_DIR=<folder> -P cuda_switch.cmake.
# Projects without a language include cmake/cuda.cmake alone; compilers are scripts that say a version and compile nothing.
cmake_minimum_required(VERSION 3.25)

get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
file(REMOVE_RECURSE ${BINARY_DIR})
file(WRITE ${BINARY_DIR}/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(switch LANGUAGES NONE)
include(${root}/cmake/aila_add_cuda_network.cmake)
include(${root}/cmake/cuda.cmake)
if(TARGET aila::cuda)
  message(FATAL_ERROR \"aila::cuda is there.\")
endif()
add_custom_target(program)
if(CALLS)
  aila_add_cuda_network(program \${CALLS})
endif()
")
foreach(version IN ITEMS 11.8 13.0)
  file(WRITE ${BINARY_DIR}/${version}/nvcc "#!/bin/sh\ncase \"$*\" in
*--version*) echo 'nvcc: NVIDIA (R) Cuda compiler driver'; echo 'Cuda compilation tools, release ${version}, V${version}.89' ;;
*) echo 'unsupported GNU version' >&2; exit 1 ;;
esac\n")
  file(CHMOD ${BINARY_DIR}/${version}/nvcc PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endforeach()

# expect(<PASSES|FAILS> <CUDACXX> <sentence> [<option>...])
set(count 0)
function(expect outcome compiler sentence)
  math(EXPR count "${count} + 1")
  set(count ${count} PARENT_SCOPE)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env --unset=CUDAARCHS --unset=CUDAHOSTCXX CUDACXX=${compiler}
            ${CMAKE_COMMAND} -S ${BINARY_DIR} -B ${BINARY_DIR}/build${count} ${ARGN}
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  string(REGEX REPLACE "[ \n]+" " " said "${output}")
  string(REPLACE "${sentence}" "" left "${said}")
  string(LENGTH "${said}" all)
  string(LENGTH "${left}" rest)
  string(LENGTH "${sentence}" one)
  math(EXPR times "(${all} - ${rest}) / ${one}")
  if(result EQUAL 0)
    set(came PASSES)
  else()
    set(came FAILS)
  endif()
  if(NOT came STREQUAL outcome OR NOT times EQUAL 1)
    message(FATAL_ERROR "With CUDACXX=${compiler} ${ARGN}: expected once, where it ${outcome}, \"${sentence}\"; it ${came} with\n${output}")
  endif()
endfunction()

set(old ${BINARY_DIR}/11.8/nvcc)
set(broken ${BINARY_DIR}/13.0/nvcc)
set(end "; set CUDACXX to another nvcc, or AILA_CUDA to OFF.")
foreach(pair IN ITEMS "${old}|${old} is of CUDA 11.8, expected 12.8 or newer" "${broken}|${broken} does not compile, as a log in CMakeFiles says"
                      "${BINARY_DIR}/nowhere/nvcc|no CUDA compiler was found")
  string(REGEX MATCH "^([^|]*)[|](.*)$" parts "${pair}")
  set(compiler ${CMAKE_MATCH_1})
  set(reason "${CMAKE_MATCH_2}")
  expect(PASSES ${compiler} "aila::cuda is not there: ${reason}." -DAILA_CUDA=AUTO)
  expect(FAILS ${compiler} "AILA_CUDA is ON, and ${reason}${end}" -DAILA_CUDA=ON)
endforeach()
# A compiler that was named, and one of a project that has the language already; and a toolkit without its runtime.
expect(PASSES "" "aila::cuda is not there: ${broken} does not compile" -DCMAKE_CUDA_COMPILER=${broken})
expect(PASSES "" "aila::cuda is not there: ${old} is of CUDA 11.8, expected 12.8 or newer." -DCMAKE_CUDA_COMPILER_LOADED=1
  -DCMAKE_CUDA_COMPILER=${old} -DCMAKE_CUDA_COMPILER_VERSION=11.8)
expect(PASSES "" "aila::cuda is not there: the runtime of CUDA 12.8 or newer was not found beside ${broken}." -DCMAKE_CUDA_COMPILER_LOADED=1
  -DCMAKE_CUDA_COMPILER=${broken} -DCMAKE_CUDA_COMPILER_VERSION=13.0 -DCMAKE_DISABLE_FIND_PACKAGE_CUDAToolkit=ON)
expect(FAILS ${old} "AILA_CUDA is MAYBE; expected AUTO, ON or OFF." -DAILA_CUDA=MAYBE)
expect(PASSES ${old} "Generating done" -DAILA_CUDA=OFF)
set(calls "-DCALLS=TYPE\;Net\;HEADER\;net.hpp")
foreach(switch IN ITEMS AUTO OFF)
  expect(FAILS ${old} "aila_add_cuda_network(program ...) needs aila::cuda, which is not there: it comes with COMPONENTS cuda of the package, in a project of LANGUAGES CXX CUDA, with nvcc 12.8 or newer and AILA_CUDA not OFF."
    -DAILA_CUDA=${switch} "${calls}")
endforeach()
expect(FAILS ${old} "aila_add_cuda_network expects (<existing target> TYPE <network> HEADER <header> [LOSS <loss>]), and was given (program;TYPE;Net)."
  -DAILA_CUDA=OFF "-DCALLS=TYPE\;Net")
