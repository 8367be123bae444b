# What a source file needs is read from its #include lines, so that programs and tests need no list
# of their own, and those whose library is not installed are left out, with a word about it.

set(PAPILIO_PROVIDERS  # how an #include begins, and the target that provides it
  papilio/async/asio_ papilio::tcp
  papilio/session papilio::tcp
  papilio/swarm/private_key papilio::security
  papilio/transport/hybrid papilio::tcp
  papilio/transport/shm papilio::tcp
  papilio/transport/tcp papilio::tcp
  papilio/miner papilio::miner
  papilio/validator papilio::validator
  benchmark/ benchmark::benchmark
  gloo/ gloo)

# Sets `libraries` to the targets that FILE needs, or to MISSING when one of them does not exist.
function(papilio_requirements file libraries)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} includes REGEX "^#include")
  set(needed "")
  set(providers ${PAPILIO_PROVIDERS})
  while(providers)
    list(POP_FRONT providers prefix target)
    if(includes MATCHES "#include [<\"]${prefix}")
      if(NOT TARGET ${target})
        message(STATUS "papilio: leaving out ${file}, which needs ${target}")
        set(${libraries} MISSING PARENT_SCOPE)
        return()
      endif()
      list(APPEND needed ${target})
    endif()
  endwhile()
  set(${libraries} ${needed} PARENT_SCOPE)
endfunction()

# Makes a program of one source file, named after it.
function(papilio_program file)
  papilio_requirements(${file} libraries)
  if(NOT libraries STREQUAL MISSING)
    get_filename_component(name ${file} NAME_WE)
    add_executable(${name} ${file})
    target_link_libraries(${name} PRIVATE papilio_dev ${libraries})
    # Each mode compiles the same templates: what header_only_test and tests/consumer show of the
    # headers alone, the simplest programs show once more where tests are thorough. One of them
    # needs the body of session.hpp: that it compiles alone is not proven otherwise.
    if(PAPILIO_TEST_THOROUGHLY AND name MATCHES "^hello"
        AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
      add_executable(${name}_header_only ${file})
      if(name STREQUAL hello_run)
        target_sources(${name}_header_only PRIVATE ${PROJECT_SOURCE_DIR}/tests/session/body.cpp)
      endif()
      target_link_libraries(${name}_header_only PRIVATE papilio_warnings papilio::papilio
        ${libraries})
      # That it compiles, links and runs is what is tested.
      target_compile_options(${name}_header_only PRIVATE $<$<CONFIG:Release>:-O0>)
    endif()
  endif()
endfunction()
