#include <catch2/catch.hpp>

#include "base/error.h"
#include "run_flags.h"

using namespace trine;
using namespace trine::runtime;

TEST_CASE("flags end at the image: what follows is the command's") {
  const auto options = cli::parse_run({"--rm", "-it", "-e", "A=1", "image", "ls", "-i", "--rm"});
  CHECK(options.remove);
  CHECK(options.interactive);
  CHECK(options.terminal);
  CHECK(options.image == "image");
  CHECK(options.command == std::vector<std::string>{"ls", "-i", "--rm"});
}

TEST_CASE("values are taken with a blank or an equals sign") {
  CHECK(cli::parse_run({"--memory", "64m", "i"}).limits.memory_bytes == 64 << 20);
  CHECK(cli::parse_run({"--memory=64m", "i"}).limits.memory_bytes == 64 << 20);
  CHECK(cli::parse_run({"-m64m", "i"}).limits.memory_bytes == 64 << 20);
}

TEST_CASE("a swap limit is of memory and swap together, has no limit as -1, and is not given as 0") {
  const auto swap = [](const std::string& text) {
    return cli::parse_run({"--memory-swap", text, "-m", "64m", "i"}).limits.memory_swap_bytes;
  };
  CHECK(swap("96m") == 96 << 20);
  CHECK(swap("64m") == 64 << 20);
  CHECK(swap("-1") == -1);
  CHECK_FALSE(swap("0"));
  CHECK_FALSE(cli::parse_run({"--memory-swap", "0", "i"}).limits.memory_swap_bytes);
}

TEST_CASE("a switch can be turned off") {
  CHECK_FALSE(cli::parse_run({"--rm=false", "i"}).remove);
  CHECK(cli::parse_run({"--rm=true", "i"}).remove);
}

TEST_CASE("repeated flags keep their order") {
  const auto options = cli::parse_run({"-e", "A=1", "-e", "B=2", "-v", "/a:/b", "-v", "/c:/d:ro", "i"});
  CHECK(options.env == std::vector<std::string>{"A=1", "B=2"});
  REQUIRE(options.mounts.size() == 2);
  CHECK(options.mounts[1].source == "/c");
  CHECK(options.mounts[1].read_only);
}

TEST_CASE("idmap has podman's form") {
  const auto mount =
      cli::parse_run({"-v", "/a:/b:ro,idmap=uids=0-1000-1#10-2000-5;gids=3-4-5", "i"}).mounts.at(0);
  CHECK(mount.read_only);
  REQUIRE(mount.uid_mappings.size() == 2);
  CHECK(mount.uid_mappings[1].container_id == 10);
  CHECK(mount.uid_mappings[1].host_id == 2000);
  CHECK(mount.uid_mappings[1].size == 5);
  REQUIRE(mount.gid_mappings.size() == 1);
  CHECK(mount.gid_mappings[0].host_id == 4);
}

TEST_CASE("devices, mounts and CPUs have Docker's forms") {
  const auto device = cli::parse_run({"--device", "/dev/a:/dev/b:r", "i"}).devices.at(0);
  CHECK(device.container_path == "/dev/b");
  CHECK(device.access == "r");
  CHECK(cli::parse_run({"--device", "/dev/a:rw", "i"}).devices.at(0).access == "rw");
  CHECK(cli::parse_run({"--cpus", "1.5", "i"}).limits.cpu->quota_us == 150000);
  CHECK(cli::parse_run({"--mount", "type=bind,src=/a,dst=/b,readonly", "i"}).mounts.at(0).read_only);
}

TEST_CASE("a VM's rates are of bytes, of packets or requests, or of both") {
  const auto net = [](const std::string& text) {
    return cli::parse_run({"--vm-net-rate", text, "i"}).vm_net_rate;
  };
  CHECK(net("bytes=10m,packets=5000").bytes == 10 << 20);
  CHECK(net("packets=5000,bytes=10m").count == 5000);
  CHECK(net("bytes=1.5k").bytes == 1536);
  CHECK(net("bytes=512").count == 0);
  CHECK(net("packets=1").bytes == 0);
  const auto disk = cli::parse_run({"--vm-disk-rate", "requests=200,bytes=1g", "i"}).vm_disk_rate;
  CHECK(disk.bytes == 1 << 30);
  CHECK(disk.count == 200);
  CHECK_FALSE(cli::parse_run({"i"}).vm_net_rate.is_given());
}

TEST_CASE("a VM's interfaces have from one to eight queues") {
  CHECK(cli::parse_run({"--vm-net-queues", "8", "i"}).vm_net_queues == 8U);
  CHECK_FALSE(cli::parse_run({"i"}).vm_net_queues.has_value());
}

TEST_CASE("bad values are refused") {
  for (const std::vector<std::string>& bad :
       std::vector<std::vector<std::string>>{{},
                                             {"--memory", "x", "i"},
                                             {"--cpus", "0.001", "i"},
                                             {"--cpus", "nan", "i"},
                                             {"--cpus", "1e3", "i"},
                                             {"-v", "a:/b", "i"},
                                             {"-v", "/a", "i"},
                                             {"-v", "/a:b", "i"},
                                             {"-v", "/a:/b:idmap", "i"},
                                             {"-v", "/a:/b:idmap=", "i"},
                                             {"-v", "/a:/b:idmap=uids=0-1-1", "i"},
                                             {"-v", "/a:/b:idmap=uids=0-1-1;uids=0-1-1", "i"},
                                             {"-v", "/a:/b:idmap=uids=0-1-0;gids=0-1-1", "i"},
                                             {"-v", "/a:/b:idmap=uids=0-1-4294967295;gids=0-1-1", "i"},
                                             {"-v", "/a:/b:idmap=uids=@0-1-1;gids=0-1-1", "i"},
                                             {"--memory-swap", "1g", "i"},
                                             {"--memory", "1g", "--memory-swap", "1m", "i"},
                                             {"--network", "x", "i"},
                                             {"--isolation", "full", "i"},
                                             {"--isolation", "x", "i"},
                                             {"--mount", "type=bind,dst=/b", "i"},
                                             {"--tmpfs", "b", "i"},
                                             {"--nope", "i"},
                                             {"--name"},
                                             {"--pids-limit", "-2", "i"},
                                             {"-e", "=x", "i"},
                                             {"--vm-net-rate", "", "i"},
                                             {"--vm-net-rate", "10m", "i"},
                                             {"--vm-net-rate", "bytes=511", "i"},
                                             {"--vm-net-rate", "bytes=2048t", "i"},
                                             {"--vm-net-rate", "packets=0", "i"},
                                             {"--vm-net-rate", "packets=1k", "i"},
                                             {"--vm-net-rate", "requests=9", "i"},
                                             {"--vm-net-rate", "bytes=1m,", "i"},
                                             {"--vm-net-queues", "0", "i"},
                                             {"--vm-net-queues", "9", "i"},
                                             {"--vm-net-queues", "-1", "i"},
                                             {"--vm-net-queues", "two", "i"},
                                             {"--vm-disk-rate", "packets=9", "i"},
                                             {"--rm", "-m", "64m", "bundle:/b"},
                                             {"bundle:/b", "command"}}) {
    CHECK_THROWS_AS(cli::parse_run(bad), base::Error);
  }
}
