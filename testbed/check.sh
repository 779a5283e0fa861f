#!/bin/bash
# Everything that has to hold, on a bare Debian 12: installs what is missing, then checks, builds and tests. The
# first thing that fails ends it, with status 1. Runs from any folder, as root or by sudo; where DPDK is missing
# it fails. What the tests say comes last.
set -euo pipefail
root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/..")
# shellcheck source=testbed/install.sh
. "$root/testbed/install.sh"
as_owner "$0" "$@"
cd "$root"

target=${CARGO_TARGET_DIR:-$root/target}
log=$target/check.log
mkdir -p "$target"

# step NAME COMMAND...: says what and how long; what the command says is shown when it fails. (Inside, `set -e` does
# not hold: functions that are steps chain their commands.)
step() {
    local name=$1 begin=$SECONDS
    shift
    printf '%-44s' "$name"
    if ! "$@" >"$log" 2>&1; then
        echo "FAILED after $((SECONDS - begin)) s"
        tail -n 100 "$log"
        exit 1
    fi
    echo "$((SECONDS - begin)) s"
}

rust() {
    need_rust "$root" &&
        need_rust_tools "$root"
}

format() {
    cargo fmt --all --check &&
        cargo fmt --manifest-path testbed/fuzz/Cargo.toml --check
}

scripts() {
    local list
    mapfile -t list < <(git ls-files '*.sh' .ci/run 2>/dev/null || find . -name target -prune -o -name '*.sh' -print)
    shellcheck --external-sources --severity warning "${list[@]}"
}

# Debian has no hadolint. The wheel holds upstream's own binary, and pip holds the wheel to its hash.
dockerfile() {
    local venv=$target/hadolint
    [ -x "$venv/bin/pip" ] || /usr/bin/python3 -m venv "$venv" || return
    "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
        --requirement docker/hadolint.txt &&
        "$venv/bin/hadolint" docker/Dockerfile
}

# What threads share, in every order that the memory model allows.
interleavings() {
    # RUSTFLAGS replace those of .cargo/config.toml.
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        RUSTFLAGS="--cfg loom -Ctarget-cpu=x86-64-v3 -Ctarget-feature=+aes,+pclmulqdq" \
        CARGO_TARGET_DIR=$target/loom cargo test --locked --release -p shm -p flow --lib loom &&
        # A run without a test would show nothing.
        grep -q 'test result: ok. [1-9]' "$log"
}

scapy() {
    testbed/scapy/generate.py --check &&
        testbed/scapy/captures.py --check &&
        /usr/bin/python3 testbed/scapy/test_golden.py
}

step "packages" need_packages "${BUILD_PACKAGES[@]}" "${CHECK_PACKAGES[@]}"
step "Rust" rust
step "format" format
step "shell scripts" scripts
step "Dockerfile" dockerfile
step "cases and captures against scapy" scapy
step "clippy, warnings are errors" cargo clippy --workspace --all-targets --locked -- -D warnings
step "fuzz targets" env CARGO_TARGET_DIR="$target/fuzz" \
    cargo clippy --manifest-path testbed/fuzz/Cargo.toml --locked -- -D warnings
step "fuzz targets, a fixed number of inputs" env CARGO_TARGET_DIR="$target" testbed/fuzz.sh check
step "release build" cargo build --release --locked -p penstock
step "Debian package and what is in it" conf/package.sh look
step "without DPDK" cargo test --locked -p penstock --no-default-features
step "loom" interleavings
step "AddressSanitizer over ffi" ffi/dpdk/tests/asan.sh
step "documentation and its examples" cargo test --doc --workspace --locked

# The labs want root; the build does not.
if [ "$(id -u)" -ne 0 ]; then
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="sudo --preserve-env=PATH,CARGO,CARGO_HOME,CARGO_TARGET_DIR,RUSTUP_HOME,RUSTUP_TOOLCHAIN"
fi
echo "tests"
exec cargo test --workspace --lib --bins --tests --no-fail-fast --locked
