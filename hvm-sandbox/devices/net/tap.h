#pragma once

namespace trine::hvm {

/// Makes a descriptor of /dev/net/tun what a Net takes: it never blocks, and packets stand behind virtio's
/// header. Throws base::Error when it is no tap with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR.
/// Source: Linux Documentation/networking/tuntap.rst, virtio 1.2 §5.1.6.
void prepare_tap(int tap);

}  // namespace trine::hvm
