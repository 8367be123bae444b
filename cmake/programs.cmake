# papilio_program(FILE) makes a program of one source file, named after it, and links what its
# #include lines ask for. It makes no target, and says so, when one is missing.

set(PAPILIO_PROVIDERS  # what an #include begins with, and the target that provides it
  "papilio/async/asio_loop=papilio::tcp"
  "papilio/transport/tcp=papilio::tcp"
  "benchmark/=benchmark::benchmark"
  "gloo/=gloo")

function(papilio_program file)
  get_filename_component(name ${file} NAME_WE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} includes REGEX "^#include")
  set(libraries papilio_dev)
  foreach(provider IN LISTS PAPILIO_PROVIDERS)
    string(REPLACE "=" ";" provider ${provider})
    list(GET provider 0 prefix)
    list(GET provider 1 target)
    if(NOT includes MATCHES "#include [<\"]${prefix}")
      continue()
    endif()
    if(NOT TARGET ${target})
      message(STATUS "Not building ${name}: ${target} is not available")
      return()
    endif()
    list(APPEND libraries ${target})
  endforeach()
  add_executable(${name} ${file})
  target_link_libraries(${name} PRIVATE ${libraries})
endfunction()
