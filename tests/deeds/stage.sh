#!/usr/bin/env bash
# stage.sh ACTOR NAMES…: the surroundings of the live tests, then the actor in them, served over standard input.
# Mount, network, IPC and UTS namespaces of their own; /etc, /root, /home, /opt, /var, /tmp and /dev/shm are fresh there:
# nothing of the machine is read or changed. The actor lies in /opt/stage/bin under each of the NAMES.
set -euo pipefail
actor="$(realpath "$1")"
shift
exec unshare --mount --net --ipc --uts --propagation private bash -s -- "$actor" "$@" 3<&0 <<'STAGE'
set -euo pipefail
actor="$1"
shift
hostname stage
ip link set lo up
for address in 203.0.113.5/32 10.77.0.1/24 169.254.169.254/32; do ip address add "$address" dev lo; done

new=/mnt
mount -t tmpfs -o mode=755 stage "$new"
cp "$actor" "$new/actor"
mkdir -p "$new/etc"
for file in ld.so.cache nsswitch.conf alternatives; do [[ -e /etc/$file ]] && cp -a "/etc/$file" "$new/etc/"; done
cat >"$new/etc/passwd" <<'P'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
alice:x:1001:1001:Alice:/home/alice:/bin/sh
P
cat >"$new/etc/group" <<'G'
root:x:0:
daemon:x:1:
alice:x:1001:
G
echo 'root:*:19000:0:99999:7:::' >"$new/etc/shadow"
echo stage >"$new/etc/hostname"
mount --bind "$new/etc" /etc
for dir in /root /home /opt /srv /dev/shm; do mount -t tmpfs -o mode=755 stage "$dir"; done
mkdir -p "$new/var/log" "$new/var/tmp" "$new/var/lib" "$new/run"
mount --bind "$new/var" /var
chmod 1777 /dev/shm
mkdir -p /opt/stage/bin /opt/stage/work
cp "$new/actor" /opt/stage/bin/actor
for name in "$@"; do ln /opt/stage/bin/actor "/opt/stage/bin/$name"; done
mount -t tmpfs -o mode=1777 stage /tmp
cd /opt/stage/work
exec setsid env -i PATH=/usr/bin:/bin HOME=/root LANG=C /opt/stage/bin/actor serve <&3
STAGE
