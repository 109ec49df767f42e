# ZLIB::ZLIB: what the host project has, else an installed zlib, else a pinned archive, of which the files that aila needs are
# compiled. FETCHCONTENT_SOURCE_DIR_ZLIB names a source folder to use in place of both.
if(NOT TARGET ZLIB::ZLIB AND NOT FETCHCONTENT_SOURCE_DIR_ZLIB)
  find_package(ZLIB 1.2.3 QUIET GLOBAL)
endif()
if(NOT TARGET ZLIB::ZLIB)
  FetchContent_Declare(zlib
    URL https://github.com/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz
    URL_HASH SHA256=9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23
    SOURCE_SUBDIR sources-only)
  FetchContent_MakeAvailable(zlib)
  enable_language(C)
  add_library(aila_zlib STATIC)
  foreach(file IN ITEMS adler32 compress crc32 deflate inffast inflate inftrees trees uncompr zutil)
    target_sources(aila_zlib PRIVATE ${zlib_SOURCE_DIR}/${file}.c)
  endforeach()
  target_include_directories(aila_zlib SYSTEM PUBLIC ${zlib_SOURCE_DIR})
  set_target_properties(aila_zlib PROPERTIES POSITION_INDEPENDENT_CODE ON)
  add_library(ZLIB::ZLIB ALIAS aila_zlib)
endif()
