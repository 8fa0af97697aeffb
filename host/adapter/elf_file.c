#include "host/adapter/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/* The linker's view of this program: its own class and machine are what it can load. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* The most dynamic symbols and notes looked at. */
#define SYMBOLS_MAX 1000000
#define NOTES_MAX 1000

static void elf_endp(Elf **elf) {
  if (*elf)
    (void)elf_end(*elf);
}

static const char *class_name(int class) {
  return class == ELFCLASS64 ? "64-bit" : class == ELFCLASS32 ? "32-bit" : "unknown class";
}

/* A file that is cut off often still has its first parts: say what is wrong with it, not what is missing from it. */
static int check_length(Elf *elf, const GElf_Ehdr *header, struct error **err) {
  size_t length = 0;
  if (!elf_rawfile(elf, &length))
    return error_set(err, EINVAL, "truncated or damaged ELF file: %s", elf_errmsg(-1));
  if (header->e_shoff > length ||
      (length - header->e_shoff) / (header->e_shentsize ? header->e_shentsize : 1) < header->e_shnum)
    return error_set(err, EINVAL, "truncated ELF file: has %zu bytes, its section table ends at %llu", length,
                     (unsigned long long)header->e_shoff + (unsigned long long)header->e_shnum * header->e_shentsize);
  return 0;
}

static int check_header(Elf *elf, struct error **err) {
  GElf_Ehdr header;
  if (elf_kind(elf) != ELF_K_ELF)
    return error_set(err, EINVAL, "not an ELF file, an adapter is a shared object (.so)");
  if (!gelf_getehdr(elf, &header))
    return error_set(err, EINVAL, "truncated or damaged ELF file: %s", elf_errmsg(-1));
  if (header.e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
      header.e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA])
    return error_set(err, EINVAL, "is %s with byte order %d, this program is %s with byte order %d",
                     class_name(header.e_ident[EI_CLASS]), header.e_ident[EI_DATA],
                     class_name(__ehdr_start.e_ident[EI_CLASS]), __ehdr_start.e_ident[EI_DATA]);
  if (header.e_machine != __ehdr_start.e_machine)
    return error_set(err, EINVAL, "is for ELF machine %d, this program is for machine %d", header.e_machine,
                     __ehdr_start.e_machine);
  if (header.e_type != ET_DYN)
    return error_set(err, EINVAL, "is an ELF file of type %d, an adapter is a shared object (type %d)", header.e_type,
                     ET_DYN);
  return check_length(elf, &header, err);
}

static bool padded(const char *text, size_t size) {
  size_t n = strnlen(text, size);
  for (size_t i = n; i < size; i++)
    if (text[i])
      return false;
  for (size_t i = 0; i < n; i++)
    if (text[i] <= ' ' || text[i] > '~')
      return false;
  return n > 0 && n < size;
}

bool name_valid(const char *name) {
  size_t n = strlen(name);
  return n > 0 && n <= NAME_BYTES_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-';
}

static int check_note(const trammel_note *note, struct error **err) {
  if (!padded(note->id, sizeof note->id) || !padded(note->version, sizeof note->version) ||
      !padded(note->mesh, sizeof note->mesh))
    return error_set(err, EINVAL,
                     "its Trammel note holds an id, version or mesh that is empty, not NUL-terminated or "
                     "not printable ASCII");
  if (!name_valid(note->id) || !name_valid(note->mesh))
    return error_set(err, EINVAL, "its Trammel note has the id \"%s\" and mesh \"%s\", allowed are a-z, 0-9 and '-'",
                     note->id, note->mesh);
  return 0;
}

/* Looks through one PT_NOTE segment: 1 when it has the note. */
static int find_note(Elf_Data *data, trammel_note *ret_note, struct error **err) {
  size_t offset = 0, name, desc;
  GElf_Nhdr header;
  for (unsigned i = 0; i < NOTES_MAX && (offset = gelf_getnote(data, offset, &header, &name, &desc)) > 0; i++) {
    if (header.n_namesz != sizeof TRAMMEL_NOTE_OWNER || header.n_type != TRAMMEL_NOTE_TYPE ||
        memcmp((const char *)data->d_buf + name, TRAMMEL_NOTE_OWNER, sizeof TRAMMEL_NOTE_OWNER) != 0)
      continue;
    if (header.n_descsz < sizeof *ret_note)
      return error_set(err, EINVAL, "its Trammel note has %u bytes, at least %zu are expected", header.n_descsz,
                       sizeof *ret_note);
    memcpy(ret_note, (const char *)data->d_buf + desc, sizeof *ret_note);
    return 1;
  }
  return 0;
}

static int read_note(Elf *elf, trammel_note *ret_note, struct error **err) {
  size_t count = 0;
  if (elf_getphdrnum(elf, &count) < 0)
    return error_set(err, EINVAL, "truncated or damaged ELF file: %s", elf_errmsg(-1));
  for (size_t i = 0; i < count; i++) {
    GElf_Phdr segment;
    if (!gelf_getphdr(elf, (int)i, &segment))
      return error_set(err, EINVAL, "truncated or damaged ELF file: %s", elf_errmsg(-1));
    if (segment.p_type != PT_NOTE)
      continue;
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment.p_offset, segment.p_filesz,
                                          segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    if (!data)
      return error_set(err, EINVAL, "truncated or damaged ELF file: %s", elf_errmsg(-1));
    int r = find_note(data, ret_note, err);
    if (r != 0)
      return r < 0 ? r : check_note(ret_note, err);
  }
  return error_set(err, EINVAL, "has no Trammel note (section .note.trammel), so it is no Trammel adapter");
}

static Elf_Scn *dynamic_symbols(Elf *elf, GElf_Shdr *ret_header) {
  for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));)
    if (gelf_getshdr(section, ret_header) && ret_header->sh_type == SHT_DYNSYM)
      return section;
  return NULL;
}

static bool exported(const GElf_Sym *symbol) {
  unsigned char binding = GELF_ST_BIND(symbol->st_info);
  unsigned char visibility = GELF_ST_VISIBILITY(symbol->st_other);
  return symbol->st_shndx != SHN_UNDEF && (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static int check_exports(Elf *elf, struct error **err) {
  GElf_Shdr header;
  Elf_Scn *section = dynamic_symbols(elf, &header);
  Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
  if (!data || header.sh_entsize == 0)
    return error_set(err, EINVAL, "has no dynamic symbols, expected %s", TRAMMEL_ENTRY_SYMBOL);
  size_t count = header.sh_size / header.sh_entsize;
  if (count > SYMBOLS_MAX)
    return error_set(err, EINVAL, "has %zu dynamic symbols, at most %d are looked at", count, SYMBOLS_MAX);
  bool found = false;
  for (size_t i = 1; i < count; i++) {
    GElf_Sym symbol;
    if (!gelf_getsym(data, (int)i, &symbol))
      return error_set(err, EINVAL, "truncated or damaged ELF file: %s", elf_errmsg(-1));
    if (!exported(&symbol))
      continue;
    const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (!name)
      return error_set(err, EINVAL, "truncated or damaged ELF file: a symbol without a name");
    if (strcmp(name, TRAMMEL_ENTRY_SYMBOL) != 0)
      return error_set(
          err, EINVAL,
          "exports the symbol %.100s; an adapter exports %s only (link with the version script adapter.map)", name,
          TRAMMEL_ENTRY_SYMBOL);
    found = true;
  }
  return found ? 0
               : error_set(err, EINVAL, "does not export %s, the entry symbol of ABI major version %u",
                           TRAMMEL_ENTRY_SYMBOL, TRAMMEL_ABI_MAJOR);
}

static void start_libelf(void) {
  (void)elf_version(EV_CURRENT);
}

int elf_file_read(int fd, trammel_note *ret_note, struct error **err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start_libelf);
  _cleanup_(elf_endp) Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
  if (!elf)
    return error_set(err, EINVAL, "cannot be read as an ELF file: %s", elf_errmsg(-1));
  trammel_note note = {0};
  int r = check_header(elf, err);
  if (r == 0)
    r = read_note(elf, &note, err);
  if (r < 0)
    return r;
  *ret_note = note; /* it says who is refused below */
  return check_exports(elf, err);
}
