# Finds out what reads the network of a Debian or Ubuntu machine, whatever Cobbler calls it.
# needs: leave_alone say grep

# debian_reader: to the release, if it is one of theirs, comes what reads its network: debian12/ifupdown
debian_reader() {
    case $release in debian[0-9]* | ubuntu[0-9]*) ;; *) return 0 ;; esac
    [ -d "$root/sys/class/net" ] ||
        leave_alone "/sys is not there: in-target or curtin in-target has it, a plain chroot has not"
    reader=nothing
    if [ ! -d "$root/lib/systemd/system" ]; then
        reader='another init system'
    elif has_netplan; then
        reader=netplan
    elif [ -x "$root/usr/sbin/NetworkManager" ] && ! interfaces_have_nic; then
        reader=NetworkManager
    elif [ -x "$root/usr/sbin/NetworkManager" ] && [ -e "$root/proc/1/root/usr/lib/finish-install.d/55netcfg-copy-config" ]; then
        # which empties ifupdown's files, and writes a profile of its own
        reader='what the installer makes a NetworkManager of at its end'
    elif [ -d "$root/usr/share/ifupdown2" ]; then
        reader=ifupdown2
    elif [ -d "$root/usr/libexec/ifupdown-ng" ]; then
        reader=ifupdown-ng
    elif [ -x "$root/sbin/ifup" ]; then
        reader=ifupdown
    fi
    case $reader in
    netplan | NetworkManager | ifupdown) ;;
    *) leave_alone "what reads the network here is $reader, for which nothing can be written: ifupdown, netplan and NetworkManager are known" ;;
    esac
    release=$release/$reader
    say "what reads the network here is $reader"
}

# has_netplan: and a file for it, or one that cloud-init makes such a file of
has_netplan() {
    [ -x "$root/usr/sbin/netplan" ] || return
    for each in "$root"/lib/netplan/*.yaml "$root"/etc/netplan/*.yaml "$root"/run/netplan/*.yaml \
        "$root"/etc/cloud/cloud.cfg.d/90-installer-network.cfg; do
        [ ! -f "$each" ] || return 0
    done
    return 1
}

# interfaces_have_nic: ifupdown's files have more than the loopback device
interfaces_have_nic() {
    grep -hs '^[[:space:]]*iface[[:space:]]' "$root/etc/network/interfaces" \
        "$root"/etc/network/interfaces.d/* | grep -qv '^[[:space:]]*iface[[:space:]]*lo[[:space:]]'
}
