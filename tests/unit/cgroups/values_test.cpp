// What the less common limits write, in a directory that plays a cgroup.
#include <catch2/catch.hpp>

#include <cerrno>
#include <functional>

#include "base/error.h"
#include "controllers.h"
#include "plan.h"
#include "scratch.h"

using namespace trine::cgroups;
using trine::base::Error;
using trine::test::Scratch;

namespace {

Directory open(const Scratch& scratch, bool v2) {
  return open_directory(scratch.path(), v2);
}

Error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return Error("");
}

}  // namespace

TEST_CASE("an RDMA limit is one line with the kernel's keys") {
  const Scratch scratch;
  scratch.make_file("rdma.max");
  Limits limits;
  limits.rdma["mlx5_0"] = {.hca_handles = 2, .hca_objects = 2000};
  apply_rdma(open(scratch, true), limits);
  CHECK(scratch.content("rdma.max") == "mlx5_0 hca_handle=2 hca_object=2000");
}

TEST_CASE("the class and the priorities of network packets are numbers in version 1's files") {
  const Scratch scratch;
  scratch.make_file("net_cls.classid");
  scratch.make_file("net_prio.ifpriomap");
  Limits limits;
  limits.network_class = 0x100001;
  limits.network_priorities = {{"eth0", 5}};
  v1::apply_net_cls(open(scratch, false), limits);
  v1::apply_net_prio(open(scratch, false), limits);
  CHECK(scratch.content("net_cls.classid") == "1048577");
  CHECK(scratch.content("net_prio.ifpriomap") == "eth0 5");
}

TEST_CASE("network classes are an error where only version 2 is, and it says so") {
  const Hierarchies pure{.layout = Layout::kV2,
                         .all = {{.mount_point = "/c", .controllers = {}, .v2 = true}}};
  Limits limits;
  limits.network_class = 1;
  for (const auto& plan : {std::function<void()>([&] { plan_as_root(pure, limits); }),
                           std::function<void()>([&] { plan_without_privilege(pure, limits, "/c/mine"); })}) {
    const auto error = error_of(plan);
    CHECK_THAT(error.what(), Catch::Contains("network class") && Catch::Contains("net_cls"));
    CHECK_THAT(error.hint(), Catch::Contains("cgroup v1"));
  }
}

TEST_CASE("huge pages are limited in use, and in reservations where the kernel counts them") {
  for (const bool v2 : {false, true}) {
    const std::string use = v2 ? "hugetlb.2MB.max" : "hugetlb.2MB.limit_in_bytes";
    const std::string reservation = v2 ? "hugetlb.2MB.rsvd.max" : "hugetlb.2MB.rsvd.limit_in_bytes";
    auto* const apply = v2 ? v2::apply_hugetlb : v1::apply_hugetlb;
    Limits limits;
    limits.hugepages = {{.page_size = "2MB", .bytes = 4096}};
    const Scratch older;
    older.make_file(use);
    apply(open(older, v2), limits);
    CHECK(older.content(use) == "4096");
    CHECK_FALSE(older.has(reservation));
    const Scratch newer;
    newer.make_file(use);
    newer.make_file(reservation);
    apply(open(newer, v2), limits);
    CHECK(newer.content(reservation) == "4096");
  }
}

TEST_CASE(
    "leaf weights are written where the kernel has them, and are an error that names the file elsewhere") {
  Limits limits;
  limits.io_leaf_weight = 300;
  limits.io_leaf_weight_device = {{.major = 8, .minor = 0, .value = 500}};
  const Scratch scratch;
  scratch.make_file("blkio.leaf_weight");
  scratch.make_file("blkio.leaf_weight_device");
  v1::apply_blkio(open(scratch, false), limits);
  CHECK(scratch.content("blkio.leaf_weight") == "300");
  CHECK(scratch.content("blkio.leaf_weight_device") == "8:0 500");
  const Scratch newer;
  const auto missing = error_of([&] { v1::apply_blkio(open(newer, false), limits); });
  CHECK(missing.errno_value() == ENOENT);
  CHECK_THAT(missing.what(), Catch::Contains("blkio.leaf_weight"));
  CHECK_THAT(error_of([&] { v2::apply_io(open(newer, true), limits); }).what(),
             Catch::Contains("cgroup v1 only"));
}

TEST_CASE("not idle is what a kernel without idle groups gives anyway") {
  const Scratch scratch;
  Limits limits;
  limits.cpu_idle = 0;
  CHECK_NOTHROW(v1::apply_cpu(open(scratch, false), limits));
  limits.cpu_idle = 1;
  CHECK_THROWS_AS(v1::apply_cpu(open(scratch, false), limits), Error);
}

TEST_CASE("memory of TCP is limited on version 1 only") {
  const Scratch scratch;
  scratch.make_file("memory.kmem.tcp.limit_in_bytes");
  Limits limits;
  limits.memory_kernel_tcp_bytes = 1 << 20;
  v1::apply_memory(open(scratch, false), limits);
  CHECK(scratch.content("memory.kmem.tcp.limit_in_bytes") == "1048576");
  CHECK_THROWS_WITH(v2::apply_memory(open(scratch, true), limits), Catch::Contains("cgroup v1 only"));
}

TEST_CASE("no device or interface name can become two words of a control file") {
  for (const char* const name : {"", "a b", "a\nb", "a\t"}) {
    Limits limits;
    limits.rdma[name] = {};
    CHECK_THROWS_AS(check_limits(limits), Error);
    limits.rdma.clear();
    limits.network_priorities[name] = 1;
    CHECK_THROWS_AS(check_limits(limits), Error);
  }
}
