#include "boot/elf.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "memory/fill.h"

namespace trine::hvm {
namespace {

constexpr std::size_t kMostHeaders = 64;
constexpr std::uint64_t kMostNoteBytes = 64 << 10;
constexpr std::uint32_t kPhys32Entry = 18;  ///< XEN_ELFNOTE_PHYS32_ENTRY
constexpr std::string_view kXen{"Xen\0", 4};

bool read_at(int file, std::uint64_t offset, std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (offset + done > static_cast<std::uint64_t>(INT64_MAX) - out.size())
      return false;
    const ssize_t got =
        ::pread(file, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

template <class T>
std::span<std::byte> bytes_of(T& object) {
  return std::as_writable_bytes(std::span(&object, 1));
}

constexpr std::uint64_t align4(std::uint64_t value) {
  return (value + 3) & ~3ULL;
}

/// The entry that a note segment names, if one of its notes is Xen's.
std::optional<std::uint64_t> find_entry(std::span<const std::byte> notes) {
  std::uint64_t offset = 0;
  while (offset + sizeof(Elf64_Nhdr) <= notes.size()) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data() + offset, sizeof note);
    const std::uint64_t name = offset + sizeof note;
    const std::uint64_t value = name + align4(note.n_namesz);
    if (value > notes.size() || note.n_descsz > notes.size() - value)
      return std::nullopt;
    if (note.n_type == kPhys32Entry && note.n_namesz == kXen.size() &&
        std::memcmp(notes.data() + name, kXen.data(), kXen.size()) == 0 && note.n_descsz >= 4) {
      std::uint64_t entry = 0;
      std::memcpy(&entry, notes.data() + value, std::min<std::size_t>(note.n_descsz, sizeof entry));
      return entry;
    }
    offset = value + align4(note.n_descsz);
  }
  return std::nullopt;
}

std::expected<std::vector<Elf64_Phdr>, std::string> read_headers(int file) {
  Elf64_Ehdr header{};
  if (!read_at(file, 0, bytes_of(header)) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return std::unexpected("it is no ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64)
    return std::unexpected("it is for another processor than x86-64");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMostHeaders)
    return std::unexpected("its program headers are damaged");
  std::vector<Elf64_Phdr> headers(header.e_phnum);
  if (!read_at(file, header.e_phoff, std::as_writable_bytes(std::span(headers))))
    return std::unexpected("its program headers are damaged");
  return headers;
}

std::expected<std::uint64_t, std::string> load_segment(int file, const Elf64_Phdr& segment,
                                                       const GuestMemory& memory, std::uint64_t lowest) {
  if (segment.p_filesz > segment.p_memsz)
    return std::unexpected("a segment of it is longer in the file than in memory");
  if (segment.p_paddr < lowest)
    return std::unexpected("a segment of it begins below 1 MiB");
  const auto place = memory.slice(segment.p_paddr, segment.p_memsz);
  if (!place)
    return std::unexpected("it does not fit into the guest's memory");
  if (segment.p_filesz > 0 && !fill_from_file(place->part(0, segment.p_filesz), file, segment.p_offset))
    return std::unexpected("the file is cut short");
  return segment.p_paddr + segment.p_memsz;
}

}  // namespace

std::expected<LoadedKernel, std::string> load_elf(int file, const GuestMemory& memory, std::uint64_t lowest) {
  const auto headers = read_headers(file);
  if (!headers)
    return std::unexpected(headers.error());
  LoadedKernel kernel;
  std::optional<std::uint64_t> entry;
  for (const Elf64_Phdr& segment : *headers) {
    if (segment.p_type == PT_LOAD && segment.p_memsz > 0) {
      const auto end = load_segment(file, segment, memory, lowest);
      if (!end)
        return std::unexpected(end.error());
      kernel.end = std::max(kernel.end, *end);
    } else if (segment.p_type == PT_NOTE && !entry && segment.p_filesz <= kMostNoteBytes) {
      std::vector<std::byte> notes(segment.p_filesz);
      if (!read_at(file, segment.p_offset, notes))
        return std::unexpected("the file is cut short");
      entry = find_entry(notes);
    }
  }
  if (!entry)
    return std::unexpected("it cannot be entered by PVH (a kernel needs CONFIG_PVH=y)");
  if (*entry < lowest || *entry >= kernel.end)
    return std::unexpected("its PVH entry is outside of it");
  kernel.entry = *entry;
  return kernel;
}

}  // namespace trine::hvm
