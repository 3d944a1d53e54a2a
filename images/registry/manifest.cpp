#include "manifest.h"

#include "bytes.h"
#include "hash.h"

namespace trine::images {
namespace {

constexpr int kNotFound = 404;

constexpr const char* kAccept =
    "Accept: application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

std::string digest_like(const std::string& model, const std::string& text) {
  Hash hash(model.substr(0, model.find(':')));
  hash.update(text);
  return hash.finish();
}

/// A portal, a proxy or a web server says "200 OK" to anything.
void refuse_web_page(const Endpoint& endpoint, const HttpResponse& response, const std::string& what) {
  if (!response.header("content-type").starts_with("text/html"))
    return;
  throw base::Error("cannot get " + what + " from " + endpoint.source().host + ": it answers with a web page",
                    0, "is it a registry, and does a proxy or a login page stand before it?");
}

}  // namespace

FetchedDocument fetch_manifest(Endpoint& endpoint, const std::string& selector) {
  const std::string what = "the manifest " + selector + " of " + endpoint.source().repository;
  const HttpResponse response =
      endpoint.perform("GET", "/manifests/" + selector, what,
                       [](HttpRequest& request) { request.headers.emplace_back(kAccept); });
  refuse_web_page(endpoint, response, what);
  if (response.status == kNotFound) {
    throw NotThere(endpoint.source().host + " has no image " + endpoint.source().repository + " with " +
                       (selector.find(':') == std::string::npos ? "the tag " : "the digest ") + selector,
                   0, "check its spelling; a private image may need trine login " + endpoint.source().host);
  }
  if (!response.ok()) {
    throw base::Error("cannot get " + what + " from " + endpoint.source().host + ": HTTP status " +
                      std::to_string(response.status));
  }
  FetchedDocument document{
      .text = response.body, .digest = {}, .media_type = response.header("content-type")};
  const bool by_digest = selector.find(':') != std::string::npos;
  const std::string said = by_digest ? selector : response.header("docker-content-digest");
  const bool known = said.starts_with("sha256:") || said.starts_with("sha512:");
  document.digest = digest_like(known ? said : "sha256:", document.text);
  if (known && document.digest != said) {
    throw base::Error("cannot use " + what + " from " + endpoint.source().host + ": it has the digest " +
                          document.digest + ", not " + said,
                      0, "the registry, or a proxy before it, gives out what it does not say");
  }
  return document;
}

std::string fetch_document(Endpoint& endpoint, const Descriptor& descriptor, const std::string& what) {
  if (descriptor.size > kMaxDocument)
    throw base::Error(what + " is larger than 4 MiB");
  const HttpResponse response = endpoint.perform("GET", "/blobs/" + descriptor.digest, what);
  refuse_web_page(endpoint, response, what);
  if (!response.ok()) {
    throw base::Error(endpoint.source().host + " does not have " + what + " (HTTP status " +
                      std::to_string(response.status) + ")");
  }
  if (response.body.size() != descriptor.size) {
    throw DamagedBlob(descriptor.digest, "has " + std::to_string(response.body.size()) + " bytes, not the " +
                                             std::to_string(descriptor.size) + " that its manifest gives");
  }
  if (const auto actual = digest_like(descriptor.digest, response.body); actual != descriptor.digest)
    throw DamagedBlob(descriptor.digest, "does not match its digest: what came has " + actual);
  return response.body;
}

}  // namespace trine::images
