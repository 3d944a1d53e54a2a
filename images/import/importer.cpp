#include "importer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "bytes.h"
#include "file_lock.h"
#include "hash.h"
#include "images/tag.h"
#include "layer_writer.h"
#include "layout.h"
#include "pipeline.h"
#include "record.h"

namespace trine::images {
namespace {

void remove_below(const std::string& directory, const std::string& name) {
  const base::UniqueFd parent(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (parent)
    base::remove_tree(parent.get(), name);
}

void write_document(const std::string& directory, const std::string& name, const std::string& text) {
  const base::UniqueFd parent = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  base::replace_file(parent.get(), name, text, base::Durability::kDisk, 0600);
}

}  // namespace

Importer::Importer(std::string store, bool quiet)
    : store_(std::move(store)), quiet_(quiet), id_(base::random_hex(8)), temporary_(store_ + "/tmp/" + id_) {
  base::make_directories(store_, 0700);
  for (const char* part : {"/images", "/names", "/manifests", "/configs", "/layers", "/locks", "/tmp"}) {
    base::make_directories(store_ + part, 0700);
  }
  lock_ = base::open_file(store_ + "/gc.lock", O_RDWR | O_CREAT, 0600);
  if (::flock(lock_.get(), LOCK_SH) != 0)
    base::throw_errno("cannot lock the store " + store_);
  base::make_directories(temporary_, 0700);
}

Importer::~Importer() {
  try {
    remove_below(store_ + "/tmp", id_);
  } catch (const base::Error& error) {
    base::print_warning(error.what());
  }
}

std::string Importer::layer_path(const LayerSource& layer) const {
  return store_ + "/layers/" + digest_hex(layer.diff_id);
}

void Importer::add(const ImageSource& image, const std::vector<std::string>& names) {
  std::vector<std::string> lower;  // topmost first
  bool unpacked = false;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    if (!has(image.layers[i]) && !quiet_) {
      base::print_progress("layer " + std::to_string(i + 1) + " of " + std::to_string(image.layers.size()) +
                           ": " + std::to_string(image.layers[i].location.size) + " bytes");
    }
    unpacked = add_layer(image.layers[i], lower) || unpacked;
    lower.insert(lower.begin(), layer_path(image.layers[i]));
  }
  if (unpacked) {
    // What the record will name must be on the disk before the record is.
    const base::UniqueFd root = base::open_file(store_, O_RDONLY | O_DIRECTORY);
    if (::syncfs(root.get()) != 0)
      base::throw_errno("cannot write the layers to the disk");
  }
  record(image, names);
}

bool Importer::has(const LayerSource& layer) const {
  return ::access(layer_path(layer).c_str(), F_OK) == 0;
}

/// Whether it had to be unpacked. Of several processes that need one layer at a time, one unpacks it.
bool Importer::add_layer(const LayerSource& layer, const std::vector<std::string>& lower) {
  bool unpacked = false;
  if (!has(layer)) {
    const auto bytes = layer.stream != nullptr
                           ? layer.stream->open()
                           : std::make_unique<FileRange>(layer.location.fd, layer.location.offset,
                                                         layer.location.size, "the layer " + layer.diff_id);
    const FileLock turn = FileLock::take(store_ + "/locks/" + digest_hex(layer.diff_id) + ".layer");
    if (!has(layer)) {
      unpack(layer, *bytes, lower);
      unpacked = true;
    }
  }
  if (layer.stream != nullptr)
    layer.stream->stored();
  return unpacked;
}

void Importer::unpack(const LayerSource& layer, ByteSource& bytes, const std::vector<std::string>& lower) {
  const std::string name = base::random_hex(8);
  const std::string directory = temporary_ + "/" + name;
  if (::mkdir(directory.c_str(), 0755) != 0)
    base::throw_errno("cannot make the directory " + directory);
  try {
    // A blob without a digest of its own is still held to its diff id.
    const bool named = !layer.digest.empty();
    std::optional<VerifiedSource> verified;
    if (named)
      verified.emplace(bytes, layer.digest, layer.location.size);
    ByteSource& blob = named ? static_cast<ByteSource&>(*verified) : bytes;
    const auto plain = decompress(blob, "the layer " + layer.diff_id);
    LayerWriter writer(directory, lower);
    Pipeline pipeline(*plain, [&] {
      if (verified)
        verified->finish();
    });
    Hash hash(layer.diff_id.substr(0, layer.diff_id.find(':')));
    HashedSource hashed(pipeline, hash);
    TarReader reader(hashed, "the layer " + layer.diff_id);
    try {
      while (const auto entry = reader.next())
        writer.write(*entry, reader);
    } catch (const base::Error&) {
      // A blob that is not what its digest says is the cause of whatever else is wrong with it.
      hashed.finish();
      throw;
    }
    hashed.finish();
    if (const std::string actual = hash.finish(); actual != layer.diff_id) {
      throw base::Error(
          "the layer " + layer.diff_id + " does not match its diff id: what is there has " + actual, 0,
          "the image is damaged or forged: fetch it again");
    }
    writer.finish();
    if (writer.skipped_devices() > 0) {
      base::print_warning(std::to_string(writer.skipped_devices()) +
                          " devices of the image are left out: an unprivileged user cannot make them");
    }
    if (::rename(directory.c_str(), layer_path(layer).c_str()) != 0 && errno != ENOTEMPTY &&
        errno != EEXIST) {
      base::throw_errno("cannot keep the layer " + layer.diff_id);
    }
  } catch (...) {
    remove_below(temporary_, name);
    throw;
  }
}

void Importer::record(const ImageSource& image, const std::vector<std::string>& names) {
  const std::string hex = digest_hex(image.manifest_digest);
  Record record;
  record.image.digest = image.manifest_digest;
  record.image.id = image.configuration_digest;
  record.image.config = image.config;
  for (const auto& layer : image.layers) {
    record.layers.insert(record.layers.begin(), digest_hex(layer.diff_id));
    record.image.size += layer.location.size;
  }
  if (::access((store_ + "/images/" + hex + ".json").c_str(), F_OK) != 0) {
    write_document(store_ + "/manifests", hex, image.manifest);
    write_document(store_ + "/configs", digest_hex(image.configuration_digest), image.configuration);
    write_document(store_ + "/images", hex + ".json", to_json(record));
  }
  for (const auto& name : names)
    tag(store_, image.manifest_digest, name);
}

}  // namespace trine::images
