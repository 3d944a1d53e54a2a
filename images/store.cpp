#include "images/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "images/name.h"
#include "layer_mounts.h"
#include "layout.h"
#include "record.h"
#include "store_files.h"

namespace trine::images {
namespace {

bool is_hex_prefix(const std::string& text) {
  return text.size() >= 4 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// By digest or by the beginning of an id.
std::optional<Record> find_by_id(const std::string& root, const std::string& reference) {
  if (reference.find(':') != std::string::npos)
    return read_record(root, digest_hex(reference));
  if (!is_hex_prefix(reference))
    return std::nullopt;
  std::optional<Record> found;
  for (const auto& hex : record_ids(root)) {
    auto record = read_record(root, hex);
    if (!record)
      continue;
    const std::string& id = record->image.id;
    if (!hex.starts_with(reference) && !id.substr(id.find(':') + 1).starts_with(reference))
      continue;
    if (found && found->image.id == id)
      continue;  // one image, by two manifests
    if (found)
      throw base::Error("the id " + reference + " is ambiguous", 0, "give more of its digits");
    found = std::move(record);
  }
  return found;
}

}  // namespace

Store::Store(std::string root, std::string mounts) : root_(std::move(root)), mounts_(std::move(mounts)) {}

MountedLayers Store::mount_layers(const Image& image) const {
  const LayerMounts mounts(mounts_);
  MountedLayers layers;
  layers.reserve(image.layers.size());
  for (const auto& layer : image.layers)
    layers.push_back(layer.ends_with(kErofsSuffix) ? mounts.mount(layer) : MountedLayer(layer));
  return layers;
}

void Store::unmount_unused() const {
  LayerMounts(mounts_).unmount_unused(root_ + "/layers");
}

std::optional<Image> Store::find(const std::string& reference) const {
  std::optional<Record> record;
  std::string name;
  if (reference.starts_with("sha256:") || reference.starts_with("sha512:")) {
    record = find_by_id(root_, reference);
  } else {
    // What cannot be a name may still be the beginning of an id.
    name = normalize_name(reference);
    std::string hex = read_link(root_ + "/names/" + name_file(name));
    if (hex.empty()) {  // what podman and buildah build carries the host "localhost"
      const std::string local = "localhost/" + name;
      hex = read_link(root_ + "/names/" + name_file(local));
      if (!hex.empty())
        name = local;
    }
    record =
        hex.empty() ? find_by_id(root_, is_hex_prefix(reference) ? reference : "") : read_record(root_, hex);
    if (hex.empty())
      name.clear();
  }
  if (!record)
    return std::nullopt;
  if (!name.empty())
    record->image.names = {name};
  return std::move(record->image);
}

std::vector<Image> Store::list() const {
  std::vector<Image> images;
  for (const auto& hex : record_ids(root_)) {
    auto record = read_record(root_, hex);
    if (!record)
      continue;
    record->image.names = names_of(root_, hex);
    images.push_back(std::move(record->image));
  }
  return images;
}

std::string Store::manifest_json(const Image& image) const {
  return base::read_file(root_ + "/manifests/" + digest_hex(image.digest), kMaxRecord);
}

std::string Store::config_json(const Image& image) const {
  return base::read_file(root_ + "/configs/" + digest_hex(image.id), kMaxRecord);
}

base::UniqueFd Store::lease(const Image& image) const {
  base::UniqueFd fd =
      base::open_file(root_ + "/images/" + digest_hex(image.digest) + std::string(kRecordSuffix), O_RDONLY);
  struct stat status{};
  if (::flock(fd.get(), LOCK_SH) != 0 || ::fstat(fd.get(), &status) != 0)
    base::throw_errno("cannot hold the image " + image.digest);
  // Whoever removes it takes the file away under the lock that was waited for.
  if (status.st_nlink == 0)
    throw base::Error("cannot hold the image " + image.digest + ": it was removed just now");
  return fd;
}

std::vector<std::string> Store::remove(const std::string& reference) {
  const auto image = find(reference);
  if (!image)
    throw base::Error("there is no image " + reference + " in the store", 0, "trine images lists them");
  const std::string hex = digest_hex(image->digest);
  const std::string file = root_ + "/images/" + hex + std::string(kRecordSuffix);
  const auto names = names_of(root_, hex);
  const bool by_name = !image->names.empty();
  std::vector<std::string> done;
  if (by_name && names.size() > 1) {
    ::unlink((root_ + "/names/" + name_file(image->names.front())).c_str());
    return {"Untagged: " + image->names.front()};
  }
  const base::UniqueFd record = base::open_file(file, O_RDONLY);
  if (::flock(record.get(), LOCK_EX | LOCK_NB) != 0) {
    throw base::Error("cannot remove " + reference + ": an instance runs from it", 0,
                      "trine ps lists instances; remove those first");
  }
  for (const auto& name : names) {
    if (::unlink((root_ + "/names/" + name_file(name)).c_str()) == 0)
      done.push_back("Untagged: " + name);
  }
  if (::unlink(file.c_str()) != 0)
    base::throw_errno("cannot remove " + file);
  done.push_back("Deleted: " + image->id);
  collect(root_);
  return done;
}

void Store::repair() {
  if (!entries(root_ + "/tmp").empty())
    collect(root_);
}

}  // namespace trine::images
