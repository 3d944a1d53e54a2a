#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// The few words of ACPI machine language that the DSDT needs: each function gives the bytes of one term.
/// Source: ACPI 6.5 §20.2.
namespace trine::hvm::x86::aml {

std::string scope(std::string_view name, std::string_view body);
std::string device(std::string_view name, std::string_view body);
std::string name(std::string_view name, std::string_view value);
std::string integer(std::uint32_t value);
std::string text(std::string_view value);
std::string package(std::initializer_list<std::string> values);
/// "PNP0501" as the compressed number that it stands for.
std::string eisa_id(std::string_view id);

/// A buffer of resource descriptors, which get their end tag here.
std::string resources(std::string_view descriptors);
std::string memory32(std::uint32_t address, std::uint32_t size);
std::string ports(std::uint16_t first, std::uint8_t count);
/// Edge-triggered, active high; more than one device may have it.
std::string interrupt(std::uint32_t number);

}  // namespace trine::hvm::x86::aml
