#pragma once

/// Media types of the documents and layers that trine writes. Source: OCI image-spec 1.1 media-types.md.
namespace trine::images {

constexpr const char* kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr const char* kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kOciConfig = "application/vnd.oci.image.config.v1+json";
constexpr const char* kOciLayer = "application/vnd.oci.image.layer.v1.tar";
constexpr const char* kOciGzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

}  // namespace trine::images
