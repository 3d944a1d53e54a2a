#include "images/signers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "layout.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxSigners = 1 << 16;  ///< bytes of one file

}  // namespace

std::vector<std::string> signers_of(const std::string& root, const std::string& digest) {
  const std::string file = root + "/signers/" + digest_hex(digest);
  if (::access(file.c_str(), F_OK) != 0 && errno == ENOENT)
    return {};
  return base::split(base::read_file(file, kMaxSigners), '\n', base::SplitEmpty::kSkip);
}

void note_signers(const std::string& root, const std::string& digest,
                  const std::vector<std::string>& fingerprints) {
  const std::string directory = root + "/signers";
  base::make_directories(directory, 0755);
  const base::UniqueFd open = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  if (::flock(open.get(), LOCK_EX) != 0)  // two pulls may add to one file
    base::throw_errno("cannot lock " + directory);
  std::vector<std::string> all = signers_of(root, digest);
  all.insert(all.end(), fingerprints.begin(), fingerprints.end());
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  std::string text;
  for (const std::string& one : all)
    text += one + "\n";
  base::replace_file(open.get(), digest_hex(digest), text, base::Durability::kDisk);
}

}  // namespace trine::images
