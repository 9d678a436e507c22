#!/bin/sh
# What the tests need of Debian, where this is one and the caller is root: installs the shells that
# emitted scripts are run in, and rsync, which Cobbler runs; and unpacks below .venv what throw-away
# machines have beyond this one (network_namespace.py), with all that it needs and this machine has
# not. That is not installed, so no service starts here and no network changes.
set -e
missing=
for program in bash dash busybox rsync; do
    command -v "$program" > /dev/null || missing="$missing $program"
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "Without root or apt-get, tests are skipped: on throw-away machines${missing:+, with$missing}" >&2
    # continuous integration skips nothing
    [ -z "$CI" ]
    exit
fi

updated=
# before the first package is asked for
update() {
    [ -n "$updated" ] || apt-get -qq update
    updated=yes
}

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
    update
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

if [ -n "$missing" ]; then
    update
    # shellcheck disable=SC2086 # a word for each package
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install $missing > /dev/null
fi
# what reads a host's network configuration, and its firewalls
unpack layer 'openssh-server network-manager dbus dnsmasq-base busybox iproute2 udev systemd firewalld nftables iptables procps'
# Debian's netplan, with what it writes for (test_netplan.py)
unpack layer-netplan 'netplan.io network-manager python3 python3-yaml systemd udev dbus dnsmasq-base busybox iproute2 iputils-ping'
# what makes guests where Koan is called (test_libvirt.py)
unpack layer-guests 'virtinst libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 qemu-utils python3-libvirt python3-netifaces python3 iproute2'
# a whole system, and a kernel of its own (virtual_machine.py)
unpack layer-virtual 'user-mode-linux systemd-sysv udev dbus network-manager dnsmasq-base busybox-static iproute2 iputils-ping base-files base-passwd bash dash coreutils sed grep mawk util-linux mount kmod' /dev/null
# the browser that the page of show is looked at in (test_page.py)
unpack layer-browser 'chromium chromium-driver fonts-dejavu-core'
# what builds and installs packages (test_packages.py)
unpack layer-packages 'rpm mandoc python3-yaml iproute2'
# what tries a profile by a schema (test_suse_profiles.py)
unpack layer-jing 'jing default-jre-headless'
# what reads a Debian host's network configuration (test_ifupdown.py)
unpack layer-ifupdown 'ifupdown bridge-utils ifenslave vlan isc-dhcp-client iputils-ping dnsmasq-base busybox iproute2 procps ufw iptables systemd udev dbus'
