#include <catch2/catch.hpp>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>

#include "base/error.h"
#include "runtime/backend/features.h"
#include "runtime/backend/plan.h"
#include "runtime/oci/spec.h"

using namespace trine;
using namespace trine::runtime;

namespace {

/// A configuration with more fields of "process" and of "linux", each beginning with a comma.
std::string config(const std::string& process, const std::string& linux_part = "",
                   const std::string& namespaces = R"({"type": "mount"})") {
  return R"({"ociVersion": "1.3.0", "process": {"args": ["/bin/true"], "cwd": "/")" + process +
         R"(}, "linux": {"namespaces": [)" + namespaces + "]" + linux_part + "}}";
}

isolation::Plan plan_of(const std::string& json) {
  const auto spec = oci::parse_spec(json);
  oci::validate(spec);
  return backend::make_plan(spec, "/bundle").isolation;
}

/// The whole text, with the hint behind a bar.
std::string error_of(const std::string& json) {
  try {
    plan_of(json);
  } catch (const base::Error& error) {
    return error.hint().empty() ? error.what() : std::string(error.what()) + " | " + error.hint();
  }
  return "";
}

}  // namespace

TEST_CASE("a scheduler becomes what sched_setattr takes") {
  const auto plan = plan_of(config(R"(, "scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 2,
      "period": 3, "flags": ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM"]})"));
  REQUIRE(plan.process.scheduler);
  CHECK(plan.process.scheduler->policy == SCHED_DEADLINE);
  CHECK(plan.process.scheduler->flags == 3);
  CHECK(plan.process.scheduler->runtime == 1);
  CHECK(plan.process.scheduler->deadline == 2);
  CHECK(plan.process.scheduler->period == 3);
  CHECK(plan_of(config(R"(, "scheduler": {"policy": "SCHED_BATCH", "nice": -20})")).process.scheduler->nice ==
        -20);
}

TEST_CASE("a scheduler that the kernel would call invalid is refused by its field") {
  const auto error = [](const std::string& fields) {
    return error_of(config(R"(, "scheduler": {)" + fields + "}"));
  };
  CHECK(error(R"("policy": "SCHED_OTHER", "nice": 20)")
            .starts_with("config.json: process.scheduler.nice must be"));
  CHECK(error(R"("policy": "SCHED_OTHER", "priority": 1)")
            .starts_with("config.json: process.scheduler.priority is"));
  CHECK(error(R"("policy": "SCHED_FIFO")").starts_with("config.json: process.scheduler.priority must be"));
  CHECK(error(R"("policy": "SCHED_FIFO", "priority": 100)").find("between 1 and 99") != std::string::npos);
  CHECK(error(R"("policy": "SCHED_RR", "priority": 1, "runtime": 5)").find("SCHED_DEADLINE") !=
        std::string::npos);
  CHECK(error(R"("policy": "SCHED_DEADLINE")").find("needs a runtime") != std::string::npos);
}

TEST_CASE("an unknown word is refused with those that are known") {
  CHECK(error_of(config(R"(, "ioPriority": {"class": "X", "priority": 1})")) ==
        "config.json: process.ioPriority.class 'X' is unknown | known are IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, "
        "IOPRIO_CLASS_IDLE");
  CHECK(error_of(config("", R"(, "personality": {"domain": "BSD"})")) ==
        "config.json: linux.personality.domain 'BSD' is unknown | known are LINUX, LINUX32");
  CHECK(error_of(config("", R"(, "personality": {"domain": "LINUX", "flags": ["X"]})"))
            .starts_with("config.json: linux.personality.flags 'X' is unknown"));
  CHECK(
      error_of(config("", R"(, "memoryPolicy": {"mode": "MPOL_X"})"))
          .starts_with("config.json: linux.memoryPolicy.mode 'MPOL_X' is unknown | known are MPOL_DEFAULT"));
}

TEST_CASE("labels, I/O priority and affinity reach the plan") {
  const auto process = plan_of(config(R"(, "apparmorProfile": "a", "selinuxLabel": "b:c",
      "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 7},
      "execCPUAffinity": {"initial": "1", "final": "0-2"})"))
                           .process;
  CHECK(process.apparmor_profile == "a");
  CHECK(process.selinux_label == "b:c");
  CHECK(process.io_priority->io_class == 3);
  CHECK(process.io_priority->level == 7);
  CHECK(process.initial_cpus == std::vector<unsigned>{1});
  CHECK(process.final_cpus == std::vector<unsigned>{0, 1, 2});
  CHECK(error_of(config(R"(, "execCPUAffinity": {"final": "9999"})")).find("final '9999' is no list") !=
        std::string::npos);
  CHECK(error_of(config(R"(, "execCPUAffinity": {"final": 1})")) ==
        "config.json: process.execCPUAffinity.final must be a string, not number");
}

TEST_CASE("a container's memory policy and execution domain are each process's") {
  const auto spec = oci::parse_spec(config("", R"(, "personality": {"domain": "LINUX32"},
      "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0,2", "flags": ["MPOL_F_STATIC_NODES"]})"));
  const auto process = backend::make_process(spec.process, spec.linux_part);
  CHECK(process.personality == static_cast<unsigned long>(PER_LINUX32));
  CHECK(process.memory_policy->mode == (MPOL_BIND | MPOL_F_STATIC_NODES));
  CHECK(process.memory_policy->nodes == std::vector<unsigned>{0, 2});
  CHECK_FALSE(backend::make_process(spec.process).personality);
}

TEST_CASE("time offsets need a new time namespace and known clocks") {
  const std::string both = R"({"type": "mount"}, {"type": "time"})";
  const auto plan =
      plan_of(config("", R"(, "timeOffsets": {"monotonic": {"secs": -5, "nanosecs": 6}})", both));
  REQUIRE(plan.time_offsets.size() == 1);
  CHECK(plan.time_offsets[0].clock == "monotonic");
  CHECK(plan.time_offsets[0].seconds == -5);
  CHECK(plan.time_offsets[0].nanoseconds == 6);
  CHECK(error_of(config("", R"(, "timeOffsets": {"boottime": {"secs": 1}})"))
            .find("needs a new time namespace") != std::string::npos);
  CHECK(error_of(config("", R"(, "timeOffsets": {"boottime": {}})",
                        R"({"type": "mount"}, {"type": "time", "path": "/x"})"))
            .find("needs a new time namespace") != std::string::npos);
  CHECK(error_of(config("", R"(, "timeOffsets": {"realtime": {"secs": 1}})", both))
            .find("[\"realtime\"] is no clock") != std::string::npos);
  CHECK(error_of(config("", R"(, "timeOffsets": {"boottime": {"secs": "1"}})", both)) ==
        "config.json: linux.timeOffsets[\"boottime\"].secs must be an integer, not string");
  CHECK(error_of(config("", R"(, "timeOffsets": {"boottime": {"nanosecs": 1000000000}})", both))
            .find("nanosecs") != std::string::npos);
}

TEST_CASE("Intel RDT's lines are written in the specification's order") {
  const auto plan = plan_of(config("", R"(, "intelRdt": {"closID": "gold", "schemata": ["L2:0=f"],
      "l3CacheSchema": "L3:0=7f0", "memBwSchema": "MB:0=20", "enableMonitoring": true})"));
  REQUIRE(plan.resctrl);
  CHECK(plan.resctrl->clos_id == "gold");
  CHECK(plan.resctrl->schemata == std::vector<std::string>{"L3:0=7f0", "MB:0=20", "L2:0=f"});
  CHECK(plan.resctrl->monitoring);
  const auto error = [](const std::string& fields) {
    return error_of(config("", R"(, "intelRdt": {)" + fields + "}"));
  };
  CHECK(error(R"("closID": "/")").empty());
  CHECK_FALSE(error(R"("closID": "a/b")").empty());
  CHECK_FALSE(error(R"("closID": "..")").empty());
  CHECK_FALSE(error(R"("closID": "info")").empty());
  CHECK_FALSE(error(R"("schemata": ["L3:0=1\nMB:0=1"])").empty());
  CHECK_FALSE(error(R"("memBwSchema": "L3:0=1")").empty());
}

TEST_CASE("network devices need a network namespace and names that the kernel takes") {
  const std::string network = R"({"type": "mount"}, {"type": "network"})";
  const auto error = [&](const std::string& devices) {
    return error_of(config("", R"(, "netDevices": {)" + devices + "}", network));
  };
  CHECK(error(R"("eth0": {"name": "inside0"}, "eth1": {})").empty());
  CHECK(error(R"("eth0": {"name": "eth%d"}, "eth1": {"name": "eth%d"})").empty());
  CHECK_FALSE(error_of(config("", R"(, "netDevices": {"eth0": {}})")).empty());
  for (const char* devices :
       {R"("": {})", R"("a b": {})", R"("sixteen-bytes-ab": {})", R"("a/b": {})", R"("a%d": {})",
        R"("a": {"name": "b%s"})", R"("a": {"name": "%d%d"})", R"("a": {"name": ".."})",
        R"("a": {"name": "c"}, "b": {"name": "c"})", R"("a": {"name": "b"}, "b": {})"}) {
    INFO(devices);
    CHECK_FALSE(error(devices).empty());
  }
}

TEST_CASE("mapped owners are for bind mounts and come in pairs") {
  const auto with = [](const std::string& mount, const std::string& namespaces = R"({"type": "mount"})") {
    return R"({"ociVersion": "1.3.0", "process": {"args": ["a"], "cwd": "/"}, "mounts": [)" + mount +
           R"(], "linux": {"namespaces": [)" + namespaces + R"(], "uidMappings": [], "gidMappings": []}})";
  };
  const std::string maps = R"(, "uidMappings": [{"containerID": 0, "hostID": 5, "size": 2}],
      "gidMappings": [{"containerID": 0, "hostID": 6, "size": 2}])";
  const auto plan = plan_of(with(R"({"destination": "a", "source": "s", "options": ["bind"])" + maps + "}"));
  CHECK(plan.mounts[0].destination == "/a");
  CHECK(plan.mounts[0].source == "/bundle/s");
  CHECK(plan.mounts[0].idmap);
  CHECK_FALSE(plan.mounts[0].idmap_recursive);
  CHECK(plan.mounts[0].uid_mappings.at(0).host_id == 5);
  CHECK(plan.mounts[0].gid_mappings.at(0).host_id == 6);
  CHECK(error_of(with(R"({"destination": "/a", "type": "tmpfs")" + maps + "}")).find("is for bind mounts") !=
        std::string::npos);
  CHECK(error_of(with(R"({"destination": "/a", "type": "bind", "options": ["ridmap"]})"))
            .find("has idmap without") != std::string::npos);
  CHECK(
      error_of(
          with(
              R"({"destination": "/a", "type": "bind", "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]})"))
          .find("both or neither") != std::string::npos);
  CHECK(error_of(with(
            R"({"destination": "/a", "type": "bind", "uidMappings": [{"containerID": 0, "size": 1}]})")) ==
        "config.json: mounts[0].uidMappings[0]: 'hostID' is missing");
}

TEST_CASE("a profile that asks a listener names it") {
  const auto profile_of = [](const std::string& seccomp) {
    const auto spec = oci::parse_spec(config("", R"(, "seccomp": )" + seccomp));
    return backend::make_seccomp_profile(*spec.linux_part.seccomp);
  };
  const std::string rule = R"("syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}])";
  const auto profile =
      profile_of(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/s", "listenerMetadata": "m",
      "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], )" +
                 rule + "}");
  CHECK(profile.notifies());
  CHECK(profile.listener_path == "/s");
  CHECK(profile.listener_metadata == "m");
  CHECK(profile.flags == 32);
  CHECK_FALSE(profile_of(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/s"})").notifies());
  CHECK(profile_of(R"({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/s"})").notifies());
  CHECK_THROWS_WITH(profile_of(R"({"defaultAction": "SCMP_ACT_ALLOW", )" + rule + "}"),
                    "seccomp has SCMP_ACT_NOTIFY and no listenerPath: nobody would answer");
  CHECK_THROWS_AS(profile_of(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "m"})"), base::Error);
}

TEST_CASE("errnoRet is for actions that return one, and must fit") {
  const auto error = [](const std::string& rule) -> std::string {
    const auto spec = oci::parse_spec(
        config("", R"(, "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], )" +
                       rule + "}]}"));
    try {
      backend::make_seccomp_profile(*spec.linux_part.seccomp);
    } catch (const base::Error& caught) {
      return caught.what();
    }
    return "";
  };
  CHECK(error(R"("action": "SCMP_ACT_ERRNO", "errnoRet": 4095)").empty());
  CHECK(error(R"("action": "SCMP_ACT_TRACE", "errnoRet": 65535)").empty());
  CHECK(error(R"("action": "SCMP_ACT_ALLOW", "errnoRet": null)").empty());
  CHECK(error(R"("action": "SCMP_ACT_ERRNO", "errnoRet": 4096)") ==
        "seccomp.syscalls[0].errnoRet must be at most 4095");
  CHECK(error(R"("action": "SCMP_ACT_KILL", "errnoRet": 1)") ==
        "seccomp.syscalls[0].errnoRet is given for an action that returns none");
  CHECK(error(R"("action": "SCMP_ACT_X")") == "seccomp.syscalls[0].action 'SCMP_ACT_X' is unknown");
}

TEST_CASE("every resource reaches the limits") {
  const auto limits = backend::make_limits(oci::parse_resources(R"({
      "memory": {"limit": 1, "kernel": 7, "kernelTCP": 2, "useHierarchy": true, "checkBeforeUpdate": true},
      "cpu": {"quota": 50, "burst": 3, "idle": 1},
      "blockIO": {"leafWeight": 20, "weightDevice": [{"major": 8, "minor": 0, "weight": 30},
                                                     {"major": 8, "minor": 1, "leafWeight": 40}]},
      "rdma": {"mlx5_0": {"hcaHandles": 5}, "rxe3": {"hcaObjects": 6}},
      "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
      "hugepageLimits": [{"pageSize": "2MB", "limit": 9}]})"));
  CHECK(limits.memory_kernel_tcp_bytes == 2);
  CHECK(limits.memory_check_before_update);
  REQUIRE(limits.cpu);
  CHECK(limits.cpu->quota_us == 50);
  CHECK_FALSE(limits.cpu->period_us);
  CHECK(limits.cpu_burst_us == 3);
  CHECK(limits.cpu_idle == 1);
  CHECK(limits.io_leaf_weight == 20);
  CHECK(limits.io_weight_device.at(0).value == 30);
  CHECK(limits.io_leaf_weight_device.at(0).minor == 1);
  CHECK(limits.rdma.at("mlx5_0").hca_handles == 5);
  CHECK_FALSE(limits.rdma.at("mlx5_0").hca_objects);
  CHECK(limits.rdma.at("rxe3").hca_objects == 6);
  CHECK(limits.network_class == 1048577);
  CHECK(limits.network_priorities.at("eth0") == 500);
  CHECK(limits.hugepages.at(0).bytes == 9);
}

TEST_CASE("a resource without a value is refused by its path") {
  CHECK_THROWS_WITH(oci::parse_resources(R"({"rdma": {"mlx5_0": {}}})"),
                    "resources.json: rdma[\"mlx5_0\"] has neither hcaHandles nor hcaObjects");
  CHECK_THROWS_WITH(oci::parse_resources(R"({"blockIO": {"weightDevice": [{"major": 1, "minor": 2}]}})"),
                    "resources.json: blockIO.weightDevice[0] has neither weight nor leafWeight");
  CHECK_THROWS_WITH(oci::parse_resources(R"({"blockIO": {"weight": 65536}})"),
                    "resources.json: blockIO.weight must be between 0 and 65535, not 65536");
  CHECK_THROWS_WITH(oci::parse_resources(R"({"network": {"priorities": [{"name": "a"}]}})"),
                    "resources.json: network.priorities[0]: 'priority' is missing");
}

TEST_CASE("the features document tells what the parsers take") {
  const std::string features = backend::features_json();
  for (const char* word :
       {"\"ociVersionMax\": \"1.3.0\"", "\"createContainer\"", "\"ridmap\"", "\"rro\"", "\"time\"",
        "\"CAP_CHECKPOINT_RESTORE\"", "\"SCMP_ACT_NOTIFY\"", "\"MPOL_WEIGHTED_INTERLEAVE\"", "\"netDevices\"",
        "\"potentiallyUnsafeConfigAnnotations\""}) {
    INFO(word);
    CHECK(features.find(word) != std::string::npos);
  }
}
