#include "scratch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace trine::test {

Scratch::Scratch() {
  std::string name = std::filesystem::temp_directory_path() / "trine-unit.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("cannot make " + name);
  path_ = name;
  fd_.reset(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Scratch::~Scratch() {
  // rm, because std::filesystem::remove_all goes by path and so cannot remove a very deep tree.
  const std::string command = "rm -rf '" + path_ + "'";
  if (std::system(command.c_str()) != 0)
    std::fputs(("cannot remove " + path_ + "\n").c_str(), stderr);
}

bool Scratch::has(const std::string& name) const {
  struct stat status{};
  return ::fstatat(fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

void Scratch::make_directory(const std::string& name) const {
  std::filesystem::create_directories(path(name));
}

void Scratch::make_file(const std::string& name, const std::string& content) const {
  std::ofstream(path(name), std::ios::binary) << content;
}

void Scratch::make_symlink(const std::string& name, const std::string& target) const {
  std::filesystem::create_symlink(target, path(name));
}

std::string Scratch::content(const std::string& name) const {
  std::ostringstream text;
  text << std::ifstream(path(name), std::ios::binary).rdbuf();
  return text.str();
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

}  // namespace trine::test
