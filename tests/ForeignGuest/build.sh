#!/bin/sh
# build.sh OUTPUT: compiles the foreign guest to a PVH ELF with the host's gcc.
set -eu
cd "$(dirname "$0")"
exec gcc -m64 -O1 -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-pic -fno-stack-protector -nostdlib -static -no-pie \
  -Wall -Wextra -Werror -Wl,-T,guest.ld -Wl,--build-id=none -Wl,--no-warn-rwx-segments -o "$1" boot.S guest.c
