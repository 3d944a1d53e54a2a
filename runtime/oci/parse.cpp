#include "parse.h"

#include "base/text.h"

namespace trine::runtime::oci {
namespace {

Mount read_mount(const Reader& reader) {
  Mount mount{.destination = reader.required<std::string>("destination")};
  reader.read("type", mount.type);
  reader.read("source", mount.source);
  reader.read("options", mount.options);
  reader.read_each("uidMappings", mount.uid_mappings, read_mapping);
  reader.read_each("gidMappings", mount.gid_mappings, read_mapping);
  return mount;
}

Hook read_hook(const Reader& reader) {
  Hook hook{.path = reader.required<std::string>("path")};
  reader.read("args", hook.args);
  reader.read("env", hook.env);
  reader.read("timeout", hook.timeout);
  return hook;
}

Hooks read_hooks(const Reader& reader) {
  Hooks hooks;
  for (const auto& stage : kHookStages)
    reader.read_each(stage.name, hooks.*stage.hooks, read_hook);
  return hooks;
}

/// Until 1.3 a limit of no processes stood for no limit: what was meant by "podman run --pids-limit -1" came
/// as 0. Since then it is a number like any other, and -1 is none.
void drop_old_zero(Spec& spec) {
  const auto parts = base::split(spec.oci_version, '.');
  const auto minor = parts.size() > 1 ? base::parse_unsigned(parts[1]) : std::nullopt;
  auto& limit = spec.linux_part.resources.pids_limit;
  if (limit == 0 && parts.front() == "1" && minor && *minor < 3)
    limit.reset();
}

}  // namespace

Spec parse_spec(std::string_view text) {
  const auto json = parse_json(text, "config.json");
  const Reader reader(json, "config.json");
  Spec spec{.oci_version = reader.required<std::string>("ociVersion")};
  if (const auto root = reader.field("root")) {
    root->read("path", spec.root.path);
    root->read("readonly", spec.root.readonly);
  }
  const auto process = reader.field("process");
  if (!process)
    reader.fail("'process' is missing");
  spec.process = read_process(*process);
  reader.read("hostname", spec.hostname);
  reader.read("domainname", spec.domainname);
  reader.read_each("mounts", spec.mounts, read_mount);
  if (const auto hooks = reader.field("hooks"))
    spec.hooks = read_hooks(*hooks);
  reader.read("annotations", spec.annotations);
  if (const auto part = reader.field("linux"))
    spec.linux_part = read_linux(*part);
  if (const auto part = reader.field("vm"); part && !part->is_empty())
    spec.vm = read_vm(*part);
  drop_old_zero(spec);
  return spec;
}

Process parse_process(std::string_view text) {
  const auto json = parse_json(text, "process.json");
  return read_process(Reader(json, "process.json"));
}

Resources parse_resources(std::string_view text) {
  const auto json = parse_json(text, "resources.json");
  return read_resources(Reader(json, "resources.json"));
}

std::vector<Mount> parse_mounts(std::string_view text) {
  const nlohmann::json object{{"mounts", parse_json(text, "mounts.json")}};
  std::vector<Mount> mounts;
  Reader(object, "mounts.json").read_each("mounts", mounts, read_mount);
  return mounts;
}

}  // namespace trine::runtime::oci
