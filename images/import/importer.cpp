#include "importer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "bytes.h"
#include "erofs_layer.h"
#include "hash.h"
#include "images/tag.h"
#include "layer_lock.h"
#include "layer_sum.h"
#include "layer_writer.h"
#include "layout.h"
#include "pipeline.h"
#include "record.h"
#include "store_files.h"

namespace trine::images {
namespace {

void write_document(const std::string& directory, const std::string& name, const std::string& text) {
  const base::UniqueFd parent = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  base::replace_file(parent.get(), name, text, base::Durability::kDisk, 0600);
}

/// The first 16 bytes of a digest: what an image shows as its own to blkid(8) and in a virtual machine.
std::array<char, 16> uuid_of(const std::string& hex) {
  std::array<char, 16> uuid{};
  for (std::size_t i = 0; i < uuid.size(); ++i)
    uuid[i] = static_cast<char>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  return uuid;
}

}  // namespace

Importer::Importer(std::string store, bool quiet)
    : store_(std::move(store)), quiet_(quiet), id_(base::random_hex(8)), temporary_(store_ + "/tmp/" + id_) {
  base::make_directories(store_, 0700);
  for (const char* part :
       {"/images", "/names", "/manifests", "/configs", "/layers", "/locks", "/sums", "/tmp"}) {
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

void set_chain_ids(std::vector<LayerSource>& layers) {
  std::string below;
  for (auto& layer : layers) {
    layer.chain_id = below.empty() ? layer.diff_id : sha256(below + " " + layer.diff_id);
    below = layer.chain_id;
  }
}

std::optional<std::string> Importer::find_layer(const LayerSource& layer) const {
  for (const auto& id : {layer.diff_id, layer.chain_id}) {
    const std::string hex = digest_hex(id);
    for (const std::string& name : {hex + std::string(kErofsSuffix), hex}) {
      if (::access((store_ + "/layers/" + name).c_str(), F_OK) == 0)
        return name;
    }
  }
  return std::nullopt;
}

void Importer::add(ImageSource image, const std::vector<std::string>& names) {
  set_chain_ids(image.layers);
  std::vector<std::string> layers;  // their names in the store, topmost first
  std::vector<std::string> lower;   // and their paths
  bool directories = false;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const LayerSource& layer = image.layers[i];
    auto name = find_layer(layer);
    std::optional<LayerLock> lock;
    if (!name) {
      if (layer.stream != nullptr)
        layer.stream->wait();
      lock.emplace(store_, digest_hex(layer.diff_id));
      name = find_layer(layer);  // another import may have brought it meanwhile
    }
    if (!name) {
      if (!quiet_) {
        base::print_progress("layer " + std::to_string(i + 1) + " of " + std::to_string(image.layers.size()) +
                             ": " + std::to_string(layer.location.size) + " bytes");
      }
      name = unpack(layer, lower);
      directories = directories || !name->ends_with(kErofsSuffix);
    }
    lock.reset();
    if (layer.stream != nullptr)
      layer.stream->stored();
    layers.insert(layers.begin(), *name);
    lower.insert(lower.begin(), store_ + "/layers/" + *name);
  }
  if (directories) {
    // What the record will name must be on the disk before the record is; an image of a layer is already.
    const base::UniqueFd root = base::open_file(store_, O_RDONLY | O_DIRECTORY);
    if (::syncfs(root.get()) != 0)
      base::throw_errno("cannot write the layers to the disk");
  }
  record(image, layers, names);
}

/// Reads a layer once, checks all that is said of it, and gives its members to `sink`. One that stands for
/// itself is called by its own digest, whatever image has it; else by its chain's.
std::string Importer::fill(const LayerSource& layer, LayerSink& sink) const {
  const std::string name = "the layer " + layer.diff_id;
  const std::unique_ptr<ByteSource> source =
      layer.stream != nullptr
          ? layer.stream->open()
          : std::make_unique<FileRange>(layer.location.fd, layer.location.offset, layer.location.size, name);
  ByteSource& bytes = *source;
  // A blob without a digest of its own is still held to its diff id.
  const bool named = !layer.digest.empty();
  std::optional<VerifiedSource> verified;
  if (named)
    verified.emplace(bytes, layer.digest, layer.location.size);
  ByteSource& blob = named ? static_cast<ByteSource&>(*verified) : bytes;
  const auto plain = decompress(blob, name);
  Pipeline pipeline(*plain, [&] {
    if (verified)
      verified->finish();
  });
  Hash hash(layer.diff_id.substr(0, layer.diff_id.find(':')));
  HashedSource hashed(pipeline, hash);
  TarReader reader(hashed, name);
  try {
    while (const auto entry = reader.next())
      sink.write(*entry, reader);
  } catch (const base::Error&) {
    // A blob that is not what its digest says is the cause of whatever else is wrong with it.
    try {
      hashed.finish();
    } catch (const base::Error&) {
      // The pipeline has ended with this; what is left of the blob is to be read past the decompressor.
      if (verified)
        verified->finish();
      throw;
    }
    throw;
  }
  hashed.finish();
  if (const std::string actual = hash.finish(); actual != layer.diff_id) {
    throw base::Error(
        "the layer " + layer.diff_id + " does not match its diff id: what is there has " + actual, 0,
        "the image is damaged or forged: fetch it again");
  }
  sink.finish();
  return digest_hex(sink.depends_on_lower() ? layer.chain_id : layer.diff_id);
}

std::string Importer::unpack(const LayerSource& layer, const std::vector<std::string>& lower) {
  if (!form_)
    form_ = layer_form(store_);
  return *form_ == LayerForm::kErofs ? unpack_image(layer, lower) : unpack_directory(layer, lower);
}

std::string Importer::unpack_image(const LayerSource& layer, const std::vector<std::string>& lower) {
  const std::string temporary = temporary_ + "/" + base::random_hex(8);
  try {
    const base::UniqueFd file = base::open_file(temporary, O_RDWR | O_CREAT | O_EXCL, 0600);
    ErofsLayer sink(file.get(), "the layer " + layer.diff_id, lower, uuid_of(digest_hex(layer.diff_id)));
    const std::string name = fill(layer, sink) + std::string(kErofsSuffix);
    if (::fsync(file.get()) != 0)
      base::throw_errno("cannot write the layer " + layer.diff_id + " to the disk");
    write_sum(store_, name, sum_of_file(file.get(), temporary));
    const base::UniqueFd directory = base::open_file(store_ + "/layers", O_RDONLY | O_DIRECTORY);
    if (::renameat(AT_FDCWD, temporary.c_str(), directory.get(), name.c_str()) != 0 ||
        ::fsync(directory.get()) != 0) {
      base::throw_errno("cannot keep the layer " + layer.diff_id);
    }
    return name;
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

std::string Importer::unpack_directory(const LayerSource& layer, const std::vector<std::string>& lower) {
  const std::string name = base::random_hex(8);
  const std::string directory = temporary_ + "/" + name;
  if (::mkdir(directory.c_str(), 0755) != 0)
    base::throw_errno("cannot make the directory " + directory);
  try {
    LayerWriter sink(directory, lower);
    std::string hex = fill(layer, sink);
    if (sink.skipped_devices() > 0) {
      base::print_warning(std::to_string(sink.skipped_devices()) +
                          " devices of the image are left out: an unprivileged user cannot make them");
    }
    if (::rename(directory.c_str(), (store_ + "/layers/" + hex).c_str()) != 0)
      base::throw_errno("cannot keep the layer " + layer.diff_id);
    return hex;
  } catch (...) {
    remove_below(temporary_, name);
    throw;
  }
}

void Importer::record(const ImageSource& image, const std::vector<std::string>& layers,
                      const std::vector<std::string>& names) {
  const std::string hex = digest_hex(image.manifest_digest);
  Record record;
  record.image.digest = image.manifest_digest;
  record.image.id = image.configuration_digest;
  record.image.config = image.config;
  record.layers = layers;
  for (const auto& layer : image.layers)
    record.image.size += layer.location.size;
  if (::access((store_ + "/images/" + hex + ".json").c_str(), F_OK) != 0) {
    write_document(store_ + "/manifests", hex, image.manifest);
    write_document(store_ + "/configs", digest_hex(image.configuration_digest), image.configuration);
    write_document(store_ + "/images", hex + ".json", to_json(record));
  }
  for (const auto& name : names)
    tag(store_, image.manifest_digest, name);
}

}  // namespace trine::images
