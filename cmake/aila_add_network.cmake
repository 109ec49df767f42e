# aila_add_network(<target> TYPE <network> HEADER <header> [LOSS <loss>])
#
# Compiles one network in a translation unit of its own, as part of <target>, so that a program which offers many networks
# builds them in parallel and rebuilds only what changed. <header> defines the type <network>; it is looked for beside the
# calling CMakeLists.txt, then in the include folders of <target>. LOSS names the loss that the network trains with, where
# it is not the default.
function(aila_add_network target)
  cmake_parse_arguments(PARSE_ARGV 1 network "" "TYPE;HEADER;LOSS" "")
  if(NOT TARGET ${target} OR NOT network_TYPE OR NOT network_HEADER OR network_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "aila_add_network expects (<existing target> TYPE <network> HEADER <header> [LOSS <loss>]), "
                        "and was given (${ARGV}).")
  endif()
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${network_HEADER}")
    set(network_HEADER "${CMAKE_CURRENT_SOURCE_DIR}/${network_HEADER}")
  endif()
  set(network_ARGUMENTS "${network_TYPE}")
  if(network_LOSS)
    string(APPEND network_ARGUMENTS ", ${network_LOSS}")
  endif()
  string(MAKE_C_IDENTIFIER "${network_ARGUMENTS}" unit)
  set(unit "${CMAKE_CURRENT_BINARY_DIR}/${target}-networks/${unit}.cpp")
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/network_unit.cpp.in" "${unit}" @ONLY)
  target_sources(${target} PRIVATE "${unit}")
endfunction()
