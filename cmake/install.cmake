# Installs the headers and the package that find_package(aila CONFIG) reads.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# Headers are the same on every architecture, so the package lies in share/.
set(package_folder ${CMAKE_INSTALL_DATADIR}/cmake/aila)

install(DIRECTORY include/aila DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(TARGETS aila EXPORT aila INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT aila NAMESPACE aila:: FILE aila-targets.cmake DESTINATION ${package_folder})
install(FILES cmake/aila_add_kernels.cmake cmake/aila_add_network.cmake cmake/kernels_unit.cpp.in cmake/network_unit.cpp.in
  cmake/cuda.cmake cmake/aila_add_cuda_network.cmake cmake/cuda_network_unit.cu.in cmake/xsimd.cmake DESTINATION ${package_folder})

# A machine that had to fetch xsimd does not have it for the installed package either: it goes along, in a folder of its
# own that is used only where no other xsimd is found.
set(aila_xsimd_folder ${CMAKE_INSTALL_INCLUDEDIR}/aila-xsimd)
if(aila_xsimd_fetched)
  install(DIRECTORY ${aila_xsimd_fetched}/xsimd DESTINATION ${aila_xsimd_folder})
endif()

configure_package_config_file(cmake/aila-config.cmake.in ${PROJECT_BINARY_DIR}/aila-config.cmake
  INSTALL_DESTINATION ${package_folder} PATH_VARS aila_xsimd_folder)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/aila-config-version.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/aila-config.cmake ${PROJECT_BINARY_DIR}/aila-config-version.cmake
  DESTINATION ${package_folder})
