#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "images/reference.h"

/// What a policy's scopes are called for an image: where its rules are looked up, the nearest first.
/// Source: containers-policy.json(5), "Supported transports and their scopes".
namespace trine::images {

/// "h.example:5000/a/b:1" -> itself, "h.example:5000/a/b", "h.example:5000/a", "h.example:5000", "*.example".
/// With a digest, the name with the digest stands first, before the one with the tag.
std::vector<std::string> docker_scopes(const Reference& reference);

/// "/srv/images/web" with the tag "1" -> "/srv/images/web:1", "/srv/images/web", "/srv/images", "/srv".
/// `path` is absolute and without symlinks.
std::vector<std::string> path_scopes(const std::string& path, const std::string& tag);

/// Why a scope can never be that of an image, or there is no such transport; empty when all is well.
std::string transport_fault(std::string_view transport);
std::string scope_fault(std::string_view transport, std::string_view scope);

}  // namespace trine::images
