#!/bin/sh
# The whole packet path beside dpdk-testpmd on the same driver, the path alone, Maglev and the memory of a
# flow: one table, and target/side-by-side.json. benches/README.md says what is measured and how.
#
# benches/side-by-side.sh [ROUNDS=7] [--burst 32|64] [--port-only]
set -eu
cd "$(dirname "$0")/.."

for tool in dpdk-testpmd stdbuf; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is missing: apt-get install dpdk-dev coreutils" >&2
        exit 1
    fi
done
if [ "$(nproc)" -lt 2 ]; then
    echo "testpmd needs two cores" >&2
    exit 1
fi

target=${CARGO_TARGET_DIR:-target}
cargo build --release --package benches --bins
mkdir -p target
# A run of 7 rounds takes some two minutes; whatever happens, it ends.
exec timeout --kill-after=10 420 "$target/release/side-by-side" "${@:-7}"
