# Standalone Asio, which brings neither a CMake package nor a pkg-config file.
#
# Defines Asio::asio. Set Asio_INCLUDE_DIR to the folder that holds asio.hpp when it is not found.

find_path(Asio_INCLUDE_DIR asio.hpp)
mark_as_advanced(Asio_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Asio REQUIRED_VARS Asio_INCLUDE_DIR)

if(Asio_FOUND AND NOT TARGET Asio::asio)
  find_package(Threads REQUIRED)
  add_library(Asio::asio INTERFACE IMPORTED)
  target_include_directories(Asio::asio INTERFACE ${Asio_INCLUDE_DIR})
  target_compile_definitions(Asio::asio INTERFACE ASIO_STANDALONE)
  target_link_libraries(Asio::asio INTERFACE Threads::Threads)
endif()
