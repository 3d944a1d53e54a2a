#include "export/config_changes.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace trine;
using namespace trine::images;
using Json = nlohmann::json;

namespace {

Json changed(Json config, const std::vector<std::string>& instructions) {
  apply_changes(config, instructions);
  return config;
}

Json list(std::initializer_list<const char*> words) {
  Json result = Json::array();
  for (const char* word : words)
    result.push_back(word);
  return result;
}

}  // namespace

TEST_CASE("a command is a list as it stands, or a line for the shell") {
  CHECK(changed({}, {R"(CMD ["web", "-v"])"})["Cmd"] == list({"web", "-v"}));
  CHECK(changed({}, {"CMD web -v | tee log"})["Cmd"] == list({"/bin/sh", "-c", "web -v | tee log"}));
  CHECK(changed({}, {"CMD [ -e file ]"})["Cmd"] == list({"/bin/sh", "-c", "[ -e file ]"}));
  CHECK(changed({}, {R"(CMD ["web", 1])"})["Cmd"] == list({"/bin/sh", "-c", R"(["web", 1])"}));
}

TEST_CASE("an entrypoint takes the image's command away, but not one that was given with it") {
  const Json before{{"Cmd", list({"old"})}};
  CHECK_FALSE(changed(before, {R"(ENTRYPOINT ["web"])"}).contains("Cmd"));
  const Json both = changed(before, {R"(CMD ["new"])", R"(ENTRYPOINT ["web"])"});
  CHECK(both["Cmd"] == list({"new"}));
  CHECK(both["Entrypoint"] == list({"web"}));
}

TEST_CASE("a variable replaces the one of its name and no other") {
  const Json before{{"Env", list({"PATH=/bin", "PATHS=x"})}};
  CHECK(changed(before, {"ENV PATH=/sbin NEW='two words' EMPTY="})["Env"] ==
        list({"PATH=/sbin", "PATHS=x", "NEW=two words", "EMPTY="}));
  CHECK(changed({}, {"ENV KEY a value  with = in it"})["Env"] == list({"KEY=a value  with = in it"}));
  CHECK(changed({}, {R"(env A="a \"b\"" B=c\ d)"})["Env"] == list({"A=a \"b\"", "B=c d"}));
}

TEST_CASE("labels, ports and volumes are added to those there are") {
  const Json before{{"Labels", {{"old", "1"}}}, {"ExposedPorts", {{"22/tcp", Json::object()}}}};
  const Json after =
      changed(before, {"LABEL new=2", "EXPOSE 80 53/udp", R"(VOLUME ["/a b", "/c"])", "VOLUME /d /e"});
  CHECK(after["Labels"] == Json{{"old", "1"}, {"new", "2"}});
  CHECK(after["ExposedPorts"].size() == 3);
  CHECK(after["ExposedPorts"].contains("53/udp"));
  CHECK(after["Volumes"].size() == 4);
  CHECK(after["Volumes"].contains("/a b"));
}

TEST_CASE("a relative working directory begins at the one before") {
  CHECK(changed({}, {"WORKDIR srv"})["WorkingDir"] == "/srv");
  CHECK(changed({}, {"WORKDIR /srv", "WORKDIR web", "WORKDIR log"})["WorkingDir"] == "/srv/web/log");
  CHECK(changed({{"WorkingDir", "/old"}}, {"WORKDIR /new"})["WorkingDir"] == "/new");
}

TEST_CASE("a configuration with other things in these places is not trusted to be as it should") {
  const Json odd{{"Env", "text"}, {"Labels", list({"x"})}, {"WorkingDir", 7}, {"Volumes", nullptr}};
  const Json after = changed(odd, {"ENV A=1", "LABEL a=b", "WORKDIR x", "VOLUME /v"});
  CHECK(after["Env"] == list({"A=1"}));
  CHECK(after["Labels"] == Json{{"a", "b"}});
  CHECK(after["WorkingDir"] == "/x");
  CHECK(changed(nullptr, {"USER web:web"})["User"] == "web:web");
}

TEST_CASE("what is no instruction is quoted and refused") {
  for (const char* bad : {"", "RUN true", "CMD", "ENV", "ENV A", "ENV =x", "ENV A=1 B", "LABEL 'a",
                          "EXPOSE 0", "EXPOSE 65536", "EXPOSE 80/icmp", "EXPOSE eighty", "CMD["}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH(changed({}, {bad}), Catch::Contains(std::string("--change '") + bad + "'"));
  }
}
