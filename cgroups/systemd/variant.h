#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Values of D-Bus properties as text, in GVariant's form: what annotations org.systemd.property.* hold.
/// Source: GLib's "GVariant Text Format", without its dictionaries, variants, maybes and byte strings.
namespace trine::cgroups::systemd {

struct Variant {
  std::string type;  ///< a complete D-Bus type: "t", "as", "a(ss)"
  std::variant<bool, std::uint64_t, std::int64_t, double, std::string, std::vector<Variant>> value;
};

/// Reads "true", "5", "uint64 5", "@t 5", "1.5", "'a'", "\"a\"", "['a', 'b']", "[('a', 'b')]", "@as []". A
/// number without a type is an int32 or a double, as in GVariant. At most 64 KiB and 8 levels deep. The error
/// says what is wrong and where.
std::expected<Variant, std::string> parse_variant(std::string_view text);

/// `text` in quotes.
std::string quote(std::string_view text);

/// How long the first complete type of a signature is; 0 when there is none.
std::size_t type_length(std::string_view signature);

}  // namespace trine::cgroups::systemd
