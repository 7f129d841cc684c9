# SPDX-License-Identifier: GPL-2.0-or-later
# What every target shares: flags, libraries found once, and two ways to declare a target.
include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(NL REQUIRED IMPORTED_TARGET libnl-3.0 libnl-genl-3.0 libnl-route-3.0)
pkg_check_modules(NFTABLES REQUIRED IMPORTED_TARGET libnftables)
pkg_check_modules(BPF REQUIRED IMPORTED_TARGET libbpf)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(CAPNG REQUIRED IMPORTED_TARGET libcap-ng)

add_library(wigeon_flags INTERFACE)
target_compile_features(wigeon_flags INTERFACE cxx_std_23)
target_compile_options(wigeon_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
  -fno-strict-aliasing -fstack-protector-strong)
target_compile_definitions(wigeon_flags INTERFACE WIGEON_VERSION="${PROJECT_VERSION}")
target_include_directories(wigeon_flags INTERFACE ${CMAKE_SOURCE_DIR})

# wigeon_library(NAME SOURCES a.cc b.cc LINKS wigeon_base PkgConfig::NL PRIVATE_LINKS ...)
function(wigeon_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC wigeon_flags ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
endfunction()

# wigeon_program(NAME SOURCES main.cc LINKS ...)
function(wigeon_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE wigeon_flags ${arg_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()
