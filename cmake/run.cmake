# papilio_run is what members and hosts of a run share, whatever the run is about; it needs no
# LibTorch, but OpenSSL for digests. papilio-chaos is a run of it among faults.

if(NOT TARGET papilio_program)
  return()
endif()
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize" AND NOT PAPILIO_BUILD_TRAINER)
  return()  # the library under it is tested there
endif()
find_package(OpenSSL QUIET)
if(NOT OpenSSL_FOUND)
  message(STATUS "papilio: no papilio-chaos: missing OpenSSL")
  return()
endif()

set(PAPILIO_RUN_SOURCES member/averaging member/display member/jsonl_log member/run_member
  member/state trainer/digest trainer/file
  validator/journal validator/link_monitor validator/run_host validator/run_notes)
list(TRANSFORM PAPILIO_RUN_SOURCES REPLACE "^.+$" "${CMAKE_CURRENT_SOURCE_DIR}/\\0.cpp")
papilio_program_part(papilio_run "${PAPILIO_RUN_SOURCES}" papilio_program OpenSSL::Crypto)

file(GLOB sources CONFIGURE_DEPENDS chaos/*.cpp)
list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
papilio_program_part(papilio_chaos "${sources}" papilio_run)

add_executable(papilio-chaos chaos/main.cpp)
target_link_libraries(papilio-chaos PRIVATE papilio_dev papilio_chaos)
install(TARGETS papilio-chaos COMPONENT programs)
