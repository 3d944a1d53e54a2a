#include "credentials.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base64.h"
#include "credential_helper.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

constexpr const char* kDockerHub = "docker.io";
constexpr const char* kDockerHubKey =
    "https://index.docker.io/v1/";  ///< what docker login has always called it

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Json read(const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0)
    return Json::object();
  Json json = Json::parse(base::read_file(file), nullptr, false);
  if (!json.is_object())
    throw base::Error("the file of credentials " + file + " is damaged: it is no JSON object");
  return json;
}

const Json& member(const Json& json, const char* key) {
  static const Json kNone = Json::object();
  const auto found = json.find(key);
  return found != json.end() && found->is_object() ? *found : kNone;
}

std::string text(const Json& json, const std::string& key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

/// "https://host/v1/" -> "host": how docker once wrote keys.
std::string plain_key(std::string key) {
  const auto scheme = key.find("://");
  if (scheme != std::string::npos) {
    key.erase(0, scheme + 3);
    key.erase(std::min(key.find('/'), key.size()));
  }
  return key == "index.docker.io" || key == "registry-1.docker.io" ? kDockerHub : key;
}

/// Longest first: "h/a/b", "h/a", "h".
std::vector<std::string> keys(const std::string& host, const std::string& repository) {
  std::vector<std::string> result;
  std::string key = repository.empty() ? host : host + "/" + repository;
  for (;;) {
    result.push_back(key);
    if (key.size() <= host.size())
      return result;
    key.erase(key.find_last_of('/'));
  }
}

const Json* find_key(const Json& table, const std::string& wanted) {
  if (const auto exact = table.find(wanted); exact != table.end())
    return &*exact;
  for (const auto& [key, value] : table.items()) {
    if (plain_key(key) == wanted)
      return &value;
  }
  return nullptr;
}

std::optional<Credentials> decode(const Json& entry, const std::string& file, const std::string& key) {
  if (!entry.is_object())
    return std::nullopt;
  if (auto token = text(entry, "identitytoken"); !token.empty())
    return Credentials{.user = {}, .password = {}, .identity_token = std::move(token)};
  const std::string auth = text(entry, "auth");
  if (auth.empty())
    return std::nullopt;
  const auto decoded = base64_decode(auth);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos)
    throw base::Error("the credentials for " + key + " in " + file + " are damaged", 0, "trine login " + key);
  std::string password = decoded->substr(colon + 1);
  while (password.ends_with('\0'))  // docker has padded them so
    password.pop_back();
  return Credentials{
      .user = decoded->substr(0, colon), .password = std::move(password), .identity_token = {}};
}

std::string server_name(const std::string& host) {
  return host == kDockerHub ? kDockerHubKey : host;
}

/// The helper that `json` names for the host, or empty.
std::string helper_of(const Json& json, const std::string& host) {
  const Json* own = find_key(member(json, "credHelpers"), host);
  return own != nullptr && own->is_string() ? own->get<std::string>() : text(json, "credsStore");
}

std::optional<Credentials> find_in(const std::string& file, const std::string& host,
                                   const std::string& repository) {
  const Json json = read(file);
  for (const auto& key : keys(host, repository)) {
    if (const Json* helper = find_key(member(json, "credHelpers"), key);
        helper != nullptr && helper->is_string())
      return helper_get(helper->get<std::string>(), server_name(key));
    if (const Json* entry = find_key(member(json, "auths"), key)) {
      if (auto found = decode(*entry, file, key))
        return found;
    }
  }
  if (const auto store = text(json, "credsStore"); !store.empty())
    return helper_get(store, server_name(host));
  return std::nullopt;
}

void write(const std::string& file, const Json& json) {
  const auto slash = file.find_last_of('/');
  const std::string directory = slash == std::string::npos ? "." : file.substr(0, slash);
  base::make_directories(directory, 0700);
  const base::UniqueFd parent = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  base::replace_file(parent.get(), file.substr(slash == std::string::npos ? 0 : slash + 1),
                     json.dump(2) + "\n", base::Durability::kDisk, 0600);
}

}  // namespace

AuthFiles::AuthFiles(const std::string& file) {
  if (!file.empty()) {
    files_.push_back(file);
    return;
  }
  if (auto only = environment("REGISTRY_AUTH_FILE"); !only.empty()) {
    files_.push_back(std::move(only));
    return;
  }
  const std::string home = environment("HOME");
  const std::string run = environment("XDG_RUNTIME_DIR");
  const std::string config = environment("XDG_CONFIG_HOME");
  const std::string docker = environment("DOCKER_CONFIG");
  files_.push_back((run.empty() ? "/run/containers/" + std::to_string(::getuid()) : run + "/containers") +
                   "/auth.json");
  if (!config.empty() || !home.empty())
    files_.push_back((config.empty() ? home + "/.config" : config) + "/containers/auth.json");
  if (!docker.empty() || !home.empty())
    files_.push_back((docker.empty() ? home + "/.docker" : docker) + "/config.json");
}

std::optional<Credentials> AuthFiles::find(const std::string& host, const std::string& repository) const {
  for (const auto& file : files_) {
    if (auto found = find_in(file, host, repository))
      return found;
  }
  return std::nullopt;
}

void AuthFiles::store(const std::string& host, const Credentials& credentials) const {
  Json json = read(writable());
  if (const auto helper = helper_of(json, host); !helper.empty())
    return helper_store(helper, server_name(host), credentials);
  json["auths"][host] = {{"auth", base64_encode(credentials.user + ":" + credentials.password)}};
  write(writable(), json);
}

bool AuthFiles::erase(const std::string& host) const {
  bool any = false;
  for (const auto& file : files_) {
    Json json = read(file);
    if (const auto helper = helper_of(json, host); !helper.empty() && helper_get(helper, server_name(host))) {
      helper_erase(helper, server_name(host));
      any = true;
    }
    const auto auths = json.find("auths");
    if (auths == json.end() || !auths->is_object())
      continue;
    std::vector<std::string> mine;
    for (const auto& [key, value] : auths->items()) {
      if (key == host || plain_key(key) == host)
        mine.push_back(key);
    }
    for (const auto& key : mine)
      auths->erase(key);
    if (!mine.empty())
      write(file, json);
    any = any || !mine.empty();
  }
  return any;
}

}  // namespace trine::images
