# papilio-id, which makes keys: CLI11, fmt, papilio::security.

if(NOT TARGET papilio_program OR NOT TARGET papilio::security)
  return()
endif()
add_executable(papilio-id id/main.cpp id/options.cpp)
target_link_libraries(papilio-id PRIVATE papilio_dev papilio_program papilio::security)
install(TARGETS papilio-id COMPONENT programs)
