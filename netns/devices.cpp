#include "netns/devices.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <cerrno>
#include <memory>
#include <set>

#include "base/error.h"
#include "enter.h"
#include "netlink.h"

namespace trine::netns {
namespace {

/// An address as the kernel has told it, to be told back.
struct Address {
  ifaddrmsg header{};
  std::vector<std::pair<int, std::string>> attributes;
};

/// What of an address is its own, and not its interface's.
constexpr std::array kKept{IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_ANYCAST, IFA_RT_PRIORITY};
/// What an address was told to be; the rest is what became of it.
constexpr std::uint32_t kKeptFlags =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

std::uint32_t flags_of(const nlmsghdr* message, const ifaddrmsg& header) {
  const nlattr* flags = nlmsg_find_attr(const_cast<nlmsghdr*>(message), sizeof header, IFA_FLAGS);
  return flags != nullptr ? nla_get_u32(flags) : header.ifa_flags;
}

std::vector<Address> permanent_addresses(const Socket& socket, int index, const std::string& name) {
  ifaddrmsg all{};
  all.ifa_family = AF_UNSPEC;
  Request request(RTM_GETADDR, NLM_F_DUMP);
  request.header(all);
  std::vector<Address> addresses;
  socket.dump(request, "cannot read the addresses of " + name, [&](const nlmsghdr* message) {
    if (message->nlmsg_type != RTM_NEWADDR)
      return;
    Address address;
    address.header = *static_cast<const ifaddrmsg*>(nlmsg_data(message));
    const std::uint32_t flags = flags_of(message, address.header);
    if (static_cast<int>(address.header.ifa_index) != index ||
        address.header.ifa_scope != RT_SCOPE_UNIVERSE || (flags & IFA_F_PERMANENT) == 0) {
      return;
    }
    for (const int type : kKept) {
      const nlattr* found = nlmsg_find_attr(const_cast<nlmsghdr*>(message), sizeof address.header, type);
      if (found != nullptr)
        address.attributes.emplace_back(type, std::string(static_cast<const char*>(nla_data(found)),
                                                          static_cast<std::size_t>(nla_len(found))));
    }
    const std::uint32_t kept = flags & kKeptFlags;
    address.attributes.emplace_back(IFA_FLAGS,
                                    std::string(reinterpret_cast<const char*>(&kept), sizeof kept));
    address.header.ifa_flags = 0;
    addresses.push_back(std::move(address));
  });
  return addresses;
}

/// Of the calling thread's network namespace.
std::set<unsigned> interfaces() {
  struct Free {
    void operator()(struct if_nameindex* list) const { if_freenameindex(list); }
  };
  const std::unique_ptr<struct if_nameindex, Free> list(if_nameindex());
  if (!list)
    base::throw_errno("cannot list the network interfaces of the container");
  std::set<unsigned> indexes;
  for (const struct if_nameindex* entry = list.get(); entry->if_index != 0; ++entry)
    indexes.insert(entry->if_index);
  return indexes;
}

/// The index that the interface has in the calling thread's namespace, where it has just come.
int arrived(const std::set<unsigned>& before, const std::string& name) {
  for (const unsigned index : interfaces()) {
    if (!before.contains(index))
      return static_cast<int>(index);
  }
  throw base::Error("cannot find the network interface " + name + " in the container");
}

void move_link(const Socket& host, int index, const DeviceMove& device, int target) {
  ifinfomsg link{};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = index;
  const std::string& name = device.name.empty() ? device.host_name : device.name;
  Request request(RTM_NEWLINK, 0);
  request.header(link).add(IFLA_NET_NS_FD, static_cast<std::uint32_t>(target)).add(IFLA_IFNAME, name);
  host.transact(request,
                "cannot move the network interface " + device.host_name + " into the container as " + name);
}

void add_address(const Socket& socket, Address address, int index, const std::string& name) {
  address.header.ifa_index = static_cast<std::uint32_t>(index);
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  request.header(address.header);
  for (const auto& [type, value] : address.attributes)
    request.add_bytes(type, value);
  socket.transact(request, "cannot give the network interface " + name + " its address back");
}

void set_up(const Socket& socket, int index, const std::string& name) {
  ifinfomsg link{};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = index;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, 0);
  request.header(link);
  socket.transact(request, "cannot bring up the network interface " + name);
}

/// On a thread that is in the target namespace; `host` is a socket of the other.
void move_device(const Socket& host, const DeviceMove& device, int index, int target) {
  const auto addresses = permanent_addresses(host, index, device.host_name);
  const auto before = interfaces();
  // The kernel would move it first and refuse the name then.
  const std::string& name = device.name.empty() ? device.host_name : device.name;
  if (if_nametoindex(name.c_str()) != 0)
    throw base::Error(
        "cannot move the network interface " + device.host_name + " into the container as " + name, EEXIST,
        "give it another name, or one with %d in it");
  move_link(host, index, device, target);
  const int inside = arrived(before, device.host_name);
  const Socket socket(NETLINK_ROUTE);
  for (const auto& address : addresses)
    add_address(socket, address, inside, device.host_name);
  set_up(socket, inside, device.host_name);
}

}  // namespace

void move_devices(const std::vector<DeviceMove>& devices, int target) {
  const Socket host(NETLINK_ROUTE);
  std::vector<int> indexes;
  for (const auto& device : devices) {
    const unsigned index = if_nametoindex(device.host_name.c_str());
    if (index == 0)
      base::throw_errno("cannot move the network interface " + device.host_name + " into the container");
    indexes.push_back(static_cast<int>(index));
  }
  in_namespace(target, [&] {
    for (std::size_t i = 0; i < devices.size(); ++i)
      move_device(host, devices[i], indexes[i], target);
  });
}

}  // namespace trine::netns
