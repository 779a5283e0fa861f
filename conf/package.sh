#!/bin/bash
# Makes the Debian package: conf/package.sh [look|try]. It is built in release form with its manual pages, completions,
# samples, unit and guide, and its path is printed last. `look` also holds what is
# in it against what has to be, and asks lintian. `try` also installs and purges it in a fresh Debian 12
# (debootstrap, as root): the binary runs there, its systemd runs the unit, and the purge leaves nothing.
set -euo pipefail
root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/..")
# shellcheck source=testbed/install.sh
. "$root/testbed/install.sh"
as_owner "$0" "$@"
cd "$root"

# What makes the package, pinned: it is no part of what is packed.
CARGO_DEB=3.8.0

target=${CARGO_TARGET_DIR:-$root/target}
export CARGO_TARGET_DIR=$target
need_packages "${BUILD_PACKAGES[@]}" dpkg-dev
need_rust "$root"

tools=$target/tools
if [ "$("$tools/bin/cargo-deb" --version 2>/dev/null)" != "cargo-deb $CARGO_DEB" ]; then
    # With a target folder of its own: its flags are not ours.
    CARGO_TARGET_DIR=$tools/target cargo install --quiet --locked --force --root "$tools" --version "=$CARGO_DEB" cargo-deb
    rm -rf "$tools/target"
fi

cargo build --quiet --release --locked --package penstock
rm -rf "$target/release/pages"
"$target/release/penstock" pages --to "$target/release/pages"
gzip -9n "$target"/release/pages/man1/*.1
gzip -9nc CHANGELOG.md >"$target/release/pages/changelog.gz"
package=$("$tools/bin/cargo-deb" --quiet --no-build --strip --package penstock --output "$target/debian/")
package=${package##*$'\n'}

# Path, mode and owner of what has to be in the package; no file of it is empty.
CONTENTS='-rwxr-xr-x 0/0 ./usr/bin/penstock
-rw-r--r-- 0/0 ./usr/lib/systemd/system/penstock-gate@.service
-rw-r--r-- 0/0 ./usr/lib/systemd/system/penstock.service
-rw-r--r-- 0/0 ./usr/share/bash-completion/completions/penstock
-rw-r--r-- 0/0 ./usr/share/doc/penstock/OPERATOR.md
-rw-r--r-- 0/0 ./usr/share/doc/penstock/changelog.gz
-rw-r--r-- 0/0 ./usr/share/doc/penstock/copyright
-rw-r--r-- 0/0 ./usr/share/doc/penstock/examples/penstock.json
-rw-r--r-- 0/0 ./usr/share/doc/penstock/examples/penstock.service.d/pci.conf
-rw-r--r-- 0/0 ./usr/share/doc/penstock/examples/reference.toml
-rw-r--r-- 0/0 ./usr/share/doc/penstock/examples/smallest.toml
-rw-r--r-- 0/0 ./usr/share/fish/vendor_completions.d/penstock.fish
-rw-r--r-- 0/0 ./usr/share/man/man1/penstock-run.1.gz
-rw-r--r-- 0/0 ./usr/share/man/man1/penstock.1.gz
-rw-r--r-- 0/0 ./usr/share/zsh/vendor-completions/_penstock'

look() {
    need_packages lintian || return
    local files missing field
    # The unit may be in /lib or /usr/lib, which are one place.
    files=$(dpkg-deb --contents "$package" | awk '$3 > 0 { sub(/^\.\/lib\//, "./usr/lib/", $6); print $1, $2, $6 }')
    missing=$(LC_ALL=C comm -23 <(LC_ALL=C sort <<<"$CONTENTS") <(LC_ALL=C sort <<<"$files"))
    [ -z "$missing" ] || { printf '%s lacks, or has empty or of another mode:\n%s\n' "$package" "$missing" >&2; return 1; }
    for field in Package=penstock Architecture=amd64 Section=net; do
        [ "$(dpkg-deb --field "$package" "${field%=*}")" = "${field#*=}" ] ||
            { echo "$package: ${field%=*} is not ${field#*=}" >&2; return 1; }
    done
    # What the binary is linked with has to be asked for.
    dpkg-deb --field "$package" Depends | grep -q 'libc6 (>= ' ||
        { echo "$package does not depend on the libc6 that it was built with" >&2; return 1; }
    # There is no mailbox of the authors yet.
    lintian --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$package" >&2
}

try() {
    need_packages debootstrap
    # Not below /tmp, which may be mounted so that nothing there runs.
    folder=$(as_root mktemp -d "$target/try.XXXXXX")
    trap 'as_root rm -rf --one-file-system "$folder"' EXIT
    # It is the root of the Debian inside, which others than root must be able to enter.
    as_root chmod 755 "$folder"
    echo "a fresh Debian 12 in $folder"
    as_root debootstrap --variant=minbase bookworm "$folder" >"$target/debootstrap.log" 2>&1 ||
        { tail -n 20 "$target/debootstrap.log" >&2; return 1; }
    as_root cp "$package" "$folder/penstock.deb"
    as_root cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
    as_root chroot "$folder" /bin/bash -euxc '
        apt-get update -qq
        before=$(find /etc /usr /var/lib -xdev -name "*penstock*" ! -path "/var/lib/dpkg/*")
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /penstock.deb >/dev/null
        penstock --version
        penstock check --config /usr/share/doc/penstock/examples/smallest.toml
        getent passwd penstock
        test -s /usr/share/man/man1/penstock.1.gz
        test -s /usr/share/bash-completion/completions/penstock
        test -s /lib/systemd/system/penstock.service -o -s /usr/lib/systemd/system/penstock.service
        test -s /usr/lib/systemd/system/penstock-gate@.service
        echo "$before" >/before
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd-sysv iproute2 \
            iputils-ping >/dev/null
    '
    as_root "$root/conf/booted.sh" "$folder"
    as_root chroot "$folder" /bin/bash -euxc '
        before=$(cat /before)
        test -s /etc/penstock/site.toml
        test -s /var/lib/penstock/site.numbers.toml
        apt-get purge -y -qq penstock >/dev/null
        if getent passwd penstock; then exit 1; fi
        after=$(find /etc /usr /var/lib -xdev -name "*penstock*" ! -path "/var/lib/dpkg/*")
        test "$after" = "$before" || { echo "left behind: $after"; exit 1; }
    '
    echo "installed, run and purged"
}

case ${1:-} in
    '') ;;
    look) look ;;
    try) try ;;
    *) echo "usage: conf/package.sh [look|try]" >&2; exit 2 ;;
esac
echo "$package"
