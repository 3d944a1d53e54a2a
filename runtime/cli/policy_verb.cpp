#include "policy_verb.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "flags.h"
#include "images/name.h"
#include "run_flags.h"
#include "runtime/engine/class_choice.h"
#include "runtime/engine/image_source.h"
#include "runtime/policy/files.h"

namespace trine::runtime::cli {
namespace {

constexpr const char* kUsage = "trine policy test IMAGE [FLAG]..., trine policy check [FILE|DIRECTORY]";
constexpr int kFaulty = 1;

std::string joined(const std::vector<std::string>& texts, const char* otherwise) {
  std::string all;
  for (const std::string& text : texts)
    all += (all.empty() ? "" : ", ") + text;
  return all.empty() ? otherwise : all;
}

/// The image as it is stored; nothing is pulled or loaded for a test.
std::optional<images::Image> stored_image(const images::Store& store, const std::string& asked) {
  if (asked.starts_with("bundle:") || engine::is_transport(asked))
    return std::nullopt;
  return store.find(engine::without_docker(asked));
}

std::string decider(const policy::Decision& decision, policy::Request request) {
  if (decision.place.empty()) {
    const bool flagged = request != policy::Request::kUnsaid && request != policy::Request::kAuto;
    return flagged ? "--isolation" : "no rule: what holds without any policy";
  }
  return decision.place + (decision.enforced ? ", which demands it" : "") +
         (decision.reason.empty() ? "" : ": " + decision.reason);
}

int test(const engine::Paths& paths, std::vector<std::string> arguments) {
  const engine::RunOptions options = parse_policy_test(std::move(arguments));
  const engine::PolicyContext context = engine::load_policy_context();
  const images::Store store = engine::open_store(paths);
  const auto image = stored_image(store, options.image);
  const policy::Workload workload =
      engine::describe_workload(options, context, store, image ? &*image : nullptr);
  const policy::Decision decision = policy::decide(context.policies, workload, options.isolation);
  engine::require_built_in(options, decision);

  std::string text = "class:       " + std::string(policy::class_name(decision.isolation)) + "\n";
  text += "decided by:  " + decider(decision, options.isolation) + "\n";
  text += "image:       " + joined(workload.images, "without a name") + "\n";
  text += "digest:      " + (workload.digest.empty() ? "not known" : workload.digest) + "\n";
  text += "signed by:   " + joined(workload.signers, "nobody that is known") + "\n";
  text += "user:        " + std::to_string(workload.user_id) +
          (context.user.empty() ? "" : " (" + context.user + ")") + "\n";
  text += "privileges:  " +
          (workload.any_privilege ? "any that the bundle asks for" : joined(workload.privileges, "none")) +
          "\n";
  for (const auto& [key, value] : workload.labels)
    text += "label:       " + key + "=" + value + "\n";
  print(text);
  if (!image && !workload.any_privilege && context.has_rules()) {
    base::print_warning(
        "the image is not in the store: its digest, signers and own labels are not known, and "
        "rules that go by them may decide otherwise when it is run");
  }
  return 0;
}

std::string count(std::size_t rules) {
  return std::to_string(rules) + (rules == 1 ? " rule" : " rules");
}

/// Reads one file by `read` and tells what is in it, or what is wrong.
template <typename Read>
bool check_file(const std::string& file, Read read) {
  try {
    policy::IsolationPolicy policy;
    policy::add_rules(read(), file, policy);
    print(file + ": " + count(policy.rules.size()) + (policy.standard ? " and the default" : "") + "\n");
    return true;
  } catch (const base::Error& error) {
    base::print_error(error);
    return false;
  }
}

/// False when something in it is wrong. All files are looked at, not only those up to the first fault.
bool check_directory(const std::string& directory, std::uint32_t owner) {
  try {
    const auto files = policy::policy_files(directory, owner);
    if (!files) {
      print(directory + ": there is none\n");
      return true;
    }
    if (files->empty())
      print(directory + ": no files *.json in it\n");
    bool good = true;
    for (const std::string& file : *files)
      good = check_file(file, [&] { return policy::read_policy_file(file, owner); }) && good;
    return good;
  } catch (const base::Error& error) {
    base::print_error(error);
    return false;
  }
}

int check(const std::vector<std::string>& places) {
  bool good = true;
  if (places.empty()) {
    good = check_directory(policy::kSystemDirectory, 0);
    if (const std::string own = policy::own_directory(); !own.empty())
      good = check_directory(own, ::geteuid()) && good;
  }
  for (const std::string& place : places) {
    struct stat status{};
    if (::stat(place.c_str(), &status) != 0)
      base::throw_errno("cannot look at " + place);
    good = (S_ISDIR(status.st_mode)
                ? check_directory(place, ::geteuid())
                : check_file(place, [&] { return base::read_file(place, policy::kMaxFile); })) &&
           good;
  }
  return good ? 0 : kFaulty;
}

}  // namespace

int run_policy(const engine::Paths& paths, std::vector<std::string> arguments) {
  const std::string verb = arguments.empty() ? "" : arguments.front();
  if (verb == "test") {
    arguments.erase(arguments.begin());
    return test(paths, std::move(arguments));
  }
  const auto words = parse_words("policy", {}, std::move(arguments)).rest;
  if (!words.empty() && words.front() == "check")
    return check({words.begin() + 1, words.end()});
  throw base::Error("trine policy does not know what to do", 0, kUsage);
}

}  // namespace trine::runtime::cli
