# How Trammel's targets are declared. Includes are written from the top of the tree ("sdk/base/error.h"), so that the
# layer test (tests/arch) can read each include edge.

include(TrammelAdapter)
set(TRAMMEL_ADAPTER_MAP ${PROJECT_SOURCE_DIR}/plugin-api/adapter.map)

# trammel_library(NAME SOURCES a.c ... [DEPENDS lib ...]): a static library; DEPENDS are public.
function(trammel_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE trammel_flags PUBLIC ${arg_DEPENDS})
endfunction()

# trammel_program(NAME SOURCES a.c ... [DEPENDS lib ...]): a program in bin/, installed.
function(trammel_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE trammel_flags ${arg_DEPENDS})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# trammel_adapter(NAME SOURCES a.c ... [DEPENDS lib ...]): an adapter .so in lib/trammel/adapters, one exported symbol.
function(trammel_adapter name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE trammel_flags ${arg_DEPENDS})
  trammel_adapter_properties(${name})
  set_target_properties(${name} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/trammel/adapters)
  install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/trammel/adapters)
endfunction()

# trammel_test(NAME TIER unit|integration|faults|web|cluster [GRPC] SOURCES a.c ... [DEPENDS lib ...] [TIMEOUT seconds]
# [PARTS n]): a cmocka program. PARTS: it is run n times, as NAME_1 to NAME_n, with the number of the part and n as its arguments.
# GRPC: gRPC runs in a process of the test, which ThreadSanitizer cannot judge then (label grpc).
function(trammel_test name)
  cmake_parse_arguments(arg "GRPC" "TIER;TIMEOUT;PARTS" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE trammel_flags ${arg_DEPENDS} PkgConfig::cmocka)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 180) # for a hang; sanitizers on a busy machine take long
  endif()
  set(labels ${arg_TIER})
  if(arg_GRPC)
    list(APPEND labels grpc)
  endif()
  set(tests)
  if(arg_PARTS)
    foreach(part RANGE 1 ${arg_PARTS})
      add_test(NAME ${name}_${part} COMMAND ${name} ${part} ${arg_PARTS})
      list(APPEND tests ${name}_${part})
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
    set(tests ${name})
  endif()
  set_tests_properties(${tests} PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT}
    SKIP_RETURN_CODE 77 # whole program skipped, with its reason on standard output
    ENVIRONMENT "TRAMMEL_SOURCE_DIR=${PROJECT_SOURCE_DIR};TRAMMEL_BUILD_DIR=${PROJECT_BINARY_DIR}")
endfunction()

# trammel_fuzz(NAME SOURCES a.c ... [DEPENDS lib ...] CORPUS dir): a file with LLVMFuzzerTestOneInput. In a fuzz build it
# is a libFuzzer program; in every build its corpus is run as a test.
function(trammel_fuzz name)
  cmake_parse_arguments(arg "" "CORPUS" "SOURCES;DEPENDS" ${ARGN})
  if(TRAMMEL_FUZZ)
    add_executable(${name} ${arg_SOURCES})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME ${name} COMMAND ${name} -runs=0 ${arg_CORPUS})
  else()
    add_executable(${name} ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_main.c)
    add_test(NAME ${name} COMMAND ${name} ${arg_CORPUS})
  endif()
  target_link_libraries(${name} PRIVATE trammel_flags ${arg_DEPENDS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  set_tests_properties(${name} PROPERTIES LABELS "unit;fuzz" TIMEOUT 120)
endfunction()
