#!/bin/sh
# Unpacks below .venv what throw-away machines have beyond this one (network_namespace.py): Debian's
# packages with all that they need and this machine has not. Nothing is installed, so no service
# starts here and no network changes. Only root can make such machines.
set -e

# unpack LAYER PACKAGES [WITH]: where they are not unpacked already; what is installed here counts as
# there, unless WITH is another list of what is installed
unpack() {
    layer=.venv/$1
    is="$2, Debian $(cat /etc/debian_version)"
    [ "$(cat "$layer.is" 2> /dev/null)" != "$is" ] || return 0
    echo "Unpacking into $layer: $2"
    rm -rf "$layer" "$layer.is" "$layer.fetched"
    mkdir -p "$layer.fetched/partial" "$layer/usr"
    for folder in bin sbin lib lib64; do
        mkdir "$layer/usr/$folder"
        [ ! -L "/$folder" ] || ln -s "usr/$folder" "$layer/$folder"
    done
    [ -n "$updated" ] || apt-get -qq update
    updated=yes
    # shellcheck disable=SC2086 # a word for each package
    apt-get -qq -y install --no-install-recommends --download-only \
        -o "Dir::Cache::archives=$PWD/$layer.fetched" -o APT::Sandbox::User=root \
        -o "Dir::State::status=${3:-/var/lib/dpkg/status}" $2 > /dev/null
    for package in "$layer.fetched"/*.deb; do
        # there is none where all are installed
        [ -e "$package" ] || continue
        dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$layer"
    done
    rm -rf "$layer.fetched"
    echo "$is" > "$layer.is"
}

[ "$(id -u)" = 0 ] || exit 0
if ! command -v apt-get > /dev/null; then
    echo 'The tests on throw-away machines need a Debian' >&2
    exit 1
fi
updated=
# what reads a host's network configuration, and its firewalls
unpack layer 'network-manager dbus dnsmasq-base busybox iproute2 udev systemd firewalld nftables iptables procps'
# what makes guests where Koan is called (test_libvirt.py)
unpack layer-guests 'virtinst libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 qemu-utils python3-libvirt python3-netifaces python3 iproute2'
# a whole system with a kernel of its own (virtual_machine.py)
unpack layer-virtual 'linux-image-cloud-amd64 systemd-sysv udev dbus network-manager dnsmasq-base busybox-static iproute2 iputils-ping base-files base-passwd bash dash coreutils sed grep mawk util-linux mount kmod e2fsprogs' /dev/null
# what builds and installs packages (test_packages.py)
unpack layer-packages 'rpm mandoc python3-yaml iproute2'
