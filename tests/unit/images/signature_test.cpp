#include <catch2/catch.hpp>

#include "base/error.h"
#include "base64.h"
#include "identity.h"
#include "payload.h"
#include "public_key.h"
#include "scratch.h"
#include "signed_texts.h"
#include "verifier.h"

using namespace trine;
using namespace trine::images;
using namespace trine::test;
using Match = SignedIdentity::Match;

namespace {

FoundSignature found(const std::string& signature, const std::string& text = kSignedText) {
  return {.payload = text, .signature = base64_decode(signature).value()};
}

PolicySection section(std::vector<std::string> keys, SignedIdentity identity = {}) {
  PolicyRequirement requirement{.kind = PolicyRequirement::Kind::kSigned,
                                .key_texts = keys,
                                .key_places = std::vector<std::string>(keys.size(), "$.key"),
                                .identity = std::move(identity)};
  return {.place = "policy.json: $.default", .requirements = {requirement}};
}

std::vector<Verified> verify(const PolicySection& policy, const std::vector<FoundSignature>& signatures,
                             const std::string& image = "h.example/web:1",
                             const std::string& digest = kSignedDigest) {
  return verify_signatures(policy, parse_reference(image), digest, {.signatures = signatures}, "cannot pull");
}
/// Why not; empty when it is verified.
std::string refusal(const PolicySection& policy, const std::vector<FoundSignature>& signatures,
                    const std::string& image = "h.example/web:1", const std::string& digest = kSignedDigest) {
  try {
    (void)verify(policy, signatures, image, digest);
    return {};
  } catch (const NotAllowed& error) {
    return error.what();
  }
}

std::string key_fault(const std::string& pem) {
  try {
    (void)PublicKey::from_pem(pem, "key");
    return {};
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a key of each kind verifies what it signed, and nothing else") {
  struct Row {
    std::string key;
    std::string signature;
  };
  const auto row = GENERATE(values<Row>({{kP256Key, kP256Signature},
                                         {kP384Key, kP384Signature},
                                         {kP521Key, kP521Signature},
                                         {kRsaKey, kRsaSignature},
                                         {kRsaKey, kRsaPssSignature},
                                         {kRsaPkcs1Key, kRsaSignature},
                                         {kEd25519Key, kEd25519Signature}}));
  const PublicKey key = PublicKey::from_pem(row.key, "key");
  const std::string signature = base64_decode(row.signature).value();
  CHECK(key.verifies(kSignedText, signature));
  CHECK_FALSE(key.verifies(kSignedText + " ", signature));
  CHECK_FALSE(key.verifies(kSignedText, signature.substr(1)));
  CHECK_FALSE(key.verifies(kSignedText, signature + '\0'));
  CHECK_FALSE(key.verifies(kSignedText, ""));
  for (const auto& other : {kP256Signature, kP384Signature, kRsaSignature, kEd25519Signature}) {
    if (other != row.signature && row.signature != kRsaPssSignature)
      CHECK_FALSE(key.verifies(kSignedText, base64_decode(other).value()));
  }
}

TEST_CASE("a key's fingerprint is that of its DER") {
  CHECK(PublicKey::from_pem(kP256Key, "key").fingerprint() ==
        "SHA256:7259d3a5cd7ff0e0621c734391fce2ca014e163227d8730615b3fee82c14fb6f");
  CHECK(PublicKey::from_pem(kRsaKey, "key").fingerprint() ==
        PublicKey::from_pem(kRsaPkcs1Key, "key").fingerprint());
}

TEST_CASE("what is no key of a kind that is taken is refused") {
  CHECK_THAT(key_fault(""), Catch::Matchers::Contains("is no PEM"));
  CHECK_THAT(key_fault(kP256Key + kP384Key), Catch::Matchers::Contains("more than one key"));
  CHECK_THAT(key_fault(kKoblitzKey), Catch::Matchers::Contains("curve"));
  CHECK_THAT(key_fault(kWeakRsaKey), Catch::Matchers::Contains("1024 bits"));
  CHECK_THAT(key_fault("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
             Catch::Matchers::Contains("no PUBLIC KEY"));
  CHECK_THAT(key_fault("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
             Catch::Matchers::Contains("damaged"));
}

TEST_CASE("one good signature among others is enough, and tells what was verified") {
  const auto verified = verify(section({kP384Key, kP256Key}),
                               {found(kRsaSignature), found(kP256Signature, "{}"), found(kP256Signature)});
  REQUIRE(verified.size() == 1);
  CHECK(verified[0].signed_as == "h.example/web:1");
  CHECK(verified[0].fingerprint == PublicKey::from_pem(kP256Key, "").fingerprint());
}

TEST_CASE("a signature that does not count says why") {
  const std::string other = "sha256:" + std::string(64, 'b');
  CHECK_THAT(refusal(section({kP256Key}), {}), Catch::Matchers::Contains("it has none"));
  CHECK_THAT(refusal(section({kP384Key}), {found(kP256Signature)}), Catch::Matchers::Contains("not made by"));
  CHECK_THAT(refusal(section({kP256Key}), {found(kP256Signature)}, "h.example/web:1", other),
             Catch::Matchers::Contains("not for " + other));
  CHECK_THAT(refusal(section({kP256Key}), {found(kP256Signature)}, "h.example/web:2"),
             Catch::Matchers::Contains("'h.example/web:1', which does not fit"));
  CHECK_THAT(refusal(section({kP256Key}), {found(kP256Signature)}, "h.example/other:1"),
             Catch::Matchers::Contains("does not fit"));
  CHECK(refusal(section({kP256Key}), {found(kP256Signature)}).empty());
}

TEST_CASE("every requirement needs a signature") {
  PolicySection both = section({kP256Key});
  both.requirements.push_back(section({kEd25519Key}).requirements.front());
  CHECK_FALSE(refusal(both, {found(kP256Signature)}).empty());
  CHECK(verify(both, {found(kP256Signature), found(kEd25519Signature)}).size() == 2);
  both.requirements.push_back({.kind = PolicyRequirement::Kind::kReject});
  CHECK_FALSE(refusal(both, {found(kP256Signature), found(kEd25519Signature)}).empty());
}

TEST_CASE("whom a signature is for decides as the policy says") {
  const std::string digest = "@" + kSignedDigest;
  struct Row {
    SignedIdentity identity;
    std::string image, signed_for;
    bool fits;
  };
  const SignedIdentity exact{.match = Match::kExact};
  const SignedIdentity usual{};
  const SignedIdentity repository{.match = Match::kRepository};
  const SignedIdentity reference{.match = Match::kExactReference, .value = "h.example/web:1"};
  const SignedIdentity elsewhere{.match = Match::kExactRepository, .value = "far.example/web"};
  const SignedIdentity remap{
      .match = Match::kRemap, .value = "h.example/mirror", .signed_prefix = "far.example"};
  const std::vector<Row> rows{
      {exact, "h.example/web:1", "h.example/web:1", true},
      {exact, "h.example/web:1", "h.example/web:2", false},
      {exact, "h.example/web:1", "h.example/web", false},
      {exact, "h.example/web", "h.example/web", false},
      {exact, "h.example/web" + digest, "h.example/web:1", false},
      {exact, "h.example/web" + digest, "h.example/web" + digest, true},
      {exact, "alpine", "docker.io/library/alpine:latest", true},
      {exact, "alpine", "alpine:latest", true},
      {exact, "h.example/web:1" + digest, "h.example/web" + digest, true},
      {usual, "h.example/web:1", "h.example/web:1", true},
      {usual, "h.example/web:1", "h.example:80/web:1", false},
      {usual, "h.example/web:1", "h.example/web", false},
      {usual, "h.example/web:1", "h.example/web" + digest, false},
      {usual, "h.example/web" + digest, "h.example/web:7", true},
      {usual, "h.example/web:1" + digest, "h.example/web:7", true},
      {usual, "h.example/web" + digest, "h.example/web", false},
      {usual, "h.example/web" + digest, "h.example/other:7", false},
      {repository, "h.example/web:1", "h.example/web", true},
      {repository, "h.example/web:1", "h.example/web:2", true},
      {repository, "h.example/web:1", "h.example/we", false},
      {repository, "h.example/web:1", "h.example/web/web", false},
      {repository, "h.example/web:1", "", false},
      {repository, "h.example/web:1", "h.example/WEB", false},
      {reference, "far.example/x:2", "h.example/web:1", true},
      {reference, "h.example/web:2", "h.example/web:2", false},
      {reference, "h.example/web:1", "h.example/web", false},
      {elsewhere, "h.example/x:1", "far.example/web", true},
      {elsewhere, "h.example/x:1", "far.example/web:5", true},
      {elsewhere, "h.example/x:1", "h.example/x:1", false},
      {remap, "h.example/mirror/web:1", "far.example/web:1", true},
      {remap, "h.example/mirror/web:1", "h.example/mirror/web:1", false},
      {remap, "h.example/mirror/web:1", "far.example/web:2", false},
      {remap, "h.example/mirror/web" + digest, "far.example/web:2", true},
      {remap, "h.example/mirrored/web:1", "h.example/mirrored/web:1", true},
      {remap, "h.example/mirrored/web:1", "far.exampleed/web:1", false},
      {remap, "h.example/mirror:1", "far.example:1", false},
  };
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.identity.match), row.image, row.signed_for);
    CHECK(accepts(row.identity, parse_reference(row.image), row.signed_for) == row.fits);
  }
}

TEST_CASE("a signed text is taken as it is meant, or not at all") {
  const SignedPayload payload = parse_payload(kSignedText);
  CHECK(payload.manifest_digest == kSignedDigest);
  CHECK(payload.docker_reference == "h.example/web:1");
  struct Row {
    const char* from;
    const char* to;
  };
  // Each of these makes it another.
  const auto row = GENERATE(values<Row>({{"\"optional\":null", "\"optional\":1"},
                                         {",\"optional\":null", ""},
                                         {"\"optional\":null", "\"optional\":null,\"more\":1"},
                                         {"cosign container", "atomic container"},
                                         {"\"critical\":{", "\"critical\":{\"more\":1,"},
                                         {"\"image\":{", "\"image\":{\"more\":1,"},
                                         {"\"identity\":{", "\"identity\":{\"more\":1,"},
                                         {"\"identity\":{", "\"identity\":{\"docker-reference\":\"a:1\","},
                                         {"\"h.example/web:1\"", "1"},
                                         {"sha256:aa", "sha256:a"},
                                         {"sha256:aa", "sha256:AA"},
                                         {"{\"critical\"", "[{\"critical\""}}));
  std::string text = kSignedText;
  text.replace(text.find(row.from), std::string(row.from).size(), row.to);
  CAPTURE(text);
  CHECK_THROWS_AS(parse_payload(text), base::Error);
  text = kSignedText;
  text.replace(text.find("null"), 4, R"({"creator": "x", "timestamp": 1, "more": [1]})");
  CHECK_NOTHROW(parse_payload(text));
}

TEST_CASE("of a signatures' manifest what is no signature is passed over, and told") {
  const std::string good = R"({"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "size": 9,
    "digest": ")" + kSignedDigest +
                           R"(", "annotations": {"dev.cosignproject.cosign/signature": "eA=="}})";
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  const auto parse = [](const std::string& layers) {
    return parse_signature_manifest(R"({"schemaVersion": 2, "layers": [)" + layers + "]}");
  };
  const auto manifest = parse(good + "," + changed("simplesigning", "dsse") + "," +
                              changed(": 9", ": 99999") + "," + changed("eA==", "eA") + "," +
                              changed("signature\"", "x\"") + "," + changed("sha256:", "sha256:../") + ", 1");
  REQUIRE(manifest.layers.size() == 1);
  CHECK(manifest.layers[0].signature == "x");
  CHECK(manifest.layers[0].size == 9);
  CHECK(manifest.passed_over.size() == 6);
  CHECK_THROWS_AS(parse_signature_manifest(R"({"layers": [], "manifests": []})"), base::Error);
  CHECK_THROWS_AS(parse_signature_manifest(R"({"layers": {}})"), base::Error);
  CHECK_THROWS_AS(parse_signature_manifest("[]"), base::Error);
  std::string many = good;
  for (std::size_t i = 0; i < kMaxSignatures; ++i)
    many += "," + good;
  CHECK(parse(many).layers.size() == kMaxSignatures);
  CHECK(parse(many).passed_over.size() == 1);
}

TEST_CASE("a signature's tag is its image's digest in words that a tag may have") {
  CHECK(signature_tag("sha256:ab") == "sha256-ab.sig");
}
