# Checks that no kernel of the library spills registers, and that those named below are there: what ptxas says of each is beside the
# object (ptxas_report.sh).
#
#     cmake -DOBJECTS="one.cu.o;another.cu.o" -DCXXFILT=c++filt -P tests/gpu/spills.cmake
cmake_minimum_required(VERSION 3.25)
set(architectures sm_80 sm_90a)

# named(<bytes> <kernel>...): kernels that each architecture must have, and what they may spill; a kernel that is not named
# spills nothing either. Regular expressions of mangled names, the closer ones first.
set(kernels "")
function(named bytes)
  list(APPEND kernels ${ARGN})
  set(kernels "${kernels}" PARENT_SCOPE)
  foreach(kernel IN LISTS ARGN)
    set("allowed ${kernel}" ${bytes} PARENT_SCOPE)
  endforeach()
endfunction()
named(0 forward_rows forward_pair backward_rows forward_tensor backward_tensor bias_gradients gradients_of_few)  # recurrent layers
named(0 attention_forward attention_backward attention_gradients)                                   # attention over depth
named(0 linear_forward linear_forward_few linear_backward linear_backward_few linear_gradients)     # linear integration
named(0 layer_norm_forward layer_norm_backward layer_norm_sums pool_forward pool_backward)
named(0 product_kernelI.*GatheredOperand product_kernelI.*WindowOperand order_weights_kernel
  wide_conv_kernel wide_gradient_kernel weight_images_kernel few_terms_kernel few_terms_gradient_kernel)                                       # convolutions
named(0 product_kernel sum_parts_kernel inner_products_kernel few_products_kernel column_sum_kernel)
named(0 loss_kernel sum_pieces_kernel update_pieces_kernel)                                         # training steps

# look_at(<line of ptxas>...) adds what is wrong there to `faults`, and "<kernel> <architecture>" of what is there to `found`.
function(look_at)
  foreach(line IN LISTS ARGN)
    if(line MATCHES "Compiling entry function '[^']*' for '([^']*)'")
      set(architecture ${CMAKE_MATCH_1})
    elseif(line MATCHES "Function properties for (.*)$")
      set(function ${CMAKE_MATCH_1})
    elseif(function MATCHES "^_ZN4aila" AND line MATCHES "([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads")
      set(stores ${CMAKE_MATCH_1})
      set(loads ${CMAKE_MATCH_2})
      set(allowed "")
      foreach(kernel IN LISTS kernels)
        if(function MATCHES "[0-9]${kernel}[IE]")
          list(APPEND found "${kernel} ${architecture}")
          list(APPEND allowed ${allowed\ ${kernel}})
        endif()
      endforeach()
      list(APPEND allowed 0)
      list(GET allowed 0 allowed)
      if(stores GREATER allowed OR loads GREATER allowed)
        set(name ${function})
        if(CXXFILT)
          execute_process(COMMAND ${CXXFILT} -p ${function} OUTPUT_VARIABLE name OUTPUT_STRIP_TRAILING_WHITESPACE)
          string(REPLACE "::v0::" "::" name "${name}")
        endif()
        string(APPEND faults "\n  ${name} spills registers for ${architecture}: expected at most ${allowed} bytes, found ${stores} "
                             "bytes written and ${loads} read")
      endif()
    endif()
  endforeach()
  set(found "${found}" PARENT_SCOPE)
  set(faults "${faults}" PARENT_SCOPE)
endfunction()

# What it is to tell, and what not.
foreach(bytes IN ITEMS 0 4)
  set(found "")
  set(faults "")
  look_at("ptxas info    : Compiling entry function '_ZN4aila2v04cuda12forward_rowsILm64EEEvi' for 'sm_80'"
          "ptxas info    : Function properties for _ZN4aila2v04cuda12forward_rowsILm64EEEvi"
          "    ${bytes} bytes stack frame, ${bytes} bytes spill stores, ${bytes} bytes spill loads")
  if(NOT found STREQUAL "forward_rows sm_80" OR (bytes AND NOT faults MATCHES "sm_80: .* found 4 bytes") OR (faults AND NOT bytes))
    message(FATAL_ERROR "of a kernel that spills ${bytes} bytes it found '${found}' and says '${faults}'")
  endif()
endforeach()

set(found "")
set(faults "")
list(FILTER OBJECTS INCLUDE REGEX "\\.cu\\.o$")
foreach(object IN LISTS OBJECTS)
  if(NOT EXISTS ${object}.ptxas)
    message(FATAL_ERROR "${object}.ptxas is not there: expected what ptxas says of the kernels of that object")
  endif()
  file(STRINGS ${object}.ptxas lines)
  look_at(${lines})
endforeach()
foreach(kernel IN LISTS kernels)
  foreach(architecture IN LISTS architectures)
    if(NOT "${kernel} ${architecture}" IN_LIST found)
      string(APPEND faults "\n  no kernel for ${architecture} is named ${kernel}: expected one, as tests/gpu/spills.cmake says")
    endif()
  endforeach()
endforeach()
if(faults)
  message(FATAL_ERROR "kernels that spill registers, or are not there:${faults}")
endif()
list(LENGTH found count)
message(STATUS "${count} named kernels spill no more than they may")
