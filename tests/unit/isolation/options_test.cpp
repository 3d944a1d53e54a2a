#include <catch2/catch.hpp>
#include <linux/capability.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "base/error.h"
#include "isolation/capabilities.h"
#include "isolation/mount_options.h"
#include "isolation/rlimits.h"
#include "isolation/signals.h"

using namespace trine;
using namespace trine::isolation;

TEST_CASE("capabilities have names with and without their prefix, in any case") {
  CHECK(parse_capability("CAP_CHOWN") == CAP_CHOWN);
  CHECK(parse_capability("net_admin") == CAP_NET_ADMIN);
  CHECK(parse_capability("CAP_CHECKPOINT_RESTORE") == CAP_CHECKPOINT_RESTORE);
  CHECK_FALSE(parse_capability("CAP_"));
  CHECK_FALSE(parse_capability(""));
  CHECK_FALSE(parse_capability("CAP_NOPE"));
}

TEST_CASE("the default capabilities are Docker's fourteen") {
  CHECK(kDefaultCapabilities == 0xa80425fb);
  CHECK(__builtin_popcountll(kDefaultCapabilities) == 14);
}

TEST_CASE("signals have names, numbers and real-time offsets") {
  CHECK(parse_signal("TERM") == SIGTERM);
  CHECK(parse_signal("sigkill") == SIGKILL);
  CHECK(parse_signal("15") == SIGTERM);
  CHECK(parse_signal("RTMIN+3") == SIGRTMIN + 3);
  CHECK(parse_signal("SIGRTMAX-1") == SIGRTMAX - 1);
  for (const char* bad : {"", "0", "65", "-9", "SIGNOPE", "RTMIN+", "RTMIN-1", "RTMIN+99", "TERM "})
    CHECK_FALSE(parse_signal(bad));
}

TEST_CASE("a limit has a soft and a hard value") {
  const Rlimit both = parse_ulimit("nofile=64:128");
  CHECK(both.resource == RLIMIT_NOFILE);
  CHECK(both.soft == 64);
  CHECK(both.hard == 128);
  CHECK(parse_ulimit("core=unlimited").soft == RLIM_INFINITY);
  for (const char* bad : {"nofile", "nofile=", "nope=1", "nofile=2:1", "nofile=a", "=1"})
    CHECK_THROWS_AS(parse_ulimit(bad), base::Error);
}

TEST_CASE("of contradicting mount options the last wins") {
  Mount mount;
  parse_mount_options({"ro", "nosuid", "rw", "noatime", "relatime"}, mount);
  CHECK(mount.set_attributes == 0x2);  // nosuid
  CHECK((mount.clear_attributes & 0x1) != 0);
  CHECK((mount.clear_attributes & 0x70) == 0x70);
}

TEST_CASE("recursive, propagating and file-system options are told apart") {
  Mount mount;
  parse_mount_options({"rbind", "rro", "rslave", "size=64k", "mode=755"}, mount);
  CHECK(mount.bind);
  CHECK(mount.recursive);
  CHECK(mount.recursive_set_attributes == 0x1);
  CHECK(mount.propagation.size() == 1);
  CHECK(mount.data == "size=64k,mode=755");
}

TEST_CASE("every option that is not a file system's own has a name that is taken") {
  const auto names = mount_option_names();
  CHECK(names.size() > 60);
  CHECK(std::ranges::is_sorted(names));
  CHECK(std::ranges::adjacent_find(names) == names.end());
  for (const auto& name : names) {
    INFO(name);
    Mount mount;
    parse_mount_options({name}, mount);
    CHECK(mount.data.empty());
  }
}

TEST_CASE("mapping of owners is one mount's or the whole tree's") {
  Mount one;
  parse_mount_options({"bind", "idmap"}, one);
  CHECK(one.idmap);
  CHECK_FALSE(one.idmap_recursive);
  Mount tree;
  parse_mount_options({"rbind", "ridmap"}, tree);
  CHECK(tree.idmap);
  CHECK(tree.idmap_recursive);
}
