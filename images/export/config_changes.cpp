#include "export/config_changes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kBlanks = " \t";

/// One instruction, and what the ones before it have done.
struct Instruction {
  std::string text;  ///< whole, for messages
  std::string arguments;
  bool cmd_given = false;
};

[[noreturn]] void refuse(const Instruction& instruction, const std::string& why, const std::string& hint) {
  throw base::Error("--change '" + instruction.text + "': " + why, 0, hint);
}

/// Words as a shell would part them: blanks part, quotes and backslashes keep together.
std::vector<std::string> words_of(const Instruction& instruction) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  char quote = 0;
  const std::string& text = instruction.arguments;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (quote == 0 && kBlanks.contains(byte)) {
      if (begun)
        words.push_back(std::exchange(word, {}));
      begun = false;
      continue;
    }
    begun = true;
    if (byte == '\\' && quote != '\'' && i + 1 < text.size())
      word += text[++i];
    else if (quote == 0 && (byte == '"' || byte == '\''))
      quote = byte;
    else if (byte == quote)
      quote = 0;
    else
      word += byte;
  }
  if (quote != 0)
    refuse(instruction, "a quotation does not end", "close it");
  if (begun)
    words.push_back(std::move(word));
  return words;
}

/// ["a", "b"], when it is that.
std::optional<std::vector<std::string>> list_of(const Instruction& instruction) {
  if (!instruction.arguments.starts_with('['))
    return std::nullopt;
  const Json json = Json::parse(instruction.arguments, nullptr, false);
  if (json.is_discarded() || !json.is_array() ||
      !std::ranges::all_of(json, [](const Json& item) { return item.is_string(); }))
    return std::nullopt;
  return json.get<std::vector<std::string>>();
}

/// A program and its arguments as a list, or a command for the shell.
Json command_of(const Instruction& instruction) {
  if (const auto list = list_of(instruction))
    return *list;
  return {"/bin/sh", "-c", instruction.arguments};
}

/// KEY=VALUE…, or KEY VALUE with a blank between.
std::vector<std::pair<std::string, std::string>> pairs_of(const Instruction& instruction) {
  const auto words = words_of(instruction);
  std::vector<std::pair<std::string, std::string>> pairs;
  if (words.front().find('=') == std::string::npos) {
    const auto blank = instruction.arguments.find_first_of(kBlanks);
    if (blank == std::string::npos)
      refuse(instruction, "it has no value", "write KEY=VALUE");
    pairs.emplace_back(instruction.arguments.substr(0, blank),
                       std::string(base::trim(instruction.arguments.substr(blank))));
    return pairs;
  }
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      refuse(instruction, "'" + word + "' is not KEY=VALUE", "write KEY=VALUE, with quotes around blanks");
    pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return pairs;
}

/// `config[key]` as an object, whatever it was.
Json& object_at(Json& config, const char* key) {
  Json& value = config[key];
  if (!value.is_object())
    value = Json::object();
  return value;
}

void change_cmd(Json& config, const Instruction& instruction) {
  config["Cmd"] = command_of(instruction);
}

void change_entrypoint(Json& config, const Instruction& instruction) {
  config["Entrypoint"] = command_of(instruction);
  if (!instruction.cmd_given)
    config.erase("Cmd");
}

void change_env(Json& config, const Instruction& instruction) {
  Json& env = config["Env"];
  if (!env.is_array())
    env = Json::array();
  for (const auto& [key, value] : pairs_of(instruction)) {
    const std::string prefix = key + "=";
    const auto old = std::ranges::find_if(env, [&](const Json& entry) {
      return entry.is_string() && entry.get<std::string>().starts_with(prefix);
    });
    if (old != env.end())
      *old = prefix + value;
    else
      env.push_back(prefix + value);
  }
}

void change_label(Json& config, const Instruction& instruction) {
  Json& labels = object_at(config, "Labels");
  for (const auto& [key, value] : pairs_of(instruction))
    labels[key] = value;
}

void change_expose(Json& config, const Instruction& instruction) {
  constexpr std::uint64_t kMost = 65535;
  Json& ports = object_at(config, "ExposedPorts");
  for (const auto& word : words_of(instruction)) {
    const auto slash = word.find('/');
    const std::string protocol = slash == std::string::npos ? "tcp" : word.substr(slash + 1);
    const auto number = base::parse_unsigned(word.substr(0, slash));
    const bool known = protocol == "tcp" || protocol == "udp" || protocol == "sctp";
    if (!known || !number || *number == 0 || *number > kMost)
      refuse(instruction, "'" + word + "' is no port", "as in 80 or 53/udp");
    ports[std::to_string(*number) + "/" + protocol] = Json::object();
  }
}

void change_volume(Json& config, const Instruction& instruction) {
  Json& volumes = object_at(config, "Volumes");
  for (const auto& path : list_of(instruction).value_or(words_of(instruction)))
    volumes[path] = Json::object();
}

void change_user(Json& config, const Instruction& instruction) {
  config["User"] = instruction.arguments;
}

void change_stop_signal(Json& config, const Instruction& instruction) {
  config["StopSignal"] = instruction.arguments;
}

/// A relative one begins at the one before.
void change_working_directory(Json& config, const Instruction& instruction) {
  const std::string& path = instruction.arguments;
  std::string before = config.contains("WorkingDir") && config["WorkingDir"].is_string()
                           ? config["WorkingDir"].get<std::string>()
                           : "/";
  if (!before.ends_with('/'))
    before += '/';
  config["WorkingDir"] = path.starts_with('/') ? path : before + path;
}

struct Keyword {
  std::string_view name;
  void (*apply)(Json& config, const Instruction& instruction);
};
constexpr std::array kKeywords{
    Keyword{"CMD", change_cmd},
    Keyword{"ENTRYPOINT", change_entrypoint},
    Keyword{"ENV", change_env},
    Keyword{"EXPOSE", change_expose},
    Keyword{"LABEL", change_label},
    Keyword{"STOPSIGNAL", change_stop_signal},
    Keyword{"USER", change_user},
    Keyword{"VOLUME", change_volume},
    Keyword{"WORKDIR", change_working_directory},
};

std::string upper_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char byte) { return std::toupper(byte); });
  return text;
}

}  // namespace

void apply_changes(Json& config, const std::vector<std::string>& instructions) {
  if (!config.is_object())
    config = Json::object();
  bool cmd_given = false;
  for (const auto& text : instructions) {
    const std::string trimmed(base::trim(text));
    const auto blank = trimmed.find_first_of(kBlanks);
    const std::string name = upper_case(trimmed.substr(0, blank));
    const Instruction instruction{
        .text = text,
        .arguments = blank == std::string::npos ? "" : std::string(base::trim(trimmed.substr(blank))),
        .cmd_given = cmd_given};
    const auto* keyword = std::ranges::find(kKeywords, name, &Keyword::name);
    if (keyword == kKeywords.end()) {
      refuse(instruction, "there is no such instruction",
             "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR");
    }
    if (instruction.arguments.empty())
      refuse(instruction, "it has no value", "as in " + name + " …, written as in a Dockerfile");
    keyword->apply(config, instruction);
    cmd_given = cmd_given || name == "CMD";
  }
}

}  // namespace trine::images
