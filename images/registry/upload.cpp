#include "upload.h"

#include "base/error.h"

namespace trine::images {
namespace {

constexpr int kCreated = 201;
constexpr int kAccepted = 202;
constexpr int kNotFound = 404;

[[noreturn]] void fail(const Endpoint& endpoint, const std::string& what, const HttpResponse& response) {
  throw base::Error("cannot push " + what + " to " + endpoint.source().host + ": HTTP status " +
                    std::to_string(response.status));
}

/// Where to send a blob: "…/uploads/UUID?state" with the digest behind it.
std::string upload_address(const Endpoint& endpoint, const HttpResponse& response, const Descriptor& blob) {
  const std::string address = endpoint.resolve(response.header("location"));
  return address + (address.find('?') == std::string::npos ? "?" : "&") + "digest=" + url_escape(blob.digest);
}

}  // namespace

bool has_blob(Endpoint& endpoint, const Descriptor& blob) {
  const HttpResponse response = endpoint.perform("HEAD", "/blobs/" + blob.digest, "the blob " + blob.digest);
  if (response.status != kNotFound && !response.ok())
    fail(endpoint, "the blob " + blob.digest, response);
  return response.ok();
}

bool mount_blob(Endpoint& endpoint, const Descriptor& blob, const std::string& repository) {
  const HttpResponse response = endpoint.perform(
      "POST", "/blobs/uploads/?mount=" + url_escape(blob.digest) + "&from=" + url_escape(repository),
      "the blob " + blob.digest);
  if (response.status == kCreated)
    return true;
  // It has begun an upload instead, which nobody will go on with.
  if (response.status == kAccepted)
    (void)endpoint.perform("DELETE", endpoint.resolve(response.header("location")), "an upload");
  return false;
}

void upload_blob(Endpoint& endpoint, const Descriptor& blob,
                 const std::function<std::unique_ptr<ByteSource>()>& open) {
  const std::string what = "the blob " + blob.digest;
  const HttpResponse begun = endpoint.perform("POST", "/blobs/uploads/", what);
  if (begun.status != kAccepted)
    fail(endpoint, what, begun);
  std::unique_ptr<ByteSource> bytes;
  const HttpResponse response =
      endpoint.perform("PUT", upload_address(endpoint, begun, blob), what, [&](HttpRequest& request) {
        bytes = open();
        request.upload = bytes.get();
        request.upload_size = blob.size;
        request.follow = false;
        request.headers.emplace_back("Content-Type: application/octet-stream");
      });
  if (response.status != kCreated)
    fail(endpoint, what, response);
}

void upload_manifest(Endpoint& endpoint, const std::string& selector, const std::string& text,
                     const std::string& media_type) {
  const std::string what = "the manifest " + selector;
  const HttpResponse response =
      endpoint.perform("PUT", "/manifests/" + selector, what, [&](HttpRequest& request) {
        request.body = text;
        request.follow = false;
        request.headers.push_back("Content-Type: " + media_type);
      });
  if (response.status != kCreated)
    fail(endpoint, what, response);
}

}  // namespace trine::images
