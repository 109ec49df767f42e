# aila_add_cuda_network(<target> TYPE <network> HEADER <header> [LOSS <loss>])
#
# Compiles one network for NVIDIA GPUs, in a unit of its own that alone needs nvcc: NetworkUnit<network, loss, backend::Cuda>.
# <header> is looked for as by aila_add_network. Where nobody chose CUDA_ARCHITECTURES, and CMake an older one, <target> is compiled
# for A100 and newer.
function(aila_add_cuda_network target)
  cmake_parse_arguments(PARSE_ARGV 1 network "" "TYPE;HEADER;LOSS" "")
  if(NOT TARGET ${target} OR NOT network_TYPE OR NOT network_HEADER OR network_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "aila_add_cuda_network expects (<existing target> TYPE <network> HEADER <header> [LOSS <loss>]), "
                        "and was given (${ARGV}).")
  endif()
  if(NOT TARGET aila::cuda)
    message(FATAL_ERROR "aila_add_cuda_network(${target} ...) needs aila::cuda, which is not there: it comes with COMPONENTS cuda of the "
                        "package, in a project of LANGUAGES CXX CUDA, with nvcc 12.8 or newer and AILA_CUDA not OFF.")
  endif()
  get_target_property(architectures ${target} CUDA_ARCHITECTURES)
  if(architectures MATCHES "^$|-NOTFOUND$|^[0-7][0-9](-real|-virtual)?$")
    set_property(TARGET ${target} PROPERTY CUDA_ARCHITECTURES 80-virtual 90a-real)
  elseif(architectures MATCHES "(^|;)([0-7][0-9](-real|-virtual)?|all|all-major)(;|$)")
    message(FATAL_ERROR "aila_add_cuda_network(${target} ...) expects CUDA_ARCHITECTURES from 80 on, and those of ${target} are "
                        "\"${architectures}\".")
  endif()
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${network_HEADER}")
    set(network_HEADER "${CMAKE_CURRENT_SOURCE_DIR}/${network_HEADER}")
  endif()
  if(NOT network_LOSS)
    set(network_LOSS aila::MeanSquaredError)
  endif()
  string(MAKE_C_IDENTIFIER "${network_TYPE}, ${network_LOSS}" unit)
  set(unit "${CMAKE_CURRENT_BINARY_DIR}/${target}-networks/${unit}.cu")
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/cuda_network_unit.cu.in" "${unit}" @ONLY)
  target_sources(${target} PRIVATE "${unit}")
  target_link_libraries(${target} PRIVATE aila::cuda)
endfunction()
