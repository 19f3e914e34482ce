# How every folder of src/ declares itself: one library, its tests, nothing else.

include(GoogleTest)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(GTest REQUIRED)
find_package(pugixml REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_library(ROCKSDB_LIBRARY rocksdb REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)

option(TOMBOLO_WERROR "Warnings are errors" ON)
set(TOMBOLO_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")
option(TOMBOLO_FUZZ "Fuzz targets are programs of libFuzzer (Clang), built by the target `fuzzers`" OFF)

add_library(tombolo_flags INTERFACE)
target_include_directories(tombolo_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
set(gcc $<CXX_COMPILER_ID:GNU>)
target_compile_options(tombolo_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast
                       $<${gcc}:-fcoroutines> -fno-omit-frame-pointer
                       # GCC 12 reports false positives from inlined coroutine frames, std::variant and, at -O2, from
                       # assigning a literal to a std::string (GCC bug 105651).
                       $<${gcc}:-Wno-maybe-uninitialized> $<${gcc}:-Wno-mismatched-new-delete>
                       $<$<AND:${gcc},$<CONFIG:Release>>:-Wno-restrict>
                       # Clang blames whoever calls std::stable_sort for what libstdc++ 12 uses inside it; GCC does not,
                       # and still tells of what we use ourselves.
                       $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
                       # Designated initialisers leave the rest at its default on purpose (HOUSE 9).
                       -Wno-missing-field-initializers
                       $<$<BOOL:${TOMBOLO_WERROR}>:-Werror>)
# One Asio build for the whole tree: compiled once in async/asio.cc, no deprecated names.
target_compile_definitions(tombolo_flags INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                           BOOST_ASIO_NO_TS_EXECUTORS BOOST_ASIO_DISABLE_BOOST_ARRAY BOOST_ALL_NO_LIB)
if(TOMBOLO_SANITIZE)
  target_compile_options(tombolo_flags INTERFACE -fsanitize=${TOMBOLO_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tombolo_flags INTERFACE -fsanitize=${TOMBOLO_SANITIZE})
  if(TOMBOLO_SANITIZE MATCHES thread)
    target_compile_options(tombolo_flags INTERFACE -Wno-tsan)
    target_compile_definitions(tombolo_flags INTERFACE TOMBOLO_TSAN=1)
  endif()
endif()
if(TOMBOLO_FUZZ)
  target_compile_options(tombolo_flags INTERFACE -fsanitize=fuzzer-no-link)
  add_custom_target(fuzzers)
endif()
# The build that can be told to have a bug (base/planted_bugs.h); never the product's.
option(TOMBOLO_PLANTED_BUGS "Compile in the bugs of base/planted_bugs.h" OFF)
if(TOMBOLO_PLANTED_BUGS)
  target_compile_definitions(tombolo_flags INTERFACE TOMBOLO_PLANTED_BUGS=1)
endif()
target_link_libraries(tombolo_flags INTERFACE Threads::Threads)

# tombolo_library(name SOURCES a.cc ... DEPS lib ...): the library of the current folder.
function(tombolo_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC tombolo_flags ${ARG_DEPS})
endfunction()

# tombolo_test(name SOURCES a_test.cc ... DEPS lib ...): a GoogleTest binary named `name`, run by ctest case by case.
# Its cases carry the label `unit`, or `unit_rocksdb` where RocksDB is linked in (`make test-tsan` leaves those out).
# LABEL e2e: they need a program from outside (tools/env) and skip themselves without it.
function(tombolo_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tombolo_flags ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  # Deferred to the end of configuring, when every library that the test links is declared.
  cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY [[${CMAKE_SOURCE_DIR}]] CALL tombolo_discover ${name} ${ARG_LABEL})")
endfunction()

function(tombolo_discover name)
  set(label unit ${ARGN})
  list(GET label -1 label)
  set(seen)
  set(waiting ${name})
  while(waiting)
    list(POP_FRONT waiting library)
    if(library MATCHES "rocksdb")
      set(label unit_rocksdb)
      break()
    endif()
    if(TARGET ${library} AND NOT library IN_LIST seen)
      list(APPEND seen ${library})
      get_target_property(links ${library} LINK_LIBRARIES)
      if(links)
        list(APPEND waiting ${links})
      endif()
    endif()
  endwhile()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                       PROPERTIES TIMEOUT 300 LABELS ${label})
endfunction()

# tombolo_fuzz(target IN test SOURCE x_fuzz.cc PARTS a.cc ... DEPS lib ...): a fuzz target (testing/fuzz.h). It becomes
# the case Fuzz.<target> of the unit test `test`, which runs it over its seeds; with TOMBOLO_FUZZ a program of libFuzzer
# made of SOURCE, PARTS (what is fuzzed, and what that needs of its folder) and DEPS, so that few files are compiled.
function(tombolo_fuzz target)
  cmake_parse_arguments(ARG "" "IN;SOURCE" "PARTS;DEPS" ${ARGN})
  if(NOT TOMBOLO_FUZZ)
    target_sources(${ARG_IN} PRIVATE ${ARG_SOURCE})
    set_property(SOURCE ${ARG_SOURCE} PROPERTY
                 COMPILE_DEFINITIONS TOMBOLO_FUZZ_CORPUS="${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${target}")
    return()
  endif()
  add_executable(fuzz_${target} ${ARG_SOURCE} ${ARG_PARTS})
  target_link_libraries(fuzz_${target} PRIVATE tombolo_flags ${ARG_DEPS})
  target_compile_definitions(fuzz_${target} PRIVATE TOMBOLO_FUZZ=1)
  target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/targets OUTPUT_NAME ${target})
  add_dependencies(fuzzers fuzz_${target})
  list(TRANSFORM ARG_PARTS PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE parts)
  list(JOIN parts "\n" lines)
  file(WRITE ${CMAKE_BINARY_DIR}/parts/${target} "${lines}\n")  # for tools/fuzz --coverage
endfunction()
