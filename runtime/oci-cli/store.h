#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "runtime/oci/spec.h"
#include "state.h"

/// The state directories: <root>/<id>/ with state.json, a copy of config.json, and the gate of a container
/// that waits to be started. A lock on the directory keeps two commands from changing one container at once.
namespace trine::runtime::oci_cli {

/// There is no container of this id; engines know it by the words "does not exist".
class NotFound : public base::Error {
 public:
  explicit NotFound(const std::string& id) : Error("container " + id + " does not exist") {}
};

enum class Status { kCreating, kCreated, kRunning, kPaused, kStopped };
/// "running"
const char* name_of(Status status);

/// One container, locked when it is to be changed.
class Container {
 public:
  /// Takes the id. Throws Error when it is taken or none.
  static Container create(const std::string& root, const std::string& id);

  /// kRemove is kChange that takes a container whose state is damaged, too: as one that was never finished.
  enum class Access { kRead, kChange, kRemove };
  /// Throws Error when there is none ("… does not exist").
  static Container open(const std::string& root, const std::string& id, Access access);

  Container(Container&&) = default;

  State state;

  void save_state() const;
  /// The configuration as it was when the container was created.
  void save_spec(const std::string& text) const;
  [[nodiscard]] oci::Spec load_spec() const;

  [[nodiscard]] Status status() const;
  /// The first process, if it still is the one that was recorded; as a descriptor. Empty: it has ended.
  [[nodiscard]] base::UniqueFd open_process() const;

  [[nodiscard]] int directory() const { return directory_.get(); }
  [[nodiscard]] std::string path() const { return root_ + "/" + id_; }
  /// Lets go of lock and directory, without a word to anybody: for a child that shares them.
  void forget() { directory_.reset(); }
  /// Removes the state directory.
  void remove();

 private:
  Container(std::string root, std::string id) : root_(std::move(root)), id_(std::move(id)) {}
  std::string root_, id_;
  base::UniqueFd directory_;
};

/// All ids, sorted.
std::vector<std::string> container_ids(const std::string& root);

}  // namespace trine::runtime::oci_cli
