#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What an unpacked kernel tells of itself, for one that comes without the folder of its modules.
namespace trine::hvm {

/// The release that the kernel says at its boot: "6.1.192-trine". It is fit for the name of a file. The
/// error says what is wrong with the kernel.
std::expected<std::string, std::string> kernel_release(std::span<const std::byte> kernel);

/// The configuration that the kernel was built with, which CONFIG_IKCONFIG=y puts into it. The error says
/// that there is none, or that it is damaged. Source: Linux kernel/configs.c, scripts/extract-ikconfig.
std::expected<std::string, std::string> embedded_config(std::span<const std::byte> kernel);

/// Which of the wanted options ("VIRTIO_BLK") are not built in, in their order. A module is not.
std::vector<std::string> not_built_in(std::string_view config, std::span<const std::string_view> wanted);

}  // namespace trine::hvm
