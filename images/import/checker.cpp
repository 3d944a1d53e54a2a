#include "checker.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "erofs/reader.h"
#include "hash.h"
#include "layer_mounts.h"
#include "layer_sum.h"
#include "layout.h"
#include "store_files.h"

namespace trine::images {

void Checker::check_document(const std::string& kind, const std::string& digest, const std::string& image) {
  const std::string path = store_ + "/" + kind + "/" + digest_hex(digest);
  std::string wrong;
  if (::access(path.c_str(), F_OK) != 0) {
    wrong = "is missing";
  } else {
    Hash hash(digest.substr(0, digest.find(':')));
    hash.update(base::read_file(path, kMaxRecord));
    if (hash.finish() != digest)
      wrong = "does not match its digest";
  }
  if (wrong.empty())
    return;
  report_.found.push_back(kind + "/" + digest_hex(digest) + " of the image " + image + " " + wrong);
  broken_images_.insert(image);
}

/// A layer is read once, however many images have it.
void Checker::check_layer(const std::string& name, const std::string& image) {
  const auto [place, first] = layers_.try_emplace(name, true);
  if (first) {
    const std::string path = store_ + "/layers/" + name;
    try {
      struct stat status{};
      if (::lstat(path.c_str(), &status) != 0)
        throw base::Error("it is missing");
      if (name.ends_with(kErofsSuffix)) {
        const base::UniqueFd file = base::open_file(path, O_RDONLY);
        const auto sum = read_sum(store_, name);
        if (sum && *sum != sum_of_file(file.get(), path))
          throw base::Error("its bytes are not those that were written");
        (void)erofs::Reader(file.get(), path).verify();
      } else if (!S_ISDIR(status.st_mode)) {
        throw base::Error("it is no directory");
      }
    } catch (const base::Error& error) {
      place->second = false;
      broken_layers_.insert(name);
      report_.found.push_back("the layer " + name + " is damaged: " + error.what());
    }
  }
  if (!place->second)
    broken_images_.insert(image);
}

void Checker::check_records() {
  for (const auto& hex : record_ids(store_)) {
    try {
      const auto record = read_record(store_, hex);
      if (!record)
        continue;  // removed meanwhile
      if (record->image.digest.substr(record->image.digest.find(':') + 1) != hex)
        throw base::Error("the record images/" + hex + ".json is of another image");
      check_document("manifests", record->image.digest, hex);
      check_document("configs", record->image.id, hex);
      for (const auto& layer : record->layers)
        check_layer(layer, hex);
    } catch (const base::Error& error) {
      report_.found.emplace_back(error.what());
      broken_images_.insert(hex);
    }
  }
}

void Checker::check_names() {
  for (const auto& file : entries(store_ + "/names")) {
    const std::string hex = read_link(store_ + "/names/" + file);
    if (!hex.empty() && ::access((store_ + "/images/" + hex + std::string(kRecordSuffix)).c_str(), F_OK) == 0)
      continue;
    dangling_names_.insert(file);
    report_.found.push_back("the name " + name_of_file(file) + " leads to no image");
  }
}

/// What no image needs is no damage, but room.
void Checker::check_rest() {
  for (const auto& layer : entries(store_ + "/layers"))
    garbage_ = garbage_ || !layers_.contains(layer);
  garbage_ = garbage_ || !entries(store_ + "/tmp").empty();
}

bool Checker::remove_image(const std::string& hex) {
  const std::string file = store_ + "/images/" + hex + std::string(kRecordSuffix);
  const auto names = names_of(store_, hex);
  const std::string called = names.empty() ? hex.substr(0, 12) : names.front();
  const base::UniqueFd record(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (record && ::flock(record.get(), LOCK_EX | LOCK_NB) != 0) {
    report_.left.push_back("the image " + called + " stays: an instance runs from it");
    return false;
  }
  for (const auto& name : names)
    ::unlink((store_ + "/names/" + name_file(name)).c_str());
  ::unlink(file.c_str());
  report_.done.push_back("removed the image " + called + ": load or pull it again");
  return true;
}

void Checker::repair() {
  bool all = true;
  for (const auto& hex : broken_images_)
    all = remove_image(hex) && all;
  for (const auto& file : dangling_names_) {
    if (::unlink((store_ + "/names/" + file).c_str()) == 0)
      report_.done.push_back("removed the name " + name_of_file(file));
  }
  for (const auto& layer : broken_layers_) {
    if (!all)
      break;  // one of the images that stay may have it
    remove_below(store_ + "/layers", layer);
  }
  if (!all || !(garbage_ || !broken_images_.empty()))
    return;
  if (collect(store_)) {
    report_.done.emplace_back("removed what no image needs");
  } else {
    report_.left.emplace_back("what no image needs stays: an import is running");
  }
}

CheckReport Checker::run(bool repair_too) {
  if (::access(store_.c_str(), F_OK) != 0)
    return report_;
  check_records();
  check_names();
  check_rest();
  if (repair_too)
    repair();
  return report_;
}

}  // namespace trine::images
