#!/bin/sh
# Runs the tests of ffi/dpdk, ffi/shm and ffi/mem under AddressSanitizer: heap and stack errors on our side of
# the border, and C allocations freed twice or used afterwards. mbufs lie in DPDK's own mappings, which no sanitizer
# follows; the cases themselves check that every pool ends whole (each mbuf in it, and once).
# Stable Rust: RUSTC_BOOTSTRAP allows the one flag. Ends non-zero on any finding. Needs no root.
set -eu
cd "$(dirname "$0")/../../.."
target=x86_64-unknown-linux-gnu
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/asan"
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=address -Ctarget-cpu=x86-64-v3 -Ctarget-feature=+aes,+pclmulqdq"
# What DPDK keeps for the life of the process is no leak of ours, and mbufs are counted by the cases.
export ASAN_OPTIONS="halt_on_error=1:abort_on_error=1:detect_leaks=0:detect_stack_use_after_return=1"
exec cargo test --locked -p dpdk -p shm -p mem --target "$target" "$@"
