// The forms of the kernel's figures, good and bad.
#include "figures.h"

#include <catch2/catch.hpp>

#include "controllers.h"
#include "scratch.h"

using namespace trine::cgroups;
using trine::test::Scratch;

namespace {

std::string text_of(const IoEntry& entry) {
  return std::to_string(entry.major) + ":" + std::to_string(entry.minor) + " " + entry.operation + " " +
         std::to_string(entry.value);
}

}  // namespace

TEST_CASE("lines of a key and a number are read, and others are passed over") {
  const auto values = parse_keyed("anon 5\nfile 18446744073709551615\nbad x\nalone\nthree 1 2\n\n");
  CHECK(values == std::map<std::string, std::uint64_t>{{"anon", 5}, {"file", 18446744073709551615U}});
  CHECK(parse_keyed("").empty());
}

TEST_CASE("figures by CPU end where the numbers do") {
  CHECK(parse_numbers("1 22 333 \n") == std::vector<std::uint64_t>{1, 22, 333});
  CHECK(parse_numbers("1 x 3").size() == 1);
  CHECK(parse_numbers("").empty());
}

TEST_CASE("pressure is two lines, of which the machine may have one or none") {
  const auto both = parse_pressure(
      "some avg10=1.25 avg60=0.50 avg300=0.10 total=42095\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  REQUIRE(both.some);
  CHECK(both.some->avg10 == 1.25);
  CHECK(both.some->avg300 == 0.10);
  CHECK(both.some->total_us == 42095);
  REQUIRE(both.full);
  CHECK(both.full->total_us == 7);
  CHECK_FALSE(parse_pressure("some avg10=0.00").full);
  CHECK_FALSE(parse_pressure("").some);
}

TEST_CASE("block I/O of version 1 is a number a device and operation, without the sum over all") {
  const auto entries =
      parse_blkio("8:0 Read 4096\n8:0 Total 5000\n254:1 77\nTotal 9096\n8:x Read 1\n8:0 Read x\n");
  REQUIRE(entries.size() == 3);
  CHECK(text_of(entries[0]) == "8:0 Read 4096");
  CHECK(text_of(entries[1]) == "8:0 Total 5000");
  CHECK(text_of(entries[2]) == "254:1  77");
}

TEST_CASE("block I/O of version 2 is brought into the same form") {
  IoDetails io;
  parse_io_stat("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=9\n8:16 \nbad rbytes=1\n",
                io);
  REQUIRE(io.bytes.size() == 3);
  REQUIRE(io.operations.size() == 3);
  CHECK(text_of(io.bytes[0]) == "8:0 Read 1");
  CHECK(text_of(io.bytes[2]) == "8:0 Discard 5");
  CHECK(text_of(io.operations[1]) == "8:0 Write 4");
}

TEST_CASE("RDMA in use is read by device, and no limit is no number") {
  const auto devices =
      parse_rdma("mlx4_0 hca_handle=2 hca_object=2000\nocrdma1 hca_handle=3 hca_object=max\n");
  REQUIRE(devices.size() == 2);
  CHECK(devices.at("mlx4_0").hca_objects == 2000U);
  CHECK(devices.at("ocrdma1").hca_handles == 3U);
  CHECK_FALSE(devices.at("ocrdma1").hca_objects);
}

TEST_CASE("the sizes of huge pages are those that have files") {
  CHECK(hugepage_sizes({"hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "hugetlb.1GB.max", "memory.max",
                        "hugetlb"}) == std::vector<std::string>{"1GB", "2MB"});
}

TEST_CASE("memory of version 2 has the sum of memory and swap as version 1 counts it") {
  const Scratch scratch;
  scratch.make_file("memory.current", "1000\n");
  scratch.make_file("memory.max", "2000\n");
  scratch.make_file("memory.swap.current", "30\n");
  scratch.make_file("memory.swap.max", "500\n");
  scratch.make_file("memory.events", "max 4\noom 2\noom_kill 1\n");
  scratch.make_file("memory.stat", "anon 7\nfile 8\nkernel 9\n");
  Details details;
  v2::detail_memory(open_directory(scratch.path(), true), details);
  CHECK(details.memory.memory.bytes == 1000U);
  CHECK(details.memory.memory.failures == 4U);
  CHECK(details.memory.memory_and_swap.bytes == 1030U);
  CHECK(details.memory.memory_and_swap.limit_bytes == 2500U);
  CHECK(details.memory.oom_kills == 1U);
  CHECK(details.memory.cache_bytes == 8U);
  CHECK(details.memory.kernel.bytes == 9U);
  CHECK(details.memory.stat.size() == 3);
}

TEST_CASE("without a limit on one of them there is none on the sum") {
  const Scratch scratch;
  scratch.make_file("memory.current", "1000\n");
  scratch.make_file("memory.max", "max\n");
  scratch.make_file("memory.swap.current", "0\n");
  scratch.make_file("memory.swap.max", "500\n");
  Details details;
  v2::detail_memory(open_directory(scratch.path(), true), details);
  CHECK_FALSE(details.memory.memory.limit_bytes);
  CHECK_FALSE(details.memory.memory_and_swap.limit_bytes);
  CHECK(details.memory.memory_and_swap.bytes == 1000U);
}

TEST_CASE("CPU times of version 2 are in nanoseconds, as version 1 has them") {
  const Scratch scratch;
  scratch.make_file(
      "cpu.stat",
      "usage_usec 10\nuser_usec 6\nsystem_usec 4\nnr_periods 3\nnr_throttled 2\nthrottled_usec 5\n");
  Details details;
  v2::detail_cpu(open_directory(scratch.path(), true), details);
  CHECK(details.cpu.total_ns == 10'000U);
  CHECK(details.cpu.kernel_ns == 4'000U);
  CHECK(details.cpu.throttled_periods == 2U);
  CHECK(details.cpu.throttled_ns == 5'000U);
  CHECK_FALSE(details.cpu.bursts);
}

TEST_CASE("block I/O of version 1 is taken from the scheduler that counts, else from the throttle") {
  const Scratch scratch;
  scratch.make_file("blkio.bfq.io_service_bytes_recursive", "Total 0\n");
  scratch.make_file("blkio.throttle.io_service_bytes_recursive", "8:0 Read 10\n8:0 Total 10\nTotal 10\n");
  scratch.make_file("blkio.throttle.io_serviced_recursive", "8:0 Read 1\n");
  Details details;
  v1::detail_blkio(open_directory(scratch.path(), false), details);
  REQUIRE(details.io.bytes.size() == 2);
  CHECK(text_of(details.io.bytes[0]) == "8:0 Read 10");
  CHECK(details.io.operations.size() == 1);
}
