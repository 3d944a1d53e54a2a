#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/unique_fd.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/run_options.h"

/// Instances that run in the background. `trine run -d` makes a child, which starts the instance as one in
/// the foreground is started, and then executes trine-supervisor in its own place: no other process is ever
/// the parent of the instance's first one, and the lock on the instance is never free.
namespace trine::runtime::engine {

/// The ends of an instance's streams that its supervisor has.
struct OuterStreams {
  base::UniqueFd output;
  base::UniqueFd errors;
  base::UniqueFd input;     ///< only of an interactive one
  base::UniqueFd terminal;  ///< in the place of the three
};

/// Pipes, or a terminal, in the place of our own three streams, for what is started while this lives.
class InnerStreams {
 public:
  /// Throws Error.
  InnerStreams(bool terminal, bool interactive);
  ~InnerStreams();
  InnerStreams(const InnerStreams&) = delete;
  InnerStreams& operator=(const InnerStreams&) = delete;

  OuterStreams take_outer() { return std::move(outer_); }
  /// Closes those that there were before: they do not come back.
  void stay() { before_.clear(); }

 private:
  OuterStreams outer_;
  std::vector<base::UniqueFd> before_;
};

/// The child's side: tells the trine that waits, and becomes the supervisor.
class Background {
 public:
  /// `report`: of a pipe; `client`: a socket to the first who is attached, or none.
  Background(base::UniqueFd report, base::UniqueFd client)
      : report_(std::move(report)), client_(std::move(client)) {}

  struct Ward {
    base::Process* process = nullptr;  ///< the instance's first one, a child of ours
    OuterStreams streams;
    std::vector<int> held;  ///< descriptors that are to be open as long as it runs, the instance's lock first
  };
  /// The instance runs. Never returns but by throwing Error.
  [[noreturn]] void become_supervisor(const Paths& paths, const Record& record, const LogOptions& log,
                                      Ward ward);

  /// In a child of ours: who waits is to hear of us alone.
  void forget() {
    report_.reset();
    client_.reset();
  }

 private:
  base::UniqueFd report_;
  base::UniqueFd client_;
};

/// A child of ours that goes on in our place, with streams of its own, while we become its supervisor: the
/// trine of a VM, which carries the guest's streams and answers other commands as long as the VM runs.
class Keeper {
 public:
  /// Makes it. Throws Error.
  Keeper(Background& background, bool terminal, bool interactive);

  [[nodiscard]] bool is_child() const { return !child_; }
  /// In the child: the instance runs.
  void started();
  /// In the parent: waits for started() and becomes the supervisor. When the child ends before: its exit
  /// code.
  int supervise(Background& background, const Paths& paths, const Record& record, const LogOptions& log);

 private:
  InnerStreams streams_;
  base::UniqueFd ready_reader_;
  base::UniqueFd ready_writer_;
  base::Process child_;
};

/// What became of one that was to run in the background.
struct Started {
  std::string id;  ///< empty: it does not run
  int code = 0;    ///< the exit code of what failed, what there is to say having been said
};

/// Runs `start` in a child until that has become a supervisor, or has failed. `client`: the supervisor's end
/// of a socket to somebody who is to see all that the instance writes, or none.
Started start_in_background(const std::function<int(Background&)>& start, base::UniqueFd client);

}  // namespace trine::runtime::engine
