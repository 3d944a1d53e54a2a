#!/bin/busybox sh
# shellcheck shell=dash
# The first program of the machine, in its initramfs: mounts the root from 9p under a tmpfs and enters it.
# shellcheck disable=SC2154 # the plan sets mode, release, systemd, checkout, shares
B=/bin/busybox
share="trans=virtio,version=9p2000.L,msize=512000"

fail() { echo "lab: cannot $1"; $B poweroff -f; }

$B mkdir -p /proc /sys /dev /control /ro /rw /root
$B mount -t proc proc /proc
$B mount -t sysfs sysfs /sys
$B mount -t devtmpfs dev /dev
while read -r module; do $B insmod "/modules/$module" || echo "lab: cannot load $module" >/dev/kmsg; done </modules/order

$B mount -t 9p -o "$share,cache=none" control /control || fail "mount the control directory"
. /control/plan
# overlay TAG DIRECTORY: a directory of the build machine, with what is written to it in memory.
overlay() {
  $B mkdir -p "/ro/$1" "/rw/$1/upper" "/rw/$1/work" "$2"
  $B mount -t 9p -o "$share,cache=loose,ro" "$1" "/ro/$1" || fail "mount $1 from the build machine"
  $B mount -t overlay -o "lowerdir=/ro/$1,upperdir=/rw/$1/upper,workdir=/rw/$1/work" overlay "$2" || fail "mount the overlay of $1"
}
$B mount -t tmpfs -o mode=755,size=75% tmpfs /rw
$B mkdir /rw/disk
overlay root /root
for d in proc sys dev; do $B mkdir -p "/root/$d"; $B mount --move "/$d" "/root/$d"; done

cd /root || fail "enter the root"
$B mkdir -p dev/pts dev/shm dev/mqueue dev/net dev/hugepages lab run tmp var/tmp "lib/modules/$release"
$B mount -t tmpfs -o mode=755 tmpfs run
$B mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts dev/pts
$B mount -t tmpfs -o mode=1777 tmpfs dev/shm
$B mount -t mqueue mqueue dev/mqueue
$B mount -t hugetlbfs hugetlbfs dev/hugepages
$B mount -t bpf bpf sys/fs/bpf
$B mount -t securityfs securityfs sys/kernel/security
$B mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 sys/fs/cgroup || fail "mount cgroup2"
# An overlay cannot be the upper layer of another: where engines and users write lies on the disk.
$B mount -t ext4 dev/vda /rw/disk || fail "mount the disk"
for d in tmp var/tmp home var/lib/trine var/lib/containers var/lib/docker var/lib/containerd; do
  $B mkdir -p "$d" "/rw/disk/$d"
  $B mount --bind "/rw/disk/$d" "$d"
done
$B chmod 1777 tmp var/tmp
$B mount --move /control lab
$B mount -t 9p -o "$share,cache=loose,ro" modules "lib/modules/$release" || fail "mount the modules"
overlay checkout "/root$checkout" # on its own, because it may lie in /tmp
index=0
while [ "$index" -lt "$shares" ]; do
  eval "directory=\$share$index"
  $B mkdir -p "/root$directory"
  $B mount -t 9p -o "$share,cache=none" "share$index" "/root$directory" || fail "mount the share $directory"
  index=$((index + 1))
done

# What udev would make: the links of /dev, and the nodes that load their module when opened.
$B ln -sf /proc/self/fd dev/fd
for d in 0:stdin 1:stdout 2:stderr; do $B ln -sf "/proc/self/fd/${d%:*}" "dev/${d#*:}"; done
while read -r module name number; do
  case $name in fuse | net/tun | loop-control | vhost-net | vhost-vsock | uhid | vfio/vfio) ;; *) continue ;; esac
  [ -c "dev/$name" ] || { [ "${name%/*}" = "$name" ] || $B mkdir -p "dev/${name%/*}"; number=${number#c}; $B mknod "dev/$name" c "${number%:*}" "${number#*:}"; }
done <"lib/modules/$release/modules.devname"
$B chmod 666 dev/fuse dev/net/tun dev/kvm
$B ip link set lo up
$B hostname lab

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
[ "$systemd" = no ] || exec $B switch_root /root /bin/bash /lab/systemd.sh
$B sed 's/[^ ]*/+&/g' sys/fs/cgroup/cgroup.controllers >sys/fs/cgroup/cgroup.subtree_control
exec $B switch_root /root /bin/bash /lab/session.sh
