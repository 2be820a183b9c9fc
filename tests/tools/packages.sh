# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# For the scripts at the top, which source it: which Debian packages a task needs, and installing
# those that are missing. Nothing is done, and no network is touched, when all are there.
#
# Names of Debian 12. What every build needs, and to make the card; the simulator's window, and Check,
# without which its tests cannot be configured; the Pi's kernel, and QEMU to run it; the other
# compilers, and the tools by which tests judge (Valgrind, strace, a terminal and a display without
# a person, and a terminal with one, readers of VCD files, the device tree compiler, sfdisk), the
# allocators that the memory benchmark measures beside the kernel's; and the C library of our own
# programs on the card, and what makes C of SQLite's sources.

packages_build="gcc libc6-dev meson ninja-build pkg-config python3 binutils mtools dosfstools"
packages_simulator="libsdl2-dev libtsm-dev libpng-dev libcjson-dev fonts-spleen check libsubunit-dev"
packages_pi3="gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu qemu-system-arm"
packages_test="clang clang-format lld llvm libclang-rt-14-dev valgrind expect \
xvfb xauth x11-utils gtkwave sigrok-cli gdb git patch device-tree-compiler fdisk libjemalloc-dev libmimalloc-dev \
strace python3-pyte"
packages_programs="musl-tools make tcl"

# packages_missing NAME... - prints those that are not installed.
packages_missing() {
    for package in "$@"; do
        case " $packages_installed " in
            *" $package "*) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

# packages_need NAME... - returns 0 once all are installed; otherwise says how to install them.
packages_need() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        packages_need_commands
        return
    fi
    # A package that another one suggests is known to dpkg without being there: only "ii" counts.
    packages_installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^ii  *//p' | tr '\n' ' ')
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0

    root=""
    if [ "$(id -u)" -ne 0 ]; then
        # sudo asks on the terminal itself; without one, only a sudo that asks nothing will do.
        if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 2 ]; }; then
            root="sudo"
        else
            printf '%s\n' "missing packages: $missing" \
                "install them with: sudo apt-get install -y --no-install-recommends $missing" >&2
            return 1
        fi
    fi
    printf '%s\n' "installing: $missing" >&2
    {
        $root apt-get update &&
            $root env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y --no-install-recommends $missing
    } </dev/null >&2 || {
        printf '%s\n' "could not install: $missing" \
            "install them with: apt-get update && apt-get install -y $missing" >&2
        return 1
    }
}

# Not a Debian machine: look for the programs, and name what they are called there.
packages_need_commands() {
    absent=""
    for program in meson ninja cc pkg-config python3 mcopy mkfs.fat; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null 2>&1 ||
            absent="$absent $program"
    done
    [ -n "$absent" ] || return 0
    printf '%s\n' "missing programs:$absent" \
        "On Debian they are in: $packages_build" >&2
    return 1
}
