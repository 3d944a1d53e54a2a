#include "policy.h"

#include "payload.h"

// What an administrator writes, and what strangers put into a registry beside an image.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine::images;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto attempt = [&](auto parse) {
    try {
      parse();
    } catch (const trine::base::Error&) {
    }
  };
  attempt([&] {
    const SignaturePolicy policy = SignaturePolicy::parse(text, "fuzz");
    (void)policy.for_docker(parse_reference("a.b.example:5000/team/web:1"));
    (void)policy.for_path("oci", "/srv/images/web", "1");
    refuse_outright(policy.for_transport("docker"), "fuzz");
  });
  attempt([&] { (void)parse_signature_manifest(text); });
  attempt([&] {
    const SignedPayload payload = parse_payload(text);
    const Reference image = parse_reference("h.example/web:1");
    for (const auto match : {SignedIdentity::Match::kExact, SignedIdentity::Match::kRepoDigestOrExact,
                             SignedIdentity::Match::kRepository})
      (void)accepts({.match = match}, image, payload.docker_reference);
    const SignedIdentity remap{
        .match = SignedIdentity::Match::kRemap, .value = "h.example", .signed_prefix = "far.example"};
    (void)accepts(remap, image, payload.docker_reference);
  });
  return 0;
}
