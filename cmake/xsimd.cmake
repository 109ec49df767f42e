# Debian's and Ubuntu's package of xsimd makes everything link with a library xtl, which is neither there nor needed: it has
# headers only, and xsimd reads them only where XSIMD_ENABLE_XTL_COMPLEX is defined.
get_target_property(aila_xsimd_libraries xsimd INTERFACE_LINK_LIBRARIES)
if("xtl" IN_LIST aila_xsimd_libraries AND NOT TARGET xtl)
  list(REMOVE_ITEM aila_xsimd_libraries xtl)
  set_target_properties(xsimd PROPERTIES INTERFACE_LINK_LIBRARIES "${aila_xsimd_libraries}")
endif()
