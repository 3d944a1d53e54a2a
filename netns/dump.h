#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "netlink.h"

/// What the kernel answers when it is asked for all it has of a kind.
namespace trine::netns {

/// One message of a dump, which is the kernel's.
class Message {
 public:
  Message(const nlmsghdr* header, std::size_t fixed)
      : header_(const_cast<nlmsghdr*>(header)), fixed_(fixed) {}

  template <typename Header>
  [[nodiscard]] const Header& as() const {
    return *static_cast<const Header*>(nlmsg_data(header_));
  }
  [[nodiscard]] bool has(int attribute) const { return find(attribute) != nullptr; }
  [[nodiscard]] std::string bytes(int attribute) const {
    const nlattr* found = find(attribute);
    if (found == nullptr)
      return {};
    return {static_cast<const char*>(nla_data(found)), static_cast<std::size_t>(nla_len(found))};
  }
  /// Without the zero that ends it.
  [[nodiscard]] std::string text(int attribute) const {
    std::string value = bytes(attribute);
    while (value.ends_with('\0'))
      value.pop_back();
    return value;
  }
  [[nodiscard]] std::uint32_t number(int attribute, std::uint32_t otherwise) const {
    const nlattr* found = find(attribute);
    return found != nullptr && nla_len(found) >= static_cast<int>(sizeof(std::uint32_t)) ? nla_get_u32(found)
                                                                                         : otherwise;
  }

 private:
  [[nodiscard]] const nlattr* find(int attribute) const {
    return nlmsg_find_attr(header_, static_cast<int>(fixed_), attribute);
  }
  nlmsghdr* header_;
  std::size_t fixed_;
};

template <typename Header, typename Visit>
void dump(const Socket& socket, int type, const std::string& what, Visit visit) {
  Request request(type, NLM_F_DUMP);
  request.header(Header{});
  socket.dump(request, "cannot read the " + what + " of the network namespace", [&](const nlmsghdr* header) {
    // What is asked for is the number after the answer's.
    if (header->nlmsg_type == type - 2)
      visit(Message(header, sizeof(Header)));
  });
}

}  // namespace trine::netns
