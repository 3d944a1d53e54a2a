#include "bus.h"

#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "base/error.h"

namespace trine::cgroups::systemd {
namespace {

constexpr std::uint64_t kCallTimeoutUs = 15'000'000;
constexpr std::chrono::seconds kJobTimeout{30};
constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

/// Frees what a call says about its failure.
struct CallError {
  sd_bus_error value = SD_BUS_ERROR_NULL;
  CallError() = default;
  CallError(const CallError&) = delete;
  CallError& operator=(const CallError&) = delete;
  ~CallError() { sd_bus_error_free(&value); }
  [[nodiscard]] bool is(const char* name) const { return sd_bus_error_has_name(&value, name) > 0; }
};

constexpr const char* kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";
constexpr const char* kUnitExists = "org.freedesktop.systemd1.UnitExists";

std::string hint_for(const sd_bus_error& error) {
  if (sd_bus_error_has_name(&error, kUnitExists) > 0)
    return "another container has this name; systemctl status shows it";
  if (sd_bus_error_has_name(&error, SD_BUS_ERROR_PROPERTY_READ_ONLY) > 0 ||
      sd_bus_error_has_name(&error, SD_BUS_ERROR_INVALID_ARGS) > 0)
    return "a property, or its type, is not one that this systemd knows: systemd.resource-control(5)";
  if (sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED) > 0 ||
      sd_bus_error_has_name(&error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) > 0)
    return "the machine's systemd takes such requests from root only; a user has a manager of one's own";
  if (sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY) > 0)
    return "systemd or the message bus did not answer in time";
  return {};
}

[[noreturn]] void fail(const std::string& what, const sd_bus_error& error) {
  throw base::Error(what + ": " + (error.message != nullptr ? error.message : "no reason was given"), 0,
                    hint_for(error));
}

/// For what fails only without memory, or with a value that D-Bus cannot carry.
void check(int result, const std::string& what) {
  if (result < 0)
    throw base::Error(what, -result);
}

void append(sd_bus_message* message, const Variant& variant);

void append_list(sd_bus_message* message, const Variant& list) {
  const bool array = list.type.front() == 'a';
  const auto contents = array ? list.type.substr(1) : list.type.substr(1, list.type.size() - 2);
  check(sd_bus_message_open_container(message, array ? SD_BUS_TYPE_ARRAY : SD_BUS_TYPE_STRUCT,
                                      contents.c_str()),
        "cannot begin a value of the type " + list.type);
  for (const auto& member : std::get<std::vector<Variant>>(list.value))
    append(message, member);
  check(sd_bus_message_close_container(message), "cannot end a value of the type " + list.type);
}

/// D-Bus takes a pointer to a number of exactly the type's size.
template <typename Number>
int append_number(sd_bus_message* message, char type, const Variant& variant) {
  const auto number = std::is_signed_v<Number> ? static_cast<Number>(std::get<std::int64_t>(variant.value))
                                               : static_cast<Number>(std::get<std::uint64_t>(variant.value));
  return sd_bus_message_append_basic(message, type, &number);
}

int append_basic(sd_bus_message* message, const Variant& variant) {
  const char type = variant.type.front();
  switch (type) {
    case 'b': {
      const int truth = std::get<bool>(variant.value) ? 1 : 0;
      return sd_bus_message_append_basic(message, type, &truth);
    }
    case 'y':
      return append_number<std::uint8_t>(message, type, variant);
    case 'n':
      return append_number<std::int16_t>(message, type, variant);
    case 'q':
      return append_number<std::uint16_t>(message, type, variant);
    case 'i':
      return append_number<std::int32_t>(message, type, variant);
    case 'u':
      return append_number<std::uint32_t>(message, type, variant);
    case 'x':
      return append_number<std::int64_t>(message, type, variant);
    case 't':
      return append_number<std::uint64_t>(message, type, variant);
    case 'd':
      return sd_bus_message_append_basic(message, type, &std::get<double>(variant.value));
    default:
      return sd_bus_message_append_basic(message, type, std::get<std::string>(variant.value).c_str());
  }
}

void append(sd_bus_message* message, const Variant& variant) {
  if (std::holds_alternative<std::vector<Variant>>(variant.value))
    append_list(message, variant);
  else
    check(append_basic(message, variant), "cannot send a value of the type " + variant.type);
}

/// a(sv)
void append_properties(sd_bus_message* message, const Bus::Properties& properties) {
  constexpr const char* kWhat = "cannot send properties to systemd";
  check(sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "(sv)"), kWhat);
  for (const auto& [name, value] : properties) {
    check(sd_bus_message_open_container(message, SD_BUS_TYPE_STRUCT, "sv"), kWhat);
    check(sd_bus_message_append(message, "s", name.c_str()), kWhat);
    check(sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, value.type.c_str()), kWhat);
    append(message, value);
    check(sd_bus_message_close_container(message), kWhat);
    check(sd_bus_message_close_container(message), kWhat);
  }
  check(sd_bus_message_close_container(message), kWhat);
}

std::string private_socket(bool user) {
  if (!user)
    return ::geteuid() == 0 ? "/run/systemd/private" : "";
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  return (runtime != nullptr ? runtime : "/run/user/" + std::to_string(::geteuid())) + "/systemd/private";
}

}  // namespace

Bus::Bus(bool user) : socket_(private_socket(user)) {
  if (!user && sd_booted() <= 0) {
    throw base::Error("cannot make a cgroup with systemd: this machine was not started by it", ENOENT,
                      "leave out --systemd-cgroup, and tell the engine to use the cgroupfs manager");
  }
  connect_private();
  if (!bus_)
    connect_bus(user);
  check(
      sd_bus_match_signal(bus_.get(), nullptr, nullptr, kPath, kManager, "JobRemoved", on_job_removed, this),
      "cannot listen to systemd");
}

void Bus::connect_private() {
  if (socket_.empty())
    return;
  sd_bus* bus = nullptr;
  check(sd_bus_new(&bus), "cannot make a D-Bus connection");
  bus_.reset(bus);
  const auto address = "unix:path=" + socket_;
  const bool connected = sd_bus_set_method_call_timeout(bus, kCallTimeoutUs) >= 0 &&
                         sd_bus_set_address(bus, address.c_str()) >= 0 && sd_bus_start(bus) >= 0;
  if (!connected)
    bus_.reset();
}

void Bus::connect_bus(bool user) {
  sd_bus* bus = nullptr;
  const int result = user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);
  if (result < 0) {
    throw base::Error(
        user ? "cannot reach this user's systemd: neither at " + socket_ + " nor by the user's bus"
             : std::string("cannot reach systemd: neither directly nor by the system's bus"),
        -result,
        user ? "the user needs a session with XDG_RUNTIME_DIR, or loginctl enable-linger"
             : "is dbus.service running?");
  }
  bus_.reset(bus);
  check(sd_bus_set_method_call_timeout(bus, kCallTimeoutUs), "cannot limit the time of D-Bus calls");
  // On a message bus the manager tells of jobs only those who asked.
  CallError error;
  sd_bus_message* reply = nullptr;
  const int subscribed =
      sd_bus_call_method(bus, kService, kPath, kManager, "Subscribe", &error.value, &reply, "");
  sd_bus_message_unref(reply);
  if (subscribed < 0)
    fail("cannot listen to systemd", error.value);
}

int Bus::on_job_removed(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
  std::uint32_t id = 0;
  const char* job = nullptr;
  const char* unit = nullptr;
  const char* result = nullptr;
  if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) > 0)
    static_cast<Bus*>(self)->ended_jobs_[job] = result;
  return 0;
}

Bus::Message Bus::new_call(const char* method) {
  sd_bus_message* message = nullptr;
  check(sd_bus_message_new_method_call(bus_.get(), &message, kService, kPath, kManager, method),
        std::string("cannot make the D-Bus call ") + method);
  return Message(message);
}

bool Bus::call(const Message& request, Message& reply, sd_bus_error& error) {
  sd_bus_message* answer = nullptr;
  const int result = sd_bus_call(bus_.get(), request.get(), kCallTimeoutUs, &error, &answer);
  reply.reset(answer);
  return result >= 0;
}

void Bus::wait_for_job(const std::string& verb, const std::string& unit, const Message& reply) {
  const char* path = nullptr;
  check(sd_bus_message_read(reply.get(), "o", &path), "cannot read systemd's answer");
  const std::string job = path;
  const auto end = std::chrono::steady_clock::now() + kJobTimeout;
  while (!ended_jobs_.contains(job)) {
    const int processed = sd_bus_process(bus_.get(), nullptr);
    check(processed, "lost the connection to systemd while it was to " + verb + " " + unit);
    if (processed > 0)
      continue;
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      throw base::Error("systemd did not " + verb + " " + unit + " within 30 seconds", ETIMEDOUT,
                        "systemctl list-jobs shows what it waits for");
    }
    check(sd_bus_wait(bus_.get(), static_cast<std::uint64_t>(left.count())), "cannot wait for systemd");
  }
  if (const auto& result = ended_jobs_.at(job); result != "done") {
    throw base::Error("systemd could not " + verb + " " + unit + ": its job ended as '" + result + "'", 0,
                      "journalctl -u " + unit + " says more");
  }
}

void Bus::forget_failure(const std::string& unit) {
  CallError ignored;  // most often there is nothing to forget
  sd_bus_message* reply = nullptr;
  sd_bus_call_method(bus_.get(), kService, kPath, kManager, "ResetFailedUnit", &ignored.value, &reply, "s",
                     unit.c_str());
  sd_bus_message_unref(reply);
}

bool Bus::try_start(const std::string& unit, const Properties& properties, sd_bus_error& error) {
  const auto request = new_call("StartTransientUnit");
  constexpr const char* kWhat = "cannot send a unit to systemd";
  check(sd_bus_message_append(request.get(), "ss", unit.c_str(), "replace"), kWhat);
  append_properties(request.get(), properties);
  check(sd_bus_message_append(request.get(), "a(sa(sv))", 0), kWhat);
  Message reply;
  if (!call(request, reply, error))
    return false;
  wait_for_job("start", unit, reply);
  return true;
}

void Bus::start(const std::string& unit, const Properties& properties) {
  CallError first;
  if (try_start(unit, properties, first.value))
    return;
  if (!first.is(kUnitExists))
    fail("systemd does not start " + unit, first.value);
  forget_failure(unit);
  CallError second;
  if (!try_start(unit, properties, second.value))
    fail("systemd does not start " + unit, second.value);
}

void Bus::set(const std::string& unit, const Properties& properties) {
  const auto request = new_call("SetUnitProperties");
  check(sd_bus_message_append(request.get(), "sb", unit.c_str(), 1), "cannot send properties to systemd");
  append_properties(request.get(), properties);
  Message reply;
  CallError error;
  if (!call(request, reply, error.value))
    fail("systemd does not change " + unit, error.value);
}

void Bus::stop(const std::string& unit) {
  const auto request = new_call("StopUnit");
  check(sd_bus_message_append(request.get(), "ss", unit.c_str(), "replace"), "cannot send a unit to systemd");
  Message reply;
  CallError error;
  if (call(request, reply, error.value))
    wait_for_job("stop", unit, reply);
  else if (!error.is(kNoSuchUnit))
    fail("systemd does not stop " + unit, error.value);
  forget_failure(unit);
}

bool Bus::is_empty(const std::string& unit) {
  const auto request = new_call("GetUnitProcesses");
  check(sd_bus_message_append(request.get(), "s", unit.c_str()), "cannot send a unit to systemd");
  Message reply;
  CallError error;
  if (call(request, reply, error.value))
    return sd_bus_message_enter_container(reply.get(), SD_BUS_TYPE_ARRAY, "(sus)") >= 0 &&
           sd_bus_message_at_end(reply.get(), 0) > 0;
  if (!error.is(kNoSuchUnit))
    fail("cannot ask systemd for the processes of " + unit, error.value);
  return true;
}

std::string Bus::control_group(const std::string& unit) {
  char* path = nullptr;
  check(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path), "cannot name " + unit);
  const std::unique_ptr<char, decltype(&::free)> owned_path(path, ::free);
  CallError error;
  char* group = nullptr;
  const int result = sd_bus_get_property_string(bus_.get(), kService, path, "org.freedesktop.systemd1.Scope",
                                                "ControlGroup", &error.value, &group);
  const std::unique_ptr<char, decltype(&::free)> owned_group(group, ::free);
  if (result < 0)
    fail("cannot ask systemd for the cgroup of " + unit, error.value);
  return group;
}

}  // namespace trine::cgroups::systemd
