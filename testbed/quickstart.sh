#!/bin/bash
# From a bare Debian 12 to packets: installs what is missing, builds, and replays a real capture through DPDK.
# Runs from any folder, as root or not, as often as you like; needs no huge pages and no NIC.
set -euo pipefail
root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/..")
# shellcheck source=testbed/install.sh
. "$root/testbed/install.sh"
as_owner "$0" "$@"
cd "$root"

need_packages "${BUILD_PACKAGES[@]}"
need_rust "$root"
echo "building (a few minutes the first time)"
cargo build --quiet --release --locked -p penstock
out=target/quickstart
mkdir -p "$out"
"${CARGO_TARGET_DIR:-target}/release/penstock" replay --backend dpdk \
    --config testbed/captures/quickstart.toml --in testbed/captures/quickstart.pcap \
    --out "$out/out.pcap" --trace "$out/trace.ndjson" --report "$out/report.json" --html "$out/report.html"
echo
echo "open $root/$out/report.html"
