# Build options, and the two interface targets every Trammel target links: warnings and sanitizers.

option(BUILD_TESTING "Build the tests" ON)
option(TRAMMEL_WERROR "Treat warnings as errors" ON)
option(TRAMMEL_FUZZ "Build libFuzzer targets (needs clang)" OFF)
option(TRAMMEL_COVERAGE "Instrument for coverage" OFF)
set(TRAMMEL_SANITIZE "" CACHE STRING "Sanitizers, as given to -fsanitize= (address,undefined or thread)")

add_library(trammel_flags INTERFACE)
target_compile_definitions(trammel_flags INTERFACE _GNU_SOURCE)
target_compile_options(trammel_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wconversion
  -Wformat=2 -Wundef -fvisibility=hidden -fno-common)
if(TRAMMEL_WERROR)
  target_compile_options(trammel_flags INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT TRAMMEL_SANITIZE)
  target_compile_options(trammel_flags INTERFACE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(trammel_flags INTERFACE -Wl,-z,relro -Wl,-z,now)
endif()
if(TRAMMEL_SANITIZE)
  target_compile_options(trammel_flags INTERFACE
    -fsanitize=${TRAMMEL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(trammel_flags INTERFACE -fsanitize=${TRAMMEL_SANITIZE})
endif()
if(TRAMMEL_COVERAGE)
  target_compile_options(trammel_flags INTERFACE --coverage -O0)
  target_link_options(trammel_flags INTERFACE --coverage)
endif()
# A fuzz build instruments everything, so that the fuzzer sees into the libraries.
if(TRAMMEL_FUZZ)
  target_compile_options(trammel_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(trammel_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
