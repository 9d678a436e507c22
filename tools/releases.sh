#!/bin/sh
# Roots of releases that this machine is not, below .venv/releases, and Debian's installer as its initrd
# has it: for `make test-releases`. Each takes some minutes the first time. Needs root, and Debian's
# packages mmdebstrap and cpio; packages come from where apt and mmdebstrap get them.
set -e
place=.venv/releases
# what a throw-away machine calls itself, what reads a network's files, and what loads the modules
# of a virtual machine's kernel
common=systemd,systemd-sysv,udev,dbus,python3,python3-yaml,iproute2,iputils-ping,procps,dnsmasq-base,busybox
common=$common,netplan.io,network-manager,libnss-myhostname,kmod
missing=
for program in mmdebstrap cpio; do
    command -v "$program" > /dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
    apt-get -qq update
    # shellcheck disable=SC2086 # a word for each package
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $missing > /dev/null
fi
# what a throw-away machine needs beside one of them (network_namespace.py)
mkdir -p "$place/nothing"

# a_root NAME SUITE PACKAGES [MORE]: where there is none of these packages already
a_root() {
    name=$1
    shift
    is=$*
    [ "$(cat "$place/$name.is" 2> /dev/null)" != "$is" ] || return 0
    echo "Unpacking into $place/$name: $1"
    rm -rf "${place:?}/$name"
    suite=$1 packages=$2
    shift 2
    mmdebstrap --quiet --variant=minbase --include="$packages" "$@" "$suite" "$place/$name.tar" > "$place/$name.log" 2>&1 || {
        cat "$place/$name.log" >&2
        return 1
    }
    mkdir "$place/$name"
    tar -x -C "$place/$name" -f "$place/$name.tar"
    rm "$place/$name.tar"
    echo "$is" > "$place/$name.is"
}

# the installer's own programs: its initrd
installer=debian-installer-12-netboot-amd64
if [ ! -e "$place/installer.is" ]; then
    echo "Unpacking into $place/installer: $installer"
    rm -rf "$place/installer" "$place/fetched"
    mkdir -p "$place/installer" "$place/fetched"
    apt-get -qq update
    (
        cd "$place/fetched"
        apt-get -qq -o APT::Sandbox::User=root download "$installer"
        dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards '*/text/debian-installer/amd64/initrd.gz'
    )
    find "$place/fetched" -name initrd.gz -exec zcat {} + | (cd "$place/installer" && cpio -idm --quiet)
    rm -rf "$place/fetched"
    echo "$installer" > "$place/installer.is"
fi

a_root debian13 trixie "$common,ifupdown,bridge-utils,ifenslave,vlan,dhcpcd-base,ufw,iptables,ubuntu-archive-keyring"
# these have /bin in /usr where their installer made them, and not where a package does
# shellcheck disable=SC2016 # the hook's
merged='--setup-hook=for each in bin sbin lib lib64; do mkdir -p "$1/usr/$each"; ln -s "usr/$each" "$1"; done'
a_root debian11 bullseye "$common,ifupdown,bridge-utils,ifenslave,vlan,isc-dhcp-client,ufw,iptables" "$merged"
# of Ubuntu's packages the keys are in Debian's
keys=$place/debian13/usr/share/keyrings/ubuntu-archive-keyring.gpg
a_root ubuntu24.04 noble "$common,cloud-init,ufw,iptables" --components=main,universe --keyring="$keys"
a_root ubuntu22.04 jammy "$common,curtin,ufw,iptables" --components=main,universe --keyring="$keys"
a_root ubuntu20.04 focal "$common,ufw,iptables" "$merged" --components=main,universe --keyring="$keys"
