#include "layer_form.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "erofs/writer.h"

namespace trine::images {
namespace {

constexpr const char* kFile = "layer-form";

struct Choice {
  LayerForm form = LayerForm::kDirectory;
  std::string why;
};

/// In a mount namespace of its own, so that nothing of it can stay. Returns an errno.
int try_mounts(const std::string& place) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount((place + "/image").c_str(), (place + "/lower").c_str(), "erofs", MS_RDONLY, nullptr) != 0) {
    return errno;
  }
  const std::string options =
      "lowerdir=" + place + "/lower,upperdir=" + place + "/upper,workdir=" + place + "/work";
  return ::mount("overlay", (place + "/merged").c_str(), "overlay", 0, options.c_str()) == 0 ? 0 : errno;
}

/// The errno of the attempt, in a child's exit code.
int probe(const std::string& place) {
  const base::UniqueFd image = base::open_file(place + "/image", O_RDWR | O_CREAT | O_EXCL, 0600);
  erofs::Writer(image.get(), place + "/image").finish();
  for (const char* part : {"/lower", "/upper", "/work", "/merged"})
    base::make_directories(place + part, 0700);
  const pid_t child = ::fork();
  if (child < 0)
    base::throw_errno("cannot fork");
  if (child == 0)
    ::_exit(try_mounts(place));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      base::throw_errno("cannot wait for a child");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

Choice choose(const std::string& store) {
  if (base::in_user_namespace())
    return {.why = "only root mounts EROFS images"};
  const std::string name = "probe-" + base::random_hex(8);
  const std::string place = store + "/tmp/" + name;
  base::make_directories(place, 0700);
  const int error = probe(place);
  const base::UniqueFd parent = base::open_file(store + "/tmp", O_PATH | O_DIRECTORY);
  base::remove_tree(parent.get(), name);
  if (error == 0)
    return {.form = LayerForm::kErofs, .why = "this kernel mounts EROFS images from files"};
  if (error == ENOTBLK)
    return {.why = "this kernel mounts EROFS images by loop devices only, which take milliseconds"};
  return {.why = "this kernel does not mount EROFS images here: " + base::errno_text(error)};
}

std::string kernel_release() {
  utsname name{};
  (void)::uname(&name);  // fails only for a bad address
  return std::string(name.release) + (base::in_user_namespace() ? ", in a user namespace" : "");
}

}  // namespace

LayerForm layer_form(const std::string& store) {
  const std::string path = store + "/" + kFile;
  const std::string release = kernel_release();
  if (::access(path.c_str(), F_OK) == 0) {
    const auto lines = base::split(base::read_file(path, 4096), '\n');
    const bool known = lines.size() >= 3 && (lines[0] == "erofs" || lines[0] == "directory");
    if (known && (lines[2] == release || lines[2] == "any"))
      return lines[0] == "erofs" ? LayerForm::kErofs : LayerForm::kDirectory;
  }
  const Choice choice = choose(store);
  const base::UniqueFd directory = base::open_file(store, O_RDONLY | O_DIRECTORY);
  const std::string name = choice.form == LayerForm::kErofs ? "erofs" : "directory";
  base::replace_file(directory.get(), kFile, name + "\n" + choice.why + "\n" + release + "\n",
                     base::Durability::kMemory, 0600);
  return choice.form;
}

}  // namespace trine::images
