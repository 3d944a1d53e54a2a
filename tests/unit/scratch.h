#pragma once

#include <string>

#include "base/unique_fd.h"

namespace trine::test {

/// A directory of the test's own, removed with all that is in it. Not removed by the code under test.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::string path(const std::string& name = {}) const { return path_ + "/" + name; }
  [[nodiscard]] bool has(const std::string& name) const;

  void make_directory(const std::string& name) const;
  void make_file(const std::string& name, const std::string& content = {}) const;
  void make_symlink(const std::string& name, const std::string& target) const;
  [[nodiscard]] std::string content(const std::string& name) const;

 private:
  std::string path_;
  base::UniqueFd fd_;
};

/// How many descriptors this process has open.
int open_descriptors();

}  // namespace trine::test
