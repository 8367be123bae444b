# shellcheck shell=bash
#
# Sourced by tests/run and examples/demo: the Debian packages that papilio's own programs need, and
# how they come onto the machine.
#
#   papilio_need SET...   installs what is missing of the sets: core, trainer, demo, bench, checks, all
#
# PAPILIO_INSTALL=no leaves the machine alone: CMake then says what it misses.

papilio_packages() {
    local set
    for set; do
        case $set in
        core) echo g++ cmake ninja-build pkg-config catch2 libasio-dev ;;
        trainer) echo libtorch-dev libopenblas0-pthread libcli11-dev nlohmann-json3-dev libfmt-dev ;;
        demo) echo bible-kjv ;;
        bench) echo libbenchmark-dev libgloo-dev ;;
        checks) echo clang-format-14 ;;
        all) echo clang-19 libclang-rt-19-dev clang-tidy-19 ;;
        *) echo "papilio_packages: no such set: $set" >&2 && return 1 ;;
        esac
    done
}

papilio_need() {
    local package packages missing=() as_root=()
    [ "${PAPILIO_INSTALL:-yes}" != no ] || return 0
    packages=$(papilio_packages "$@") || return
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is not a Debian system; papilio goes on with what is there. On Debian 12 it would"
        echo "install:" "${packages//$'\n'/ }"
        return 0
    fi
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo)
        [ -t 0 ] || as_root+=(-n)  # nobody is there to type a password
        if ! command -v sudo >/dev/null || ! "${as_root[@]}" true; then
            echo "These packages are missing, and only root may install them. Please run, as root:" >&2
            echo "    apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
            echo "or set PAPILIO_INSTALL=no to go on without." >&2
            return 1
        fi
    fi
    echo "Installing with apt: ${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    "${apt[@]}" update || echo "apt-get update failed; trying with the lists at hand." >&2
    if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null; then
        echo "apt could not install: ${missing[*]}" >&2
        echo "Install them by hand, or set PAPILIO_INSTALL=no to go on without." >&2
        return 1
    fi
}

# How many compilers to run at once: one for each core, each with its share of the free memory.
papilio_jobs() {
    local cores by_memory
    cores=$(nproc)
    by_memory=$(awk '/^MemAvailable/ { print int($2 / 1.5e6) }' /proc/meminfo)
    echo $((by_memory < 1 ? 1 : by_memory < cores ? by_memory : cores))
}
