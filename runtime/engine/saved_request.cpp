#include "saved_request.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "layout.h"

namespace trine::runtime::engine {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kFile = "request.json";
constexpr std::size_t kMostBytes = 4 << 20;  // above what execve(2) takes

/// Words may hold any byte but 0; JSON has text only. Source: RFC 8259, 7.
std::string to_text(const std::string& word) {
  std::string text;
  for (const char byte : word) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x80) {
      text += byte;
    } else {  // as the character of that number
      text += static_cast<char>(0xc0 | (code >> 6U));
      text += static_cast<char>(0x80 | (code & 0x3fU));
    }
  }
  return text;
}

std::string from_text(const std::string& text) {
  std::string word;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = static_cast<unsigned char>(text[i]);
    if (code < 0x80 || i + 1 == text.size()) {
      word += text[i];
    } else {
      word += static_cast<char>(((code & 0x03U) << 6U) | (static_cast<unsigned char>(text[i + 1]) & 0x3fU));
      ++i;
    }
  }
  return word;
}

}  // namespace

void save_request(const std::string& layer_directory, const SavedRequest& request) {
  Json words = Json::array();
  for (const std::string& word : request.words)
    words.push_back(to_text(word));
  const Json json{{"words", std::move(words)}, {"directory", to_text(request.directory)}};
  const base::UniqueFd place = base::open_file(layer_directory, O_RDONLY | O_DIRECTORY);
  base::replace_file(place.get(), kFile, json.dump(), base::Durability::kMemory, 0600);
}

SavedRequest load_request(const Paths& paths, const Record& record) {
  const std::string file = lib_root(paths) + "/" + record.id + "/" + kFile;
  if (::access(file.c_str(), F_OK) != 0 && errno == ENOENT)
    throw base::Error("cannot start " + record.name + ": what it was made with is not known", 0,
                      "it was made by an older trine: trine run makes another one");
  try {
    const Json json = Json::parse(base::read_file(file, kMostBytes));
    SavedRequest request;
    for (const Json& word : json.at("words"))
      request.words.push_back(from_text(word.get<std::string>()));
    request.directory = from_text(json.at("directory").get<std::string>());
    return request;
  } catch (const Json::exception&) {
    throw base::Error(file + " is damaged", 0, "trine rm " + record.name + ", and run it anew");
  }
}

}  // namespace trine::runtime::engine
