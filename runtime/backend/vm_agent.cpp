#include <sys/mount.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "hvm-sandbox/agent.h"
#include "isolation/start.h"
#include "runtime/backend/container.h"
#include "runtime/backend/joined_process.h"
#include "vm_network_codec.h"
#include "vm_plan_codec.h"

/// trine-agent: PID 1 in a guest. It runs the workload as a container of the guest's, by the code that runs
/// containers on a host: a VM is never weaker than a container.
namespace {

namespace base = trine::base;
namespace cgroups = trine::cgroups;
namespace hvm = trine::hvm;
namespace isolation = trine::isolation;
namespace netns = trine::netns;
namespace backend = trine::runtime::backend;

constexpr const char* kWritable = "/run/trine/root";
constexpr std::uint32_t kNotFound = 127;
constexpr std::uint32_t kNotExecutable = 126;

class ContainerWorkload : public hvm::Workload {
 public:
  explicit ContainerWorkload(backend::Container container) : container_(std::move(container)) {}
  base::Process& process() override { return container_.process(); }
  base::UniqueFd take_terminal() override { return container_.take_terminal(); }
  hvm::Figures figures() override {
    const cgroups::Stats stats = cgroups::open_group(container_.cgroups()).stats();
    return {
        .cpu_microseconds = stats.cpu_usage_us, .memory_bytes = stats.memory_bytes, .processes = stats.pids};
  }
  bool finish() override { return container_.finish().oom_killed; }

  [[nodiscard]] backend::JoinOptions join_options() {
    return {.pid = process().pid(), .pidfd = process().pidfd(), .cgroups = container_.cgroups()};
  }

 private:
  backend::Container container_;
};

class JoinedWorkload : public hvm::Workload {
 public:
  explicit JoinedWorkload(isolation::Started started) : started_(std::move(started)) {}
  base::Process& process() override { return started_.process; }
  base::UniqueFd take_terminal() override { return std::move(started_.terminal); }
  hvm::Figures figures() override { return {}; }  // in the first process's
  bool finish() override { return false; }        // the group's account is the first process's

 private:
  isolation::Started started_;
};

/// The image's layers below a writable one, which lives in the guest's memory and dies with it.
isolation::OverlayRoot make_root(const std::vector<std::string>& layers) {
  isolation::OverlayRoot root{.lower = layers,
                              .upper = std::string(kWritable) + "/upper",
                              .work = std::string(kWritable) + "/work",
                              .discard = true};
  base::make_directories(kWritable);
  if (::mount("tmpfs", kWritable, "tmpfs", 0, "mode=755") != 0)
    base::throw_errno("cannot make the writable layer");
  base::make_directories(root.upper);
  base::make_directories(root.work);
  struct stat status{};
  if (layers.empty() || ::stat(layers.front().c_str(), &status) != 0 ||
      ::chmod(root.upper.c_str(), status.st_mode & 07777) != 0 ||
      ::chown(root.upper.c_str(), status.st_uid, status.st_gid) != 0)
    base::throw_errno("cannot prepare the writable layer");
  return root;
}

class ContainerLauncher : public hvm::Launcher {
 public:
  std::optional<hvm::Failure> set_up_network(const std::string& interfaces) override {
    const auto wanted = hvm::wire::decode<std::vector<netns::Interface>>(interfaces);
    if (!wanted)
      return hvm::Failure{.message = "the agent does not understand the network that it is to set up"};
    try {
      netns::set_up_interfaces(*wanted);
    } catch (const base::Error& error) {
      return failure(error, hvm::Failure{}.exit_code);
    }
    return std::nullopt;
  }

  Made start(const hvm::StartRequest& request, const std::vector<std::string>& layers) override {
    auto plan = hvm::wire::decode<backend::GuestPlan>(request.plan);
    if (!plan)
      return std::unexpected(
          hvm::Failure{.message = "the agent does not understand the plan of the process"});
    return caught([&]() -> std::unique_ptr<hvm::Workload> {
      // A root that the host shares is the plan's own.
      const auto* shared = std::get_if<isolation::DirectoryRoot>(&plan->isolation_part.root.source);
      if (shared == nullptr || shared->path.empty())
        plan->isolation_part.root.source = make_root(layers);
      backend::ContainerPlan container{.isolation = std::move(plan->isolation_part),
                                       .limits = std::move(plan->limits)};
      const auto ignore = [](pid_t /*pid*/, const cgroups::Group& /*group*/) {};
      // Everywhere: the memory controller counts what is killed when the guest's memory is at its end.
      return std::make_unique<ContainerWorkload>(
          backend::start_container(std::move(container), {.cgroup_name = "workload",
                                                          .cgroup_coverage = cgroups::Coverage::kEverywhere,
                                                          .on_created = ignore}));
    });
  }

  Made exec(const hvm::ExecRequest& request, hvm::Workload& first) override {
    auto process = backend::decode_process(request.process);
    if (!process)
      return std::unexpected(hvm::Failure{.message = "the agent does not understand the process"});
    return caught([&]() -> std::unique_ptr<hvm::Workload> {
      const auto options = dynamic_cast<ContainerWorkload&>(first).join_options();
      return std::make_unique<JoinedWorkload>(backend::join_container(std::move(*process), options));
    });
  }

 private:
  template <typename Make>
  static Made caught(Make make) {
    try {
      return make();
    } catch (const isolation::ExecError& error) {
      return std::unexpected(failure(error, error.not_found() ? kNotFound : kNotExecutable));
    } catch (const base::Error& error) {
      return std::unexpected(failure(error, hvm::Failure{}.exit_code));
    }
  }

  static hvm::Failure failure(const base::Error& error, std::uint32_t exit_code) {
    return {.message = error.message(),
            .hint = error.hint(),
            .errno_value = error.errno_value(),
            .exit_code = exit_code};
  }
};

}  // namespace

int main(int count, char** arguments) {
  isolation::run_sealed_exec(count, arguments);
  ContainerLauncher launcher;
  hvm::run_agent(launcher);
}
