#include "download.h"

#include <algorithm>
#include <chrono>
#include <deque>

#include "base/error.h"
#include "base/text.h"

namespace trine::images {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kProgress = 1 << 20;  ///< bytes after which a broken connection is forgiven
constexpr int kLockPoll = 50;                 ///< milliseconds between looks at another process's lock
constexpr int kRangeNotSatisfiable = 416;
constexpr int kNotFound = 404;
constexpr int kPartialContent = 206;

/// The server cannot be trusted with ranges.
struct WrongRange {};

/// "bytes 0-99/1000" is what was asked for. Source: RFC 9110 §14.4.
bool is_range(const std::string& header, std::uint64_t first, std::uint64_t last, std::uint64_t size) {
  return header ==
             "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(size) ||
         header == "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/*";
}

}  // namespace

/// How one blob is asked for.
struct Downloader::Blob {
  enum class Mode {
    kUnknown,  ///< the first answer will tell
    kRanges,
    kWhole,  ///< one stream from the beginning
  };
  Fetch* fetch = nullptr;
  std::function<bool()> is_stored;
  Mode mode = Mode::kUnknown;
  std::size_t next_chunk = 0;
  std::size_t running = 0;
  bool begun = false;
  bool ended = false;
  std::deque<std::unique_ptr<Job>> again;  ///< to be tried once more
};

/// One request, through all its attempts.
struct Downloader::Job {
  Blob* blob = nullptr;
  std::size_t chunk = 0;
  bool ranged = false;
  std::uint64_t start = 0;  ///< of the range
  bool whole = false;       ///< all of the blob comes, asked for or not
  Attempts attempts;
  Clock::time_point not_before;
  std::unique_ptr<Sink> sink;
};

/// Puts an answer's bytes where they belong.
class Downloader::Sink : public BodySink {
 public:
  explicit Sink(Job& job) : job_(job), chunk_(job.chunk) {}

  void begin(const HttpResponse& head) override {
    Blob& blob = *job_.blob;
    Partial& partial = blob.fetch->partial();
    if (job_.ranged && head.status == kPartialContent) {
      const std::uint64_t last = job_.chunk * Partial::kChunk + partial.chunk_size(job_.chunk) - 1;
      if (!is_range(head.header("content-range"), job_.start, last, partial.size()))
        throw WrongRange();
      if (blob.mode == Blob::Mode::kUnknown)
        blob.mode = Blob::Mode::kRanges;
      return;
    }
    // The whole blob: because we asked for it, or because the server does not know ranges.
    if (head.status != 200 || blob.running > 1)
      throw WrongRange();
    blob.mode = Blob::Mode::kWhole;
    job_.whole = true;
    blob.fetch->restart();
    chunk_ = 0;
  }

  void take(std::span<const char> bytes) override {
    Partial& partial = job_.blob->fetch->partial();
    while (!bytes.empty()) {
      // In one stream a chunk follows the other.
      if (job_.whole && chunk_ + 1 < partial.chunks() && partial.done(chunk_) == partial.chunk_size(chunk_)) {
        ++chunk_;
      }
      const std::uint64_t room = partial.chunk_size(chunk_) - partial.done(chunk_);
      const bool last = !job_.whole || chunk_ + 1 == partial.chunks();
      const auto part = last ? bytes : bytes.first(std::min<std::uint64_t>(room, bytes.size()));
      job_.blob->fetch->append(chunk_, part);
      bytes = bytes.subspan(part.size());
    }
  }

 private:
  Job& job_;
  std::size_t chunk_;
};

Downloader::Downloader(Transfers& transfers, Endpoint& endpoint)
    : transfers_(transfers), endpoint_(endpoint) {}

Downloader::~Downloader() {
  for (const auto& [id, job] : running_)
    transfers_.cancel(id);
}

void Downloader::add(Fetch& fetch, std::function<bool()> is_stored) {
  auto blob = std::make_unique<Blob>();
  blob->fetch = &fetch;
  blob->is_stored = std::move(is_stored);
  blobs_.push_back(std::move(blob));
}

void Downloader::poll_locks() {
  for (const auto& blob : blobs_) {
    if (blob->begun || !blob->fetch->begin(blob->is_stored))
      continue;
    blob->begun = true;
    blob->ended = blob->fetch->state() == Fetch::State::kStored || blob->fetch->finish();
  }
}

void Downloader::start(Blob& blob, std::unique_ptr<Job> job) {
  Partial& partial = blob.fetch->partial();
  const std::uint64_t have = partial.done(job->chunk);
  job->ranged = blob.mode != Blob::Mode::kWhole && (partial.chunks() > 1 || have > 0);
  job->whole = false;
  job->start = job->chunk * Partial::kChunk + have;
  job->sink = std::make_unique<Sink>(*job);
  HttpRequest request = endpoint_.request("GET", "/blobs/" + blob.fetch->blob().digest, job->attempts);
  request.sink = job->sink.get();
  if (job->ranged) {
    const std::uint64_t last = job->chunk * Partial::kChunk + partial.chunk_size(job->chunk) - 1;
    request.range = std::to_string(job->start) + "-" + std::to_string(last);
  }
  ++blob.running;
  const auto id = transfers_.start(std::move(request));
  running_[id] = std::move(job);
}

/// Whether there was something to start for the blob.
bool Downloader::start_one(Blob& blob) {
  if (!blob.begun || blob.ended)
    return false;
  // Ranges begin when a first one has come as it should; a single stream has the blob to itself.
  if (blob.mode != Blob::Mode::kRanges && blob.running > 0)
    return false;
  if (!blob.again.empty()) {
    if (blob.again.front()->not_before > Clock::now())
      return false;
    auto job = std::move(blob.again.front());
    blob.again.pop_front();
    if (blob.mode == Blob::Mode::kWhole)
      job->chunk = 0;
    start(blob, std::move(job));
    return true;
  }
  Partial& partial = blob.fetch->partial();
  while (blob.next_chunk < partial.chunks() &&
         partial.done(blob.next_chunk) == partial.chunk_size(blob.next_chunk))
    ++blob.next_chunk;
  if (blob.next_chunk == partial.chunks() || (blob.mode == Blob::Mode::kWhole && blob.next_chunk > 0))
    return false;
  auto job = std::make_unique<Job>();
  job->blob = &blob;
  job->chunk = blob.next_chunk++;
  start(blob, std::move(job));
  return true;
}

void Downloader::start_jobs() {
  // One stream for each first, so that each is known to take ranges or not; then the lowest layers, which are
  // unpacked first, get what is left.
  for (const auto& blob : blobs_) {
    if (running_.size() < endpoint_.streams() && blob->running == 0)
      start_one(*blob);
  }
  for (const auto& blob : blobs_) {
    while (running_.size() < endpoint_.streams() && start_one(*blob)) {
    }
  }
}

void Downloader::finish(std::unique_ptr<Job> job, HttpResponse response) {
  Blob& blob = *job->blob;
  --blob.running;
  const std::string what = "the blob " + blob.fetch->blob().digest;
  bool wrong_range = response.failure == HttpFailure::kNone && response.status == kRangeNotSatisfiable;
  if (response.failure == HttpFailure::kSink) {
    try {
      std::rethrow_exception(response.thrown);
    } catch (const WrongRange&) {
      wrong_range = true;
    } catch (const base::Error& error) {
      throw base::Error("cannot get " + what + ": " + error.message(), error.errno_value(), error.hint());
    }
  }
  if (wrong_range) {
    if (!job->ranged)
      throw base::Error("cannot get " + what + ": the registry answers with HTTP status " +
                        std::to_string(response.status));
    blob.mode = Blob::Mode::kWhole;
    blob.again.clear();
    job->attempts = {};
    blob.again.push_back(std::move(job));
    return;
  }
  // A range that was under way when another answer showed that ranges are not to be trusted.
  if (blob.mode == Blob::Mode::kWhole && job->ranged && !job->whole)
    return;
  if (response.ok()) {
    if (blob.fetch->finish()) {
      blob.ended = true;
      return;
    }
    const Partial& partial = blob.fetch->partial();
    if (blob.mode == Blob::Mode::kRanges && partial.done(job->chunk) == partial.chunk_size(job->chunk))
      return;
    response.failure = HttpFailure::kBroken;
    response.failure_text = "the answer ends too early";
  }
  if (response.failure == HttpFailure::kNone && response.status == kNotFound)
    throw base::Error(endpoint_.source().host + " does not have " + what + ", which its manifest names");
  if (blob.mode == Blob::Mode::kRanges && response.received >= kProgress)
    job->attempts.failures = 0;
  const auto verdict = endpoint_.judge(response, job->attempts, what);
  if (!verdict.retry)
    throw base::Error("cannot get " + what + ": the registry answers with HTTP status " +
                      std::to_string(response.status));
  job->not_before = Clock::now() + std::chrono::milliseconds(verdict.delay_ms);
  blob.again.push_back(std::move(job));
}

bool Downloader::step(int timeout_ms) {
  try {
    poll_locks();
    start_jobs();
    const bool waiting = std::ranges::any_of(
        blobs_, [](const auto& blob) { return !blob->begun || (!blob->ended && !blob->again.empty()); });
    if (auto finished = transfers_.wait(waiting ? std::min(timeout_ms, kLockPoll) : timeout_ms)) {
      const auto found = running_.find(finished->first);
      if (found != running_.end()) {
        auto job = std::move(found->second);
        running_.erase(found);
        finish(std::move(job), std::move(finished->second));
      }
    }
  } catch (...) {
    for (const auto& blob : blobs_)
      blob->fetch->fail(std::current_exception());
    throw;
  }
  return std::ranges::any_of(blobs_, [](const auto& blob) { return !blob->ended; });
}

}  // namespace trine::images
