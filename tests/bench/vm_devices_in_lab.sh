#!/usr/bin/env bash
# The part of vm_devices.sh that runs in the lab: vm_devices_in_lab.sh DIRECTORY FILES MONITORS [ROUNDS [KIND...]]
. "$(dirname "$0")/../lib/harness.sh"
given=$1
files=$2
read -ra monitors <<<"$3"
rounds=${4:-1}
kinds=("${@:5}")
((${#kinds[@]})) || kinds=(block net fs)
load=$build/tests/bin/device_load
qemu_machine=microvm,x-option-roms=off,pit=off,pic=off,rtc=off,isa-serial=on
command_line="console=ttyS0 quiet panic=-1 reboot=t pci=off tsc=reliable random.trust_cpu=on cryptomgr.notests \
initcall_blacklist=load_system_certificate_list,ftrace_check_for_weak_functions,trace_eval_init"
kernel=$given/vmlinux

# The guest: busybox as the first program, which loads drivers and tells what it measured.
mkdir -p "$work/root"/{bin,dev,proc,mnt}
cp "$(command -v busybox)" "$load" "$work/root/bin/"
cp -r "$given/modules" "$work/root/"
cat >"$work/root/init" <<'END'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
while read -r module; do $b insmod "/modules/$module"; done </modules/order
kinds=$($b sed 's/.*kinds=\([^ ]*\).*/\1/' /proc/cmdline)
for kind in $(echo "$kinds" | $b tr , ' '); do
  case $kind in
    block) /bin/device_load block /dev/vda ;;
    net)
      $b ip addr add 10.99.0.2/24 dev eth0
      $b ip link set eth0 up
      /bin/device_load net 10.99.0.1 7000
      ;;
    fs)
      $b mount -t virtiofs share /mnt 2>/dev/null || $b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 share /mnt
      /bin/device_load walk /mnt
      ;;
  esac
done >/dev/ttyS0 2>&1
echo the-end >/dev/ttyS0
while :; do $b sleep 1000; done
END
chmod +x "$work/root/init"
mknod -m 600 "$work/root/dev/console" c 5 1
(cd "$work/root" && find . | cpio -o -H newc --quiet) >"$work/initramfs"

# Its far sides: a file, a tap, and a tree with 100 files of 1,000 bytes in each directory.
head -c 64M /dev/urandom >"$work/disk"
modprobe tun
ip tuntap add bench0 mode tap vnet_hdr
ip addr add 10.99.0.1/24 dev bench0
ip link set bench0 up
"$load" serve 7000 &
server=$!
mkdir "$work/tree"
perl -e 'my ($tree, $files) = @ARGV;
  for (0 .. $files - 1) {
    my $directory = "$tree/" . int($_ / 100);
    mkdir $directory if $_ % 100 == 0;
    open my $file, ">", "$directory/a-file-$_";
    print $file "x" x 1000
  }' "$work/tree" "$files"
find "$work/tree" -type f -exec cat {} + >/dev/null # all that is measured is in the host's memory
head -c 64M /dev/zero | dd of="$work/disk" bs=1M conv=notrunc status=none # the first to write it pays for more

words="$command_line kinds=$(IFS=,; echo "${kinds[*]}")"
run_trine() {
  exec "$load" tap bench0 "$build/bin/trine-vmm" --kernel "$kernel" --initramfs "$work/initramfs" --memory 256m --command-line "$words" \
    --disk "$work/disk" --net fd:3,mac=02:00:00:00:00:02 --share "$work/tree,tag=share" --console /dev/stdout
}
run_qemu() {
  exec "$load" tap bench0 qemu-system-x86_64 -M $qemu_machine -accel kvm -cpu host -m 256 -nodefaults -no-user-config -nographic -no-reboot \
    -kernel "$kernel" -initrd "$work/initramfs" -append "$words" -serial stdio \
    -drive "if=none,id=disk,format=raw,file=$work/disk" -device virtio-blk-device,drive=disk \
    -netdev tap,id=net,fd=3 -device virtio-net-device,netdev=net,mac=02:00:00:00:00:02 \
    -fsdev "local,id=fs,path=$work/tree,security_model=none" -device virtio-9p-device,fsdev=fs,mount_tag=share </dev/null
}
# exits: how often the guests have left so far, and for what, where the kernel counts that.
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
exits() { cat /sys/kernel/debug/kvm/exits; }

# measure MONITOR: lines "MONITOR NAME VALUE", into $work/figures.
measure() {
  local text before pid
  before=$(exits)
  exec {out}< <("run_$1" 2>&1)
  pid=$!
  while read -r -t 1000 text <&"$out"; do
    text=${text%$'\r'}
    case $text in
      "result "*) echo "$1 ${text#result }" | tee -a "$work/figures" >&2 ;;
      the-end) break ;;
      *) echo "$1: $text" >>"$work/said" ;;
    esac
  done
  [[ $text == the-end ]] || { echo "the guest of $1 did not come to its end:"; cat "$work/said"; exit 1; }
  echo "$1 exits-in-all $(($(exits) - before))" >>"$work/figures"
  kill -KILL "$pid"
  while read -r -t 60 text <&"$out"; do :; done
  exec {out}<&-
}
for ((round = 0; round < rounds; round++)); do
  for monitor in "${monitors[@]}"; do measure "$monitor"; done
  mapfile -t monitors < <(printf '%s\n' "${monitors[@]}" | tac)
done
kill $server
perl -e '
  while (<>) { my ($monitor, $name, $value) = split; push @order, $name unless $seen{$name}++; push @{$all{$name}{$monitor}}, $value }
  sub median { my @sorted = sort { $a <=> $b } @{$_[0] // [0]}; $sorted[$#sorted / 2] }
  printf "%-28s %12s %12s %8s\n", "", "trine", "qemu", "ratio";
  for (@order) { my ($t, $q) = (median($all{$_}{trine}), median($all{$_}{qemu})); printf "%-28s %12.1f %12.1f %8.2f\n", $_, $t, $q, $q ? $t / $q : 0 }' "$work/figures"
