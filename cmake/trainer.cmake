# papilio-miner and papilio-validator: LibTorch, CLI11, nlohmann-json, fmt, OpenSSL, papilio::tcp.
#
# A unit that includes LibTorch's headers may cost its compiler 1.6 GB, so that only as many compile
# at a time as the machine has memory for. Clang refuses these headers in C++20.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  message(STATUS "papilio: no miner and no validator: LibTorch's headers need g++")
  return()
endif()
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # the tests link these libraries, too
set(missing "")
foreach(package Torch CLI11 nlohmann_json fmt OpenSSL Asio)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    list(APPEND missing ${package})
  endif()
endforeach()
if(missing)
  message(STATUS "papilio: no miner and no validator: missing ${missing}")
  return()
endif()

cmake_host_system_information(RESULT memory_mib QUERY TOTAL_PHYSICAL_MEMORY)
math(EXPR units "${memory_mib} / 4096 + 1")
set_property(GLOBAL APPEND PROPERTY JOB_POOLS torch=${units})

# A library of the sources in FOLDER but main.cpp, which becomes the program papilio-FOLDER.
function(papilio_trainer_part folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  list(REMOVE_ITEM sources ${PAPILIO_PROGRAM_SOURCES} ${PAPILIO_RUN_SOURCES})
  if(NOT sources)
    return()
  endif()
  papilio_program_part(papilio_${folder} "${sources}" ${ARGN})
  set_target_properties(papilio_${folder} PROPERTIES JOB_POOL_COMPILE torch)

  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/main.cpp)
    add_executable(papilio-${folder} ${folder}/main.cpp)
    target_link_libraries(papilio-${folder} PRIVATE papilio_dev papilio_${folder})
    set_target_properties(papilio-${folder} PROPERTIES JOB_POOL_COMPILE torch)
    install(TARGETS papilio-${folder} COMPONENT programs)
  endif()
endfunction()

papilio_trainer_part(trainer papilio_run ${TORCH_LIBRARIES})
if(TARGET papilio_trainer)
  papilio_trainer_part(member papilio_trainer)
  papilio_trainer_part(miner papilio_member)
  papilio_trainer_part(validator papilio_member)
endif()
