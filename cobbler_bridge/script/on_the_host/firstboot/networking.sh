# Part of the check, where ifupdown may read the network's files.
readers="$readers networking"

# stop_networking: a service that failed would take nothing down; what is not there it would make
stop_networking() {
    # a start that is held up holds the bridge
    [ -z "${starting:-}" ] || ! kill -0 "$starting" || stop_service networking
    for device in $bridges $devices; do
        end_client "$device"
        # or ifdown gives back what the card, or the bridge, asks for in a moment
        for file in "$root/var/lib/dhcp/dhclient.$device.leases" "$root/var/lib/dhcp/dhclient6.$device.leases"; do
            [ ! -e "$file" ] || sed -i '/^default-duid /!d' "$file"
        done
        [ ! -e "$net/$device" ] || ifdown --force "$device"
    done
    stop_service networking
}

# end_client DEVICE: the one that has its lease
end_client() {
    for file in "$root/run/dhclient.$1.pid" "$root/run/dhclient6.$1.pid" \
        "$root/run/dhcpcd-$1.pid" "$root"/run/dhcpcd/"$1"*.pid; do
        process "$file"
        case $command in *dhclient* | *dhcpcd*) kill "$pid" ;; esac
    done
}

# started_networking: which older ones leave to udev
started_networking() {
    ifup -a --allow=hotplug
}

# free_networking: the files say nothing of a lease any more
free_networking() {
    for nic in $nics; do end_client "$nic"; done
}

# same_client BRIDGE: a server knows it by the name that the card's client has made up for itself
same_client() {
    for client in dhclient dhclient6; do
        for nic in $nics; do
            ours=$root/var/lib/dhcp/$client.$1.leases
            [ -s "$ours" ] || sed -n '/^default-duid /p' "$root/var/lib/dhcp/$client.$nic.leases" > "$ours.part" &&
                [ -s "$ours.part" ] && mv -f "$ours.part" "$ours"
            rm -f "$ours.part"
        done
    done
}

# holds_networking: a bridge that is there is made anew, and so is a bond
holds_networking() {
    for device in $bridges; do
        [ ! -e "$net/$device" ] || return 0
    done
    for device in $ports; do
        [ ! -d "$net/$device/bonding" ] || return 0
    done
    return 1
}

# restart_networking: ifdown would take the link of a card, and ifup waits a second for a bridge that it makes
# itself: what there is goes on in the bridge, and ifup finds it there
restart_networking() {
    free_networking
    for bridge in $bridges; do
        same_client "$bridge"
        make_bridge
    done
    clear_networking
    for device in $nics $ports; do ip addr flush dev "$device"; done
    # a client that nobody answers holds it up for a minute, by when all may be over
    seconds
    since=$now
    restart_service networking &
    starting=$!
    while kill -0 "$starting" && [ "$((now - since))" -lt 5 ]; do
        nap
        seconds
    done
    started_networking
}

# make_bridge: as its file says, where its ports are there
make_bridge() {
    address=$(of_bridge hw) members=$(of_bridge ports)
    [ -n "$address" ] || return
    for port in $members; do [ -e "$net/$port" ] || return; done
    ip link add name "$bridge" address "$address" type bridge && ip link set dev "$bridge" up || return
    into=$bridge
    keep_addresses same
    into=
    for port in $members; do ip link set dev "$port" master "$bridge" addrgenmode none; done
}

# of_bridge OPTION: what stands behind it
of_bridge() {
    sed -n "/^iface $bridge inet/,/^iface /s/^ *bridge_$1 //p" "$root/etc/network/interfaces.d/cobbler-bridge"
}

# clear_networking: what it could not take down is no more, and a port has IPv6 again
clear_networking() {
    for nic in $nics; do
        for key in disable_ipv6 addr_gen_mode; do
            cat "$root/proc/sys/net/ipv6/conf/default/$key" > "$root/proc/sys/net/ipv6/conf/$nic/$key"
        done
    done
    for device in $bridges $devices $ports $nics ${bonds:-}; do
        rm -f "$root/run/network/ifstate.$device"
        sed -i "/^$device=/d" "$root/run/network/ifstate"
        # by these dhcpcd names the servers of a device that is gone
        rm -f "$root/run/dhcpcd/hook-state/resolv.conf/$device".*
    done
}
