#include "host/certify/allocator.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/base/memory.h"

static _Thread_local struct {
  bool armed;
  bool all_after;
  uint64_t nth;
  uint64_t asked;
} state;

void allocator_arm(uint64_t nth, bool all_after) {
  state.nth = nth;
  state.all_after = all_after;
  state.asked = 0;
  state.armed = true;
}

uint64_t allocator_disarm(void) {
  state.armed = false;
  return state.asked;
}

static bool fails(void) {
  if (!state.armed)
    return false;
  uint64_t number = state.asked++;
  bool failing = number == state.nth || (state.all_after && number > state.nth);
  if (failing)
    errno = ENOMEM;
  return failing;
}

/* ---- in the place of the C library's */

static void *take_malloc(size_t size) {
  return fails() ? NULL : malloc(size);
}

static void *take_calloc(size_t count, size_t size) {
  return fails() ? NULL : calloc(count, size);
}

static void *take_realloc(void *old, size_t size) {
  return fails() ? NULL : realloc(old, size);
}

static void *take_reallocarray(void *old, size_t count, size_t size) {
  return fails() ? NULL : reallocarray(old, count, size);
}

static void *take_aligned_alloc(size_t alignment, size_t size) {
  return fails() ? NULL : aligned_alloc(alignment, size);
}

static int take_posix_memalign(void **ret_memory, size_t alignment, size_t size) {
  return fails() ? ENOMEM : posix_memalign(ret_memory, alignment, size);
}

static char *take_strdup(const char *text) {
  return fails() ? NULL : strdup(text);
}

static char *take_strndup(const char *text, size_t length) {
  return fails() ? NULL : strndup(text, length);
}

static const struct {
  const char *name;
  void (*function)(void);
} taken[] = {
    {"malloc", (void (*)(void))take_malloc},
    {"calloc", (void (*)(void))take_calloc},
    {"realloc", (void (*)(void))take_realloc},
    {"reallocarray", (void (*)(void))take_reallocarray},
    {"aligned_alloc", (void (*)(void))take_aligned_alloc},
    {"posix_memalign", (void (*)(void))take_posix_memalign},
    {"strdup", (void (*)(void))take_strdup},
    {"__strdup", (void (*)(void))take_strdup},
    {"strndup", (void (*)(void))take_strndup},
    {"__strndup", (void (*)(void))take_strndup},
};

/* ---- references in loaded objects */

/* What the dynamic linker has put to use of an object: elf(5), ELF's generic ABI. */
struct object {
  ElfW(Addr) base;
  const ElfW(Sym) * symbols;
  const char *names;
  const ElfW(Rela) * tables[2];
  size_t sizes[2]; /* bytes */
};

static struct object read_dynamic(ElfW(Addr) base, const ElfW(Dyn) * dynamic) {
  struct object object = {.base = base};
  for (; dynamic->d_tag != DT_NULL; dynamic++)
    switch (dynamic->d_tag) {
    case DT_SYMTAB:
      object.symbols = (const void *)dynamic->d_un.d_ptr;
      break;
    case DT_STRTAB:
      object.names = (const void *)dynamic->d_un.d_ptr;
      break;
    case DT_JMPREL:
      object.tables[0] = (const void *)dynamic->d_un.d_ptr;
      break;
    case DT_PLTRELSZ:
      object.sizes[0] = dynamic->d_un.d_val;
      break;
    case DT_RELA:
      object.tables[1] = (const void *)dynamic->d_un.d_ptr;
      break;
    case DT_RELASZ:
      object.sizes[1] = dynamic->d_un.d_val;
      break;
    default:
      break;
    }
  return object;
}

/* Relocations that put a symbol's address somewhere. */
static bool is_reference(const ElfW(Rela) * relocation) {
#if defined(__x86_64__)
  unsigned type = ELF64_R_TYPE(relocation->r_info);
  return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT || (type == R_X86_64_64 && relocation->r_addend == 0);
#elif defined(__aarch64__)
  unsigned type = ELF64_R_TYPE(relocation->r_info);
  return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT ||
         (type == R_AARCH64_ABS64 && relocation->r_addend == 0);
#else
  (void)relocation;
  return false; /* nothing is taken over, which the check says */
#endif
}

static bool write_slot(void (**slot)(void), void (*function)(void)) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *start = (char *)((uintptr_t)slot & ~(uintptr_t)(page - 1));
  /* What was made read-only after it was bound stays writable: the process does not live long. */
  if (mprotect(start, page, PROT_READ | PROT_WRITE) < 0)
    return false;
  *slot = function;
  return true;
}

static size_t take_reference(const struct object *object, const ElfW(Rela) * relocation) {
  const char *name = object->names + object->symbols[ELF64_R_SYM(relocation->r_info)].st_name;
  if (!is_reference(relocation))
    return 0;
  for (size_t i = 0; i < ARRAY_COUNT(taken); i++)
    if (strcmp(taken[i].name, name) == 0)
      return write_slot((void (**)(void))(object->base + relocation->r_offset), taken[i].function);
  return 0;
}

static bool starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* Not the program itself, whose name is empty, nor what the C library and sanitizers do for themselves. */
static bool is_left_alone(const char *path) {
  static const char *const names[] = {"ld-linux", "libc.so",    "libasan",   "libubsan",
                                      "libtsan",  "linux-vdso", "linux-gate"};
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  for (size_t i = 0; i < ARRAY_COUNT(names); i++)
    if (starts_with(name, names[i]))
      return true;
  return *path == '\0';
}

static int take_object(struct dl_phdr_info *info, size_t size, void *count) {
  (void)size;
  if (is_left_alone(info->dlpi_name))
    return 0;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
      continue;
    const struct object object =
        read_dynamic(info->dlpi_addr, (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr));
    for (unsigned t = 0; t < 2 && object.symbols && object.names; t++)
      for (size_t k = 0; object.tables[t] && k < object.sizes[t] / sizeof *object.tables[t]; k++)
        *(size_t *)count += take_reference(&object, &object.tables[t][k]);
  }
  return 0;
}

size_t allocator_take_over(void) {
  size_t count = 0;
  (void)dl_iterate_phdr(take_object, &count);
  return count;
}
