#!/bin/sh
# This tree beside an older commit, in one run: both are built, then their benchmarks alternate, each round in new
# processes and each begins with the other one. A ratio is formed within a round, ours over theirs in time; its
# median, smallest and largest are printed. benches/README.md says what is measured.
#
# benches/against.sh COMMIT [ROUNDS=9] [--small]
set -eu
cd "$(dirname "$0")/.."

commit=${1:?"which commit? benches/against.sh COMMIT [ROUNDS=9] [--small]"}
rounds=${2:-9}
commit=$(git rev-parse --verify --quiet "$commit^{commit}") || { echo "there is no commit $1" >&2; exit 1; }
if ! command -v python3 >/dev/null; then
    echo "python3 is missing: apt-get install python3" >&2
    exit 1
fi
target=${CARGO_TARGET_DIR:-target}
there=$(mktemp -d)
trap 'git worktree remove --force "$there/tree" 2>/dev/null || true; rm -rf "$there"' EXIT
trap 'exit 130' INT TERM
git worktree add --quiet --detach "$there/tree" "$commit"

cargo build --quiet --release --package benches --bins
# A folder of its own, kept for the next run: the two share no artefact.
CARGO_TARGET_DIR="$target/against" cargo build --quiet --release --package benches --bins \
    --manifest-path "$there/tree/Cargo.toml"
python3 benches/against.py "$target/release" "$target/against/release" "$rounds" "$there" ${3:-}
