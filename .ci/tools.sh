# Sourced by ./test.sh and .ci/run, which call it before they build anything; ./vmm installs nothing.

# Debian's packages for commands that are missing.
install_tools() {
  local command package missing=()
  for package in gcc:gcc objcopy:binutils qemu-system-x86_64:qemu-system-x86 ip:iproute2 ping:iputils-ping flock:util-linux \
    depmod:kmod lz4:lz4 zstd:zstd xz:xz-utils mke2fs:e2fsprogs iperf3:iperf3 socat:socat \
    iasl:acpica-tools perl:perl-base; do
    command=${package%%:*}
    command -v "$command" >/dev/null || missing+=("${package#*:}")
  done
  [ -e /usr/include/linux/kvm.h ] || missing+=(linux-libc-dev)
  [ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
  [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not installed, and tests that need them are skipped: ${missing[*]}"
    return
  fi
  echo "Installing ${missing[*]} ..."
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    echo "apt-get could not install them; tests that need them are skipped."
}
