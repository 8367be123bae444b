# shellcheck shell=bash
#
# Sourced by tests/run and examples/demo, in the root of the tree: how the Debian packages that
# papilio needs come onto the machine, and how it is built there.
#
#   papilio_need SET...                           installs what is missing of the sets below
#   papilio_build PRESET [-D...] [-- TARGET...]   configures and builds, all or some targets
#
# PAPILIO_INSTALL=no leaves the machine alone: CMake then says what it misses. PAPILIO_JOBS=N runs N
# compilers at once.

papilio_packages() {
    local set
    for set; do
        case $set in
        core) echo g++ cmake ninja-build pkg-config catch2 libasio-dev ;;
        trainer) echo libtorch-dev libopenblas0-pthread libcli11-dev nlohmann-json3-dev libfmt-dev \
            libssl-dev ;;
        demo) echo bible-kjv ;;
        bench) echo libbenchmark-dev libgloo-dev iperf3 iproute2 openmpi-bin libopenmpi-dev mpich \
            libmpich-dev ;;
        checks) echo clang-format-14 python3 ;;
        all) echo clang-19 libclang-rt-19-dev clang-tidy-19 g++-aarch64-linux-gnu ;;
        *) echo "papilio_packages: no such set: $set" >&2 && return 1 ;;
        esac
    done
}

papilio_need() {
    local package packages missing=() as_root=()
    [ "${PAPILIO_INSTALL:-yes}" != no ] || return 0
    packages=$(papilio_packages "$@") || return
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is not a Debian system: papilio goes on with what is there. On Debian 12 it"
        echo "would install" "${packages//$'\n'/ }"
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
            echo "These packages are missing, and only root may install them. As root, run" >&2
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
    echo "${PAPILIO_JOBS:-$((by_memory < 1 ? 1 : by_memory < cores ? by_memory : cores))}"
}

papilio_build() {
    local preset=$1 log configure=(cmake --preset "$1") targets=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        configure+=("$1")
        shift
    done
    [ $# -le 1 ] || targets=(--target "${@:2}")

    log=$(mktemp)
    if ! "${configure[@]}" >"$log" 2>&1; then
        cat "$log"
        rm "$log"
        return 1
    fi
    grep '^-- papilio: ' "$log" || true  # what was left out, and why
    rm "$log"
    cmake --build --preset "$preset" -j "$(papilio_jobs)" "${targets[@]}"
}
