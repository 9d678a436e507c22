#!/bin/sh
# The shells that the tests run emitted scripts in, and rsync, which Cobbler runs: says which is
# missing, and installs it where that is possible (Debian's packages, as root).
missing=
for shell in bash dash busybox rsync; do
    command -v "$shell" > /dev/null || missing="$missing $shell"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    # shellcheck disable=SC2086 # a word for each package
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install $missing > /dev/null
else
    echo "Install these first:$missing" >&2
    exit 1
fi
