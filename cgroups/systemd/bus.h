#pragma once

#include <systemd/sd-bus.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "variant.h"

namespace trine::cgroups::systemd {

/// A connection to a systemd manager. Every call has a time limit. Source: org.freedesktop.systemd1(5).
class Bus {
 public:
  /// To the machine's manager, or to the user's own. By the manager's private socket where we may, as
  /// systemctl does: that needs no message bus. Throws Error.
  explicit Bus(bool user);

  using Properties = std::vector<std::pair<std::string, Variant>>;

  /// Starts a transient unit and waits for it. One of that name that failed is forgotten first. Throws Error.
  void start(const std::string& unit, const Properties& properties);
  /// Until the unit ends. Throws Error.
  void set(const std::string& unit, const Properties& properties);
  /// Stops the unit, waits for that, and forgets its failure. No error when it is gone.
  void stop(const std::string& unit);
  /// Whether no process is in the unit's cgroup, or there is no such unit.
  bool is_empty(const std::string& unit);
  /// "/system.slice/x.scope"; empty when the unit is gone.
  std::string control_group(const std::string& unit);

 private:
  struct CloseBus {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
  };
  struct FreeMessage {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
  };
  using Message = std::unique_ptr<sd_bus_message, FreeMessage>;

  void connect_private();
  void connect_bus(bool user);
  static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error* error);
  Message new_call(const char* method);
  /// Returns whether it worked; `error` holds the reason when it did not.
  bool call(const Message& request, Message& reply, sd_bus_error& error);
  bool try_start(const std::string& unit, const Properties& properties, sd_bus_error& error);
  void forget_failure(const std::string& unit);
  void wait_for_job(const std::string& verb, const std::string& unit, const Message& reply);

  std::string socket_;
  std::unique_ptr<sd_bus, CloseBus> bus_;
  std::map<std::string, std::string> ended_jobs_;  ///< how each ended
};

}  // namespace trine::cgroups::systemd
