#include "images/tag.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "images/name.h"
#include "layout.h"

namespace trine::images {

void tag(const std::string& root, const std::string& manifest_digest, const std::string& name) {
  constexpr unsigned kRandomBytes = 8;
  const std::string path = root + "/names/" + name_file(normalize_name(name));
  // Nobody clears tmp/ away under us meanwhile.
  const base::UniqueFd lock = base::open_file(root + "/gc.lock", O_RDWR | O_CREAT, 0600);
  if (::flock(lock.get(), LOCK_SH) != 0)
    base::throw_errno("cannot lock the store " + root);
  // A symlink in place of what was there, in one step.
  const std::string temporary = root + "/tmp/" + base::random_hex(kRandomBytes);
  if (::symlink(digest_hex(manifest_digest).c_str(), temporary.c_str()) != 0)
    base::throw_errno("cannot write " + path);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    ::unlink(temporary.c_str());
    base::throw_errno("cannot write " + path);
  }
}

}  // namespace trine::images
