#pragma once

#include <string>

#include "http.h"

namespace trine::images {

/// Adds to `host` the certificates for `name` ("registry.example:5000"): every *.crt of `directory` is
/// trusted, a *.cert and the *.key beside it say who we are. Without `directory`, those of
/// ~/.config/containers/certs.d/NAME, /etc/containers/certs.d/NAME and /etc/docker/certs.d/NAME, the first
/// that is there. Throws Error for a *.cert without its key. Source: containers-certs.d(5).
void add_certificates(HttpHost& host, const std::string& name, const std::string& directory);

}  // namespace trine::images
