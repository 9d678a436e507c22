#!/bin/sh
# Unpacks into .venv/layer what throw-away machines have beyond this one (network_namespace.py):
# Debian's packages with all that they need and this machine has not. Nothing is installed, so no
# service starts here and no network changes. Only root can make such machines.
set -e
packages="network-manager dbus-daemon dnsmasq-base busybox iproute2 udev firewalld nftables iptables \
procps rpm mandoc python3-yaml"
layer=.venv/layer

[ "$(id -u)" = 0 ] || exit 0
if ! command -v apt-get > /dev/null; then
    echo "The tests on throw-away machines need a Debian: $packages" >&2
    exit 1
fi
is="$packages, Debian $(cat /etc/debian_version)"
[ "$(cat $layer.is 2> /dev/null)" != "$is" ] || exit 0
echo "Unpacking into $layer: $packages"
rm -rf $layer $layer.is $layer.fetched
mkdir -p $layer.fetched/partial $layer/usr
for folder in bin sbin lib lib64; do
    mkdir $layer/usr/$folder
    [ ! -L /$folder ] || ln -s usr/$folder $layer/$folder
done
apt-get -qq update
# shellcheck disable=SC2086 # a word for each package
apt-get -qq -y install --no-install-recommends --download-only \
    -o "Dir::Cache::archives=$PWD/$layer.fetched" -o APT::Sandbox::User=root $packages > /dev/null
for package in "$layer.fetched"/*.deb; do
    # there is none where all are installed
    [ -e "$package" ] || continue
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C $layer
done
rm -rf $layer.fetched
echo "$is" > $layer.is
