#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "endpoint.h"
#include "fetch.h"

namespace trine::images {

/// Fetches blobs side by side, large ones in ranges. Runs on the thread that calls step().
class Downloader {
 public:
  Downloader(Transfers& transfers, Endpoint& endpoint);
  ~Downloader();
  Downloader(const Downloader&) = delete;
  Downloader& operator=(const Downloader&) = delete;

  /// `is_stored`: whether some process has put the layer into the store meanwhile. `fetch` must outlive this.
  void add(Fetch& fetch, std::function<bool()> is_stored);
  /// Does what is to be done now, and waits for more, `timeout_ms` at most. False when nothing is left.
  /// Throws what ended a fetch.
  bool step(int timeout_ms);

 private:
  struct Job;
  struct Blob;
  class Sink;
  void poll_locks();
  void start_jobs();
  bool start_one(Blob& blob);
  void start(Blob& blob, std::unique_ptr<Job> job);
  void finish(std::unique_ptr<Job> job, HttpResponse response);

  Transfers& transfers_;
  Endpoint& endpoint_;
  std::vector<std::unique_ptr<Blob>> blobs_;
  std::map<Transfers::Id, std::unique_ptr<Job>> running_;
};

}  // namespace trine::images
