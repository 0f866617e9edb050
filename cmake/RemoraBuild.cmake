# What every folder's CMakeLists.txt uses: warnings, sanitizers, and four small functions.
#
#   remora_library(NAME SOURCES ... [DEPS ...])   a static library; includes start at the repository's root
#   remora_test(NAME SOURCES ... [DEPS ...])      one GoogleTest binary a folder; ctest lists its cases
#   remora_binary(NAME SOURCES ... [DEPS ...])    a program in build/bin
#   remora_fuzzer(NAME SOURCES ... [DEPS ...])    a libFuzzer program (REMORA_FUZZ, clang), with its own copies of what it
#                                                 fuzzes in SOURCES, so that only they are instrumented
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(GTest REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
include(GoogleTest)

find_program(REMORA_CCACHE ccache)
if(REMORA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${REMORA_CCACHE})
endif()

add_library(remora_options INTERFACE)
target_include_directories(remora_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(remora_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wno-sign-compare
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<BOOL:${REMORA_WARNINGS_AS_ERRORS}>:-Werror>)
if(REMORA_SANITIZE STREQUAL "address-undefined")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(REMORA_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NOT REMORA_SANITIZE STREQUAL "")
  message(FATAL_ERROR "REMORA_SANITIZE is '${REMORA_SANITIZE}': use address-undefined, thread, or leave it empty")
endif()

# remora_sources(NAME OUT SOURCES...): what is compiled for them: themselves, or, with REMORA_BATCH, files that include
# several each (batches.py).
function(remora_sources name out)
  if(NOT REMORA_BATCH)
    set(${out} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  list(TRANSFORM ARGN PREPEND ${folder}/ REGEX "^[^/]")
  execute_process(
    COMMAND python3 cmake/batches.py ${CMAKE_BINARY_DIR}/batches/${name} 8 ${ARGN}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE files OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" files "${files}")
  list(TRANSFORM files PREPEND ${CMAKE_SOURCE_DIR}/ REGEX "^[^/]")
  set(${out} ${files} PARENT_SCOPE)
endfunction()

function(remora_library name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  remora_sources(${name} files ${A_SOURCES})
  add_library(${name} STATIC ${files})
  target_link_libraries(${name} PUBLIC ${A_DEPS} PRIVATE remora_options)
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

function(remora_binary name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  remora_sources(${name} files ${A_SOURCES})
  add_executable(${name} ${files})
  target_link_libraries(${name} PRIVATE ${A_DEPS} remora_options)
endfunction()

# Seconds after which a test hangs. Sanitizers take ten times as long.
set(REMORA_TEST_SECONDS 300)
if(REMORA_SANITIZE)
  set(REMORA_TEST_SECONDS 900)
endif()

function(remora_test name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  # Signal processing has no threads that could race, and hours of arithmetic.
  if(REMORA_SANITIZE STREQUAL "thread" AND name MATCHES "^remora_dsp_")
    return()
  endif()
  remora_sources(${name} files ${A_SOURCES})
  add_executable(${name} ${files})
  target_link_libraries(${name} PRIVATE ${A_DEPS} GTest::gmock GTest::gtest_main remora_options)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT ${REMORA_TEST_SECONDS}
    # Two properties, since a list does not survive the discovery.
    ENVIRONMENT "REMORA_SOURCE_DIR=${CMAKE_SOURCE_DIR}"
    ENVIRONMENT_MODIFICATION "REMORA_BINARY_DIR=set:${CMAKE_BINARY_DIR}")
endfunction()

function(remora_fuzzer name)
  if(NOT REMORA_FUZZ)
    return()
  endif()
  remora_binary(${name} ${ARGN})
  # Optimised in a debug build too: what counts is how many inputs are tried.
  target_compile_options(${name} PRIVATE -O1 -fsanitize=fuzzer,address,undefined)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
endfunction()
