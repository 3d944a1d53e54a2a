#pragma once

#include <elf.h>

#include <cstring>
#include <string>

namespace trine::hvm::test {

/// A kernel of one segment and one PVH note; a test changes what it wants to be wrong.
struct ElfFile {
  Elf64_Ehdr header{.e_machine = EM_X86_64,
                    .e_phoff = sizeof(Elf64_Ehdr),
                    .e_ehsize = sizeof(Elf64_Ehdr),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 2};
  std::string code = "\xf4 code of a kernel";
  std::uint32_t note_type = 18;
  std::uint64_t entry = 0x100000;
  Elf64_Phdr load{.p_type = PT_LOAD,
                  .p_offset = sizeof(Elf64_Ehdr) + (2 * sizeof(Elf64_Phdr)) + 24,
                  .p_paddr = 0x100000,
                  .p_filesz = code.size(),
                  .p_memsz = code.size()};

  explicit ElfFile(std::string program = {}) {
    if (!program.empty())
      code = std::move(program);
    load.p_filesz = load.p_memsz = code.size();
  }

  [[nodiscard]] std::string bytes() const {
    Elf64_Ehdr first = header;
    std::memcpy(first.e_ident, ELFMAG, SELFMAG);
    first.e_ident[EI_CLASS] = ELFCLASS64;
    first.e_ident[EI_DATA] = ELFDATA2LSB;
    const Elf64_Phdr note{
        .p_type = PT_NOTE, .p_offset = sizeof(Elf64_Ehdr) + (2 * sizeof(Elf64_Phdr)), .p_filesz = 24};
    const Elf64_Nhdr note_header{.n_namesz = 4, .n_descsz = 8, .n_type = note_type};
    std::string file;
    const auto add = [&](const auto& part) {
      file.append(reinterpret_cast<const char*>(&part), sizeof part);
    };
    add(first);
    add(load);
    add(note);
    add(note_header);
    file.append("Xen", 4);
    add(entry);
    return file + code;
  }
};

}  // namespace trine::hvm::test
