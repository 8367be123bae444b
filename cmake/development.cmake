# What we ask of ourselves. Users of the library never see any of it.

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Our own targets link papilio_dev beside what they use; those that show that the headers alone do
# as well link papilio_warnings and papilio::papilio.
add_library(papilio_warnings INTERFACE)
add_library(papilio_dev INTERFACE)
target_link_libraries(papilio_dev INTERFACE papilio_warnings papilio::compiled)
target_compile_options(papilio_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>  # g++ counts it apart from -Wconversion
  # What g++ 12 says of its own containers when it optimises, and clang and the sanitizers do not.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overflow -Wno-maybe-uninitialized
    -Wno-array-bounds -Wno-stringop-overread>)

# Most of what a file costs to compile, others of its folder include and instantiate as well. With
# CMAKE_UNITY_BUILD, as in the presets of the largest builds, those of TARGET in one folder are one
# unit: no two of them may give a name at file level. `dev` and `clang` compile each by itself.
if(CMAKE_UNITY_BUILD)
  # To g++ an anonymous namespace of another file is a header's, and a name there is shadowed.
  target_compile_options(papilio_warnings INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage -Wno-shadow -Wshadow=local>)
endif()
function(papilio_unite target)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE folder)
    cmake_path(RELATIVE_PATH folder)
    cmake_path(REMOVE_FILENAME folder)
    string(MAKE_C_IDENTIFIER "in_${folder}" folder)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
endfunction()

# Every header compiles alone: the target all_verify_interface_header_sets. One of impl/ is a part
# of the unit of its own header, whose compilation proves as much. That nobody but the library could
# include an internal one alone is a third of the work, and seldom broken.
set(verified_sets HEADERS)
if(PAPILIO_TEST_THOROUGHLY)
  list(APPEND verified_sets internals)
endif()
set(verified papilio)
foreach(component tcp security)
  if(TARGET papilio_${component})
    list(APPEND verified papilio_${component})
  endif()
endforeach()
set_target_properties(${verified} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON
  INTERFACE_HEADER_SETS_TO_VERIFY "${verified_sets}")

# A precompiled header changes nothing that ccache must know about.
find_program(PAPILIO_CCACHE ccache)
mark_as_advanced(PAPILIO_CCACHE)
if(PAPILIO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    env CCACHE_SLOPPINESS=pch_defines,time_macros ${PAPILIO_CCACHE})
endif()
