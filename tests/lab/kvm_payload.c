/* Makes a virtual machine through /dev/kvm, runs a payload of a few instructions in it, and checks what comes out.
 *
 * The payload adds two numbers that it is given in registers, writes the sum as a character to a device (x86: an I/O
 * port; arm64: an address without memory), and stops. Exits with 0 when the device got the character and the machine
 * stopped, with 77 when there is no /dev/kvm, else with 1. Source: Linux Documentation/virt/kvm/api.rst. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { kMemory = 0x10000, kEntry = 0x1000, kMostExits = 16, kSkip = 77 };

static void die(const char *what) {
  fprintf(stderr, "kvm_payload: cannot %s: %s\n", what, strerror(errno));
  exit(1);
}

static int call(int fd, unsigned long request, void *argument, const char *what) {
  const int result = ioctl(fd, request, argument);
  if (result < 0) die(what);
  return result;
}

#if defined(__x86_64__)

enum { kBase = 0, kPort = 0x3f8 };

static const uint8_t kPayload[] = {
    0xba, 0xf8, 0x03, /* mov $0x3f8, %dx */
    0x00, 0xd8,       /* add %bl, %al */
    0xee,             /* out %al, (%dx) */
    0xf4,             /* hlt */
};

static void set_up(int vm, int vcpu) {
  (void)vm;
  struct kvm_sregs special;
  call(vcpu, KVM_GET_SREGS, &special, "read the segments");
  special.cs.base = 0;
  special.cs.selector = 0;
  call(vcpu, KVM_SET_SREGS, &special, "set the segments");
  struct kvm_regs registers = {.rip = kEntry, .rax = 'A', .rbx = 2, .rflags = 2};
  call(vcpu, KVM_SET_REGS, &registers, "set the registers");
}

/* The character that the exit hands to the device, or -1. */
static int written(const struct kvm_run *run) {
  if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT || run->io.port != kPort) return -1;
  return ((const uint8_t *)run)[run->io.data_offset];
}

static int stopped(const struct kvm_run *run) { return run->exit_reason == KVM_EXIT_HLT; }

#elif defined(__aarch64__)

enum { kBase = 0x40000000, kDevice = 0x09000000 };

static const uint32_t kPayload[] = {
    0x0b010000, /* add w0, w0, w1 */
    0x39000040, /* strb w0, [x2] */
    0xd2800100, /* mov x0, #8: with the next line PSCI's SYSTEM_OFF, 0x84000008 */
    0xf2b08000, /* movk x0, #0x8400, lsl #16 */
    0xd4000002, /* hvc #0 */
};

static void set_register(int vcpu, uint64_t index, uint64_t value) {
  struct kvm_one_reg reg = {
      .id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | index, /* in words of 32 bits */
      .addr = (uint64_t)&value,
  };
  call(vcpu, KVM_SET_ONE_REG, &reg, "set a register");
}

static void set_up(int vm, int vcpu) {
  struct kvm_vcpu_init init;
  call(vm, KVM_ARM_PREFERRED_TARGET, &init, "ask for the processor's kind");
  init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
  call(vcpu, KVM_ARM_VCPU_INIT, &init, "initialise the processor");
  set_register(vcpu, offsetof(struct kvm_regs, regs.regs[0]) / sizeof(uint32_t), 'A');
  set_register(vcpu, offsetof(struct kvm_regs, regs.regs[1]) / sizeof(uint32_t), 2);
  set_register(vcpu, offsetof(struct kvm_regs, regs.regs[2]) / sizeof(uint32_t), kDevice);
  set_register(vcpu, offsetof(struct kvm_regs, regs.pc) / sizeof(uint32_t), kBase + kEntry);
}

static int written(const struct kvm_run *run) {
  if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write || run->mmio.phys_addr != kDevice) return -1;
  return run->mmio.data[0];
}

static int stopped(const struct kvm_run *run) {
  return run->exit_reason == KVM_EXIT_SYSTEM_EVENT && run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN;
}

#else
#error "no payload for this architecture"
#endif

int main(void) {
  const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0 && (errno == ENOENT || errno == ENODEV)) {
    puts("skipped: this machine has no /dev/kvm");
    return kSkip;
  }
  if (kvm < 0) die("open /dev/kvm");
  if (call(kvm, KVM_GET_API_VERSION, NULL, "ask for the version") != KVM_API_VERSION) die("use this version of KVM");

  const int vm = call(kvm, KVM_CREATE_VM, NULL, "make a machine");
  uint8_t *memory = mmap(NULL, kMemory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) die("map memory");
  memcpy(memory + kEntry, kPayload, sizeof kPayload);
  struct kvm_userspace_memory_region region = {
      .guest_phys_addr = kBase,
      .memory_size = kMemory,
      .userspace_addr = (uint64_t)memory,
  };
  call(vm, KVM_SET_USER_MEMORY_REGION, &region, "give it memory");

  const int vcpu = call(vm, KVM_CREATE_VCPU, NULL, "make a processor");
  const int size = call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "ask for the size of the run structure");
  struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (run == MAP_FAILED) die("map the run structure");
  set_up(vm, vcpu);

  int character = -1;
  for (int exits = 0; exits < kMostExits; exits++) {
    call(vcpu, KVM_RUN, NULL, "run the processor");
    if (stopped(run)) {
      printf("the payload wrote '%c' and stopped\n", character);
      return character == 'C' ? 0 : 1;
    }
    if (written(run) < 0) {
      fprintf(stderr, "kvm_payload: the processor left for the unexpected reason %u\n", run->exit_reason);
      return 1;
    }
    character = written(run);
  }
  fprintf(stderr, "kvm_payload: the payload did not stop\n");
  return 1;
}
