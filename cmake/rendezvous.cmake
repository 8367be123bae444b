# papilio-rendezvous, which hosts elastic runs: CLI11, fmt, papilio::tcp.

if(NOT TARGET papilio_program)
  return()
endif()
add_executable(papilio-rendezvous rendezvous/main.cpp rendezvous/options.cpp)
target_link_libraries(papilio-rendezvous PRIVATE papilio_dev papilio_program)
target_compile_definitions(papilio-rendezvous PRIVATE PAPILIO_VERSION="${PROJECT_VERSION}")
install(TARGETS papilio-rendezvous COMPONENT programs)
