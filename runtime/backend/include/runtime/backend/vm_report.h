#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

/// How the command that has a VM's keeper made hears whether the program runs: a socket in a directory that
/// both know, which the command listens on and the keeper says one frame to.
namespace trine::runtime::backend {

/// The command's end. Its socket goes away with it.
class ReportSocket {
 public:
  /// `directory` is a descriptor of it. A socket that a killed command left is replaced. Throws base::Error.
  ReportSocket(int directory, std::string name);
  ~ReportSocket();
  ReportSocket(const ReportSocket&) = delete;
  ReportSocket& operator=(const ReportSocket&) = delete;

  /// Returns when the program runs. `keeper` is a pidfd. Throws what the keeper reports, or base::Error when
  /// it ended without a word.
  void await(int keeper) const;

 private:
  int directory_;
  std::string name_;
  base::UniqueFd listener_;
};

/// The keeper's end. What it says goes nowhere when the command has ended.
class Reporter {
 public:
  explicit Reporter(const std::string& path);
  /// The program runs.
  void started();
  /// It never will.
  void failed(const base::Error& error);

 private:
  base::UniqueFd socket_;
};

}  // namespace trine::runtime::backend
