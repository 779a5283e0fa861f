#!/bin/bash
# Installs what a bare Debian 12 lacks: testbed/install.sh [build|check]. `build` is what a build needs and
# `check` (the default) what the tests need besides. What is there already is left alone; nothing is touched but
# by the package manager and rustup. The other scripts read this file for its functions.

# What root may do we do ourselves, or by sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "this needs root, and sudo is not installed: $*" >&2
        return 1
    fi
}

# With `sudo SCRIPT`, goes back to the user whose checkout and whose Rust it is.
as_owner() {
    if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
        exec sudo -H -u "$SUDO_USER" "$@"
    fi
    # Debian keeps ip and ethtool from the paths of those who are not root.
    PATH="$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin"
}

# cargo fetches over TLS; libfuzzer is C++.
BUILD_PACKAGES=(ca-certificates gcc libc6-dev libclang-dev libdpdk-dev libpcap-dev pkg-config)
CHECK_PACKAGES=(bind9-dnsutils bird2 curl dnsmasq-base dpkg-dev dropbear-bin ethtool g++ iperf3 iproute2
    iputils-ping lintian nginx procps python3-cryptography python3-prometheus-client python3-scapy
    python3-venv shellcheck systemd tcpdump traceroute tshark util-linux)

need_packages() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "install these packages (names as in Debian 12) and try again: ${missing[*]}" >&2
        return 1
    fi
    echo "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# The oldest Rust that will do, as the workspace at $1 names it: 1.95.
named_rust() {
    sed -n 's/^rust-version = "\(.*\)"/\1/p' "$1/Cargo.toml" | head -n 1
}

# Debian 12's own Rust is 1.63. What is missing or too old comes from rustup, into the user's own home.
need_rust() {
    local need have
    need=$(named_rust "$1")
    has_rust() {
        have=$(cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p')
        [ -n "$have" ] && [ "$(printf '%s\n' "$need" "$have" | sort -V | head -n 1)" = "$need" ]
    }
    has_rust && return 0
    echo "installing Rust $need or later by rustup (${have:-none} found)"
    if command -v rustup >/dev/null; then
        rustup --quiet update stable && rustup --quiet default stable
    else
        need_packages ca-certificates curl &&
            curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y --quiet --profile minimal --component clippy --component rustfmt
    fi || true
    hash -r
    has_rust && return 0
    echo "Rust $need or later is needed; install it by its official command and try again:" >&2
    echo "    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y" >&2
    return 1
}

# Any later Rust builds, but lints and unstable flags change: the checks are made with the very one that is named,
# which rustup puts beside the user's. Its minimal profile leaves out what the checks run besides the compiler.
need_rust_tools() {
    local need missing=()
    need=$(named_rust "$1")
    if [[ $(cargo --version) != "cargo $need."* ]] && command -v rustup >/dev/null; then
        rustup run "$need" cargo --version >/dev/null 2>&1 ||
            rustup --quiet toolchain install "$need" --profile minimal --no-self-update || return
        export RUSTUP_TOOLCHAIN=$need
    fi
    cargo clippy --version >/dev/null 2>&1 || missing+=(clippy)
    cargo fmt --version >/dev/null 2>&1 || missing+=(rustfmt)
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v rustup >/dev/null; then
        echo "Rust's ${missing[*]} is needed, and there is no rustup to install it with" >&2
        return 1
    fi
    echo "installing ${missing[*]} by rustup"
    rustup --quiet component add "${missing[@]}"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    as_owner "$0" "$@"
    root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..
    case ${1:-check} in
        build)
            need_packages "${BUILD_PACKAGES[@]}"
            need_rust "$root"
            ;;
        check)
            need_packages "${BUILD_PACKAGES[@]}" "${CHECK_PACKAGES[@]}"
            need_rust "$root"
            need_rust_tools "$root"
            ;;
        *)
            echo "usage: testbed/install.sh [build|check]" >&2
            exit 2
            ;;
    esac
fi
