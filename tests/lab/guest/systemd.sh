#!/bin/bash
# Becomes systemd, with the command as its service. What the build machine would start is left out, but for the bus.
units=/run/systemd/system
mkdir -p "$units"
# Slow under emulation, and of no use to a machine that lives for one command.
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-{control,kernel}.socket \
  systemd-{hwdb-update,journal-flush,random-seed,timesyncd,pstore,modules-load,sysusers,binfmt,remount-fs,update-utmp}.service \
  systemd-tmpfiles-setup{,-dev}.service systemd-machine-id-commit.service kmod-static-nodes.service \
  keyboard-setup.service console-setup.service apparmor.service ldconfig.service getty.target timers.target; do
  ln -sf /dev/null "$units/$unit"
done

cat >"$units/lab.target" <<'END'
[Unit]
Description=The lab
Requires=dbus.service lab.service
After=dbus.service
END
cat >"$units/lab.service" <<END
[Unit]
Description=The lab's command
After=basic.target dbus.service
[Service]
ExecStart=/bin/bash /lab/session.sh
Delegate=yes
TasksMax=infinity
LimitNOFILE=1024:1048576
Environment="PATH=$PATH" "HOME=$HOME" "LANG=$LANG"
StandardOutput=journal+console
StandardError=journal+console
END
[[ -s /etc/machine-id ]] || echo 0123456789abcdef0123456789abcdef >/etc/machine-id
: >/etc/fstab
mkdir -p /run/lock /run/user
exec /lib/systemd/systemd --system --unit=lab.target --show-status=no --log-target=kmsg --log-level=warning
