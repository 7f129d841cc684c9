# SPDX-License-Identifier: GPL-2.0-or-later
# BPF objects are built against UAPI headers only, so the build machine's kernel does not
# matter; the loading kernel's BTF settles the rest (CO-RE).
find_program(WIGEON_BPF_CLANG clang-14 REQUIRED)
find_program(WIGEON_BPF_STRIP llvm-strip-14 REQUIRED)
find_program(WIGEON_BPFTOOL bpftool REQUIRED PATHS /usr/sbin /sbin)

add_custom_target(skeletons)  # all of them, for tools that compile without building

# wigeon_bpf_program(NAME SOURCE): compiles SOURCE and makes the INTERFACE target NAME_skeleton,
# which brings NAME.skel.h (struct NAME_bpf) as a SYSTEM header. Exactly one .cc includes it.
function(wigeon_bpf_program name source)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name})
  set(object ${folder}/${name}.bpf.o)
  set(skeleton ${folder}/${name}.skel.h)
  cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE source_path)
  set(asm_headers)
  if(CMAKE_LIBRARY_ARCHITECTURE)
    # <asm/types.h>: -target bpf has no multiarch folder of its own
    set(asm_headers -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
  endif()
  file(MAKE_DIRECTORY ${folder})
  # -mcpu=v2: what every kernel since 4.14 verifies. DWARF goes, BTF stays.
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${WIGEON_BPF_CLANG} -target bpf -mcpu=v2 -O2 -g -fno-strict-aliasing
            -Wall -Wextra -Werror -iquote ${CMAKE_SOURCE_DIR} ${asm_headers}
            -MD -MF ${object}.d -MT ${object}
            -c ${source_path} -o ${object}
    COMMAND ${WIGEON_BPF_STRIP} -g ${object}
    DEPENDS ${source_path}
    DEPFILE ${object}.d
    COMMENT "BPF ${name}"
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    # clang-tidy does not know that bpf_object__destroy_skeleton() frees.
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTBEGIN(clang-analyzer-unix.Malloc)" > ${skeleton}.new
    COMMAND ${WIGEON_BPFTOOL} gen skeleton ${object} name ${name}_bpf >> ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTEND(clang-analyzer-unix.Malloc)" >> ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.new ${skeleton}
    DEPENDS ${object}
    VERBATIM)
  add_custom_target(${name}_skeleton_file DEPENDS ${skeleton})
  add_dependencies(skeletons ${name}_skeleton_file)
  add_library(${name}_skeleton INTERFACE)
  add_dependencies(${name}_skeleton ${name}_skeleton_file)
  target_include_directories(${name}_skeleton SYSTEM INTERFACE ${folder})
endfunction()
