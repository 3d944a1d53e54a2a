#include "pull.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "choose.h"
#include "download.h"
#include "images/signers.h"
#include "images/store.h"
#include "images/tag.h"
#include "importer.h"
#include "manifest.h"
#include "policy.h"
#include "reference/registries.h"
#include "signatures.h"

namespace trine::images {
namespace {

constexpr int kTick = 100;  ///< milliseconds between two looks at the progress

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// What was begun long ago will hardly be gone on with. A file that is being written to is not old.
void remove_old_partials(const std::string& directory) {
  constexpr time_t kKept = 7L * 24 * 3600;
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    struct stat status{};
    if (entry->d_name[0] != '.' && ::fstatat(::dirfd(open.get()), entry->d_name, &status, 0) == 0 &&
        status.st_mtime < ::time(nullptr) - kKept)
      ::unlinkat(::dirfd(open.get()), entry->d_name, 0);
  }
}

/// "layer 3f5a01234567"
std::string short_name(const std::string& digest) {
  constexpr std::size_t kShown = 12;
  return "layer " + digest.substr(digest.find(':') + 1, kShown);
}

const char* state_text(Fetch::State state, bool unpacks) {
  switch (state) {
    case Fetch::State::kElsewhere:
      return "waits for another pull of it";
    case Fetch::State::kRunning:
      return "fetching";
    case Fetch::State::kFetched:
      return unpacks ? "unpacking" : "fetched";
    case Fetch::State::kStored:
      return "done";
  }
  return "";
}

/// One pull from one place.
class Pull {
 public:
  Pull(const PullOptions& options, const PolicySection& policy, const Source& source,
       const Reference& reference)
      : options_(options),
        policy_(policy),
        platform_(options.platform.value_or(own_platform())),
        reference_(reference),
        endpoint_(transfers_, source, options.client, Endpoint::Access::kPull) {}

  /// The manifest's digest. The image is in the store afterwards, under `names`.
  std::string run(const std::vector<std::string>& names) {
    // Holds off whoever collects what no image needs.
    Importer importer(options_.store, true);
    base::make_directories(options_.store + "/partial", 0700);
    const auto is_stored = [&](const std::string& digest) { return store().find(digest).has_value(); };
    const auto manifest = choose_manifest(endpoint_, reference_, platform_, is_stored);
    // What is stored is about to be given a name that others may trust.
    const auto verified =
        require_allowed(endpoint_, policy_, reference_, manifest.digest, "cannot pull " + reference_.full());
    if (const auto known = store().find(manifest.digest)) {
      check_platform(known->config);
      keep_signers(manifest.digest, verified);
      for (const auto& name : names)
        tag(options_.store, manifest.digest, name);
      return manifest.digest;
    }
    remove_old_partials(options_.store + "/partial");
    ImageSource image = describe(manifest);
    prepare(image, importer);
    // What an earlier process has left may be damaged, after a power failure: then all of it is fetched once
    // more.
    try {
      transfer(image, importer, names);
    } catch (const DamagedBlob& damaged) {
      Partial::remove(options_.store + "/partial", damaged.digest());
      if (!had_been_resumed(damaged.digest()))
        throw;
      prepare(image, importer);
      transfer(image, importer, names);
    }
    keep_signers(image.manifest_digest, verified);
    return image.manifest_digest;
  }

 private:
  /// For isolation policies, which go by signers.
  void keep_signers(const std::string& digest, const std::vector<Verified>& verified) const {
    std::vector<std::string> fingerprints;
    fingerprints.reserve(verified.size());
    for (const Verified& one : verified)
      fingerprints.push_back(one.fingerprint);
    if (!fingerprints.empty())
      note_signers(options_.store, digest, fingerprints);
  }

  /// To look into; nothing is mounted.
  [[nodiscard]] Store store() const { return {options_.store, ""}; }

  void check_platform(const ImageConfig& config) const {
    if (!config.os.empty() && (config.os != platform_.os || config.architecture != platform_.architecture)) {
      throw base::Error("cannot pull " + reference_.full() + ": it is for " + config.os + "/" +
                            config.architecture + ", not for " + platform_.text(),
                        0, "get the image for this platform, or this one with --platform");
    }
  }

  ImageSource describe(const FetchedDocument& document) {
    const std::string name = "the manifest of " + reference_.full();
    manifest_ = parse_manifest(parse_document(document.text, name), name);
    ImageSource image;
    image.manifest = document.text;
    image.manifest_digest = document.digest;
    const std::string what = "the configuration of " + reference_.full();
    image.configuration_digest = manifest_.config.digest;
    image.configuration = fetch_document(endpoint_, manifest_.config, what);
    Configuration configuration = parse_configuration(parse_document(image.configuration, what), what);
    image.config = std::move(configuration.config);
    check_platform(image.config);
    if (configuration.diff_ids.size() != manifest_.layers.size()) {
      throw base::Error(what + " names " + std::to_string(configuration.diff_ids.size()) +
                            " layers, its manifest " + std::to_string(manifest_.layers.size()),
                        0, "the image is damaged or forged");
    }
    for (std::size_t i = 0; i < manifest_.layers.size(); ++i) {
      const Descriptor& layer = manifest_.layers[i];
      image.layers.push_back(
          {.location = {.size = layer.size}, .digest = layer.digest, .diff_id = configuration.diff_ids[i]});
    }
    return image;
  }

  /// One fetch for each blob that is missing. One blob may be two layers of an image.
  void prepare(ImageSource& image, const Importer& importer) {
    downloader_.reset();
    fetches_.clear();
    set_chain_ids(image.layers);
    downloader_ = std::make_unique<Downloader>(transfers_, endpoint_);
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      LayerSource& layer = image.layers[i];
      layer.stream = nullptr;
      if (importer.has(layer)) {
        // A pull that was killed behind its last step but one has left it.
        Partial::remove(options_.store + "/partial", layer.digest);
        continue;
      }
      auto fetch =
          std::ranges::find_if(fetches_, [&](const auto& one) { return one->blob().digest == layer.digest; });
      if (fetch == fetches_.end()) {
        fetches_.push_back(std::make_unique<Fetch>(manifest_.layers[i], options_.store));
        fetch = fetches_.end() - 1;
        downloader_->add(**fetch, [&importer, layer] { return importer.has(layer); });
      }
      layer.stream = fetch->get();
    }
  }

  /// Fetches on this thread and unpacks on another.
  void transfer(const ImageSource& image, Importer& importer, const std::vector<std::string>& names) {
    Progress progress(options_.progress);
    std::exception_ptr import_failure;
    std::atomic<bool> imported = false;
    std::jthread worker([&] {
      try {
        importer.add(image, names);
      } catch (...) {
        import_failure = std::current_exception();
      }
      imported = true;
      transfers_.wake();
    });
    while (!imported) {
      downloader_->step(kTick);
      progress.show(lines(image));
    }
    worker.join();
    if (import_failure)
      std::rethrow_exception(import_failure);
    progress.finish(lines(image));
  }

  [[nodiscard]] std::vector<ProgressLine> lines(const ImageSource& image) const {
    std::vector<ProgressLine> result;
    bool unpacks = true;  // the lowest that is not done
    for (const auto& layer : image.layers) {
      ProgressLine line{.name = short_name(layer.digest),
                        .size = layer.location.size,
                        .done = layer.location.size,
                        .state = "there already",
                        .ended = true};
      if (const auto* fetch = static_cast<const Fetch*>(layer.stream)) {
        const auto state = fetch->state();
        line.done = fetch->done();
        line.ended = state == Fetch::State::kStored;
        line.state = state_text(state, unpacks);
        unpacks = unpacks && line.ended;
      }
      result.push_back(std::move(line));
    }
    return result;
  }

  [[nodiscard]] bool had_been_resumed(const std::string& digest) const {
    return std::ranges::any_of(
        fetches_, [&](const auto& fetch) { return fetch->blob().digest == digest && fetch->resumed() > 0; });
  }

  const PullOptions& options_;
  const PolicySection& policy_;
  Platform platform_;
  Reference reference_;
  Transfers transfers_;
  Endpoint endpoint_;
  Manifest manifest_;
  std::vector<std::unique_ptr<Fetch>> fetches_;
  std::unique_ptr<Downloader> downloader_;  // last: it uses the fetches
};

/// From the mirrors, then from the registry.
std::string pull_reference(const PullOptions& options, const PolicySection& policy,
                           const std::vector<Source>& sources, const Reference& reference,
                           const std::vector<std::string>& names) {
  for (const auto& source : sources) {
    try {
      return Pull(options, policy, source, reference).run(names);
    } catch (const base::Error& error) {
      if (!source.is_mirror)
        throw;
      base::print_warning("the mirror " + source.host + " is passed over: " + error.what());
    }
  }
  throw base::Error("there is no place to pull " + reference.full() + " from");
}

}  // namespace

Pulled pull(const PullOptions& options, const std::string& name) {
  const Reference asked = parse_reference(name);
  const SignaturePolicy policy = SignaturePolicy::load(options.signature_policy);
  const Registries registries = Registries::load();
  const auto candidates = registries.candidates(asked);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Reference& reference = candidates[i];
    const bool last = i + 1 == candidates.size();
    const PolicySection& section = policy.for_docker(reference);
    if (!last && section.has(PolicyRequirement::Kind::kReject))
      continue;  // nothing could ever have this name from there
    refuse_outright(section, "cannot pull " + reference.full());
    // Under the name that was asked for it is found again; under its full one it can be told where it is
    // from.
    std::vector<std::string> names{asked.familiar()};
    if (reference.familiar() != names.front())
      names.push_back(reference.familiar());
    try {
      return {.digest = pull_reference(options, section, registries.sources(reference), reference, names),
              .name = names.front()};
    } catch (const NotThere&) {
      // Only a registry that says it has no such image hands on to the next: one that is down must not have
      // its name taken by another.
      if (last)
        throw;
    }
  }
  throw base::Error("there is no registry to pull " + name + " from", 0,
                    "name one, as in docker.io/library/" + name + ", or list some in registries.conf");
}

}  // namespace trine::images
