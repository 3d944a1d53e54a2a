#include "runtime/engine/start.h"

#include <sys/socket.h>
#include <unistd.h>

#include "attach_by.h"
#include "base/error.h"
#include "base/file.h"
#include "base/socket.h"
#include "cidfile.h"
#include "isolation/rootless.h"
#include "layout.h"
#include "runtime/engine/class_choice.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/image_spec.h"
#include "runtime/engine/lifecycle.h"
#include "runtime/engine/run.h"
#include "saved_request.h"
#include "start.h"

namespace trine::runtime::engine {
namespace {

/// What is known of it before it is started.
void describe(Record& record, const RunOptions& options, const Paths& paths, const ClassChoice& choice) {
  record.image = options.image;
  record.labels = options.labels;
  record.annotations = options.annotations;
  record.terminal = options.terminal;
  if (choice.isolation == policy::Class::kVm)
    record.isolation = kVmClass;
  if (options.image.starts_with(kBundle)) {
    record.bundle = options.image.substr(kBundle.size());
    return;
  }
  const images::Image image = choice.image ? *choice.image : resolve_image(paths, open_store(paths), options);
  record.image_digest = image.digest;
  const ImageSpec made = make_image_spec(image.config, options, record.id.substr(0, 12));
  oci::validate(made.spec);
  record.command = made.spec.process.args;
  record.stop_signal = made.stop_signal;
}

/// One whose end is being written down is waited for.
Record find_to_start(const Paths& paths, const std::string& reference) {
  repair(paths);
  RunningInstance instance = open_instance(find_instance(paths, reference));
  if (!has_process(instance.record) || instance.process)
    return std::move(instance.record);
  await_release(paths, instance.record);
  return find_instance(paths, instance.record.id);
}

/// In the child that becomes its supervisor.
int start_again(const Record& record, const Paths& paths, const ReadRequest& read, Background& background) {
  RunOptions options = read(load_request(paths, record));
  options.name = record.name;
  options.remove = record.remove;
  options.image_digest = record.image_digest;
  return start(options, paths, &background, &record);
}

}  // namespace

Instance open_for_start(const RunOptions& options, const Paths& paths, const Record* again) {
  if (again != nullptr)
    return Instance::reopen(paths, *again);
  Instance instance = Instance::create(paths, options.name, options.remove);
  if (!options.remove)
    save_request(instance.make_layer_directory(), options.request);
  return instance;
}

int create(const RunOptions& options, const Paths& paths) {
  const PolicyContext context = load_policy_context();  // before root's files are nobody's
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  repair(paths);
  const ClassChoice choice = choose_class(options, paths, context);
  refuse_flags_of_others(options, choice);
  Instance instance = Instance::create(paths, options.name, options.remove);
  describe(instance.record(), options, paths, choice);
  CidFile cidfile(options.cidfile, instance.record().id);
  save_request(instance.make_layer_directory(), options.request);
  instance.keep_unstarted();
  cidfile.keep();
  base::write_all(STDOUT_FILENO, instance.record().id + "\n", "the standard output");
  return 0;
}

int start_instance(const Paths& paths, const std::string& reference, const ReadRequest& read) {
  const Record record = find_to_start(paths, reference);
  if (has_process(record))
    return 0;
  return start_in_background(
             [&](Background& background) { return start_again(record, paths, read, background); }, {})
      .code;
}

int start_attached(const Paths& paths, const std::string& reference, const ReadRequest& read,
                   const AttachRequest& request) {
  const Record record = find_to_start(paths, reference);
  if (has_process(record))
    return attach_to_instance(paths, record.id, request);
  auto [ours, theirs] = base::socket_pair(SOCK_SEQPACKET);
  const Started started = start_in_background(
      [&](Background& background) { return start_again(record, paths, read, background); },
      std::move(theirs));
  if (started.id.empty())
    return started.code;
  const auto code = attach_by(std::move(ours), paths, record, request);
  return code ? *code : AwaitedEnd(paths, record.id).wait();
}

}  // namespace trine::runtime::engine
