#!/bin/bash
# Runs every fuzz target: testbed/fuzz.sh [SECONDS | check [TARGET ...]]. SECONDS (60) are per target; no TARGET
# is all of them. First inputs come from the cases; what a target learns stays in its corpus for the next time.
# `check` is work of a known size instead, some 50 s of CPU time: a fixed number of inputs for each target, from
# a fixed seed, beginning with the first inputs alone. A finding is named, its input kept, and the exit status is 1.
#
# It builds what `cargo fuzz` builds, with the same flags, so that tool need not be installed. There is no
# nightly compiler in it: RUSTC_BOOTSTRAP lets the stable one take the sanitizer's flag.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/fuzz"

seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(parse forward config capture image rules numbers request scrape
    import-ipvs import-keepalived import-katran import-glb)
case $seconds in
    check) ;;
    '' | *[!0-9]*) echo "usage: testbed/fuzz.sh [SECONDS | check [TARGET ...]]" >&2; exit 2 ;;
esac

# How many inputs `check` gives each target: some ten seconds of CPU time each.
declare -A inputs=([parse]=1500000 [forward]=20000 [config]=10000 [capture]=400000 [image]=80000 [rules]=20000 [numbers]=100000
    [request]=400000 [scrape]=1000000
    [import-ipvs]=40000 [import-keepalived]=8000 [import-katran]=40000 [import-glb]=60000)
for target in "${targets[@]}"; do
    [ -n "${inputs[$target]:-}" ] || { echo "there is no target $target: ${!inputs[*]}" >&2; exit 2; }
done

triple=x86_64-unknown-linux-gnu
work=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$work/fuzz
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
 -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0
 --cfg fuzzing -Zsanitizer=address -Cdebug-assertions=on -Coverflow-checks=on -Ccodegen-units=1
 -Ctarget-cpu=x86-64-v3 -Ctarget-feature=+aes,+pclmulqdq"
cargo build --quiet --locked --release --target "$triple"
built=$CARGO_TARGET_DIR/$triple/release
rm -rf "$CARGO_TARGET_DIR/seeds"
"$built/seed" "$CARGO_TARGET_DIR/seeds"

failed=()
for target in "${targets[@]}"; do
    corpus=$CARGO_TARGET_DIR/corpus/$target
    artifacts=$CARGO_TARGET_DIR/artifacts/$target
    log=$CARGO_TARGET_DIR/$target.log
    extent=(-max_total_time="$seconds")
    if [ "$seconds" = check ]; then
        corpus=$CARGO_TARGET_DIR/corpus-of-check/$target
        rm -rf "$corpus"
        extent=(-runs="${inputs[$target]}" -seed=1)
    fi
    mkdir -p "$corpus" "$artifacts"
    status=0
    "$built/$target" "${extent[@]}" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$artifacts/" "$corpus" "$CARGO_TARGET_DIR/seeds/$target" \
        >"$log" 2>&1 || status=$?
    # Work that was not done has shown nothing.
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    printf '%-17s %10s executions, %6s edges' "$target" "${runs:-?}" "${covered:-?}"
    packets=$(sed -n 's/^packets: //p' "$log" | tail -n 1)
    [ -z "$packets" ] || printf ', more than %s packets' "$packets"
    if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
        printf ', no finding\n'
    else
        printf ', FINDING: see %s\n' "$log"
        failed+=("$target")
    fi
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz: findings in ${failed[*]}; inputs are under $CARGO_TARGET_DIR/artifacts" >&2
    exit 1
fi
