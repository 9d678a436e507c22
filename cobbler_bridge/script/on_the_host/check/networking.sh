# Part of the check, where ifupdown may read the network's files.
readers="$readers networking"

# stop_networking: a service that failed would take nothing down; what is not there it would make
stop_networking() {
    for device in $bridges $devices; do
        [ ! -e "$net/$device" ] || ifdown --force "$device"
    done
    systemctl stop networking.service
}

# started_networking: which older ones leave to udev
started_networking() {
    ifup -a --allow=hotplug
}

# release_networking: the files say nothing of a lease any more
release_networking() {
    for nic in $nics; do
        for file in "$root/run/dhclient.$nic.pid" "$root/run/dhclient6.$nic.pid" \
            "$root/run/dhcpcd-$nic.pid" "$root"/run/dhcpcd/"$nic"*.pid; do
            process "$file"
            case $command in *dhclient* | *dhcpcd*) kill "$pid" ;; esac
        done
    done
}

# clear_networking: what it could not take down is no more, and a port has IPv6 again
clear_networking() {
    for nic in $nics; do
        for key in disable_ipv6 addr_gen_mode; do
            cat "$root/proc/sys/net/ipv6/conf/default/$key" > "$root/proc/sys/net/ipv6/conf/$nic/$key"
        done
    done
    for device in $bridges $devices $ports $nics; do
        rm -f "$root/run/network/ifstate.$device"
        sed -i "/^$device=/d" "$root/run/network/ifstate"
        # by these dhcpcd names the servers of a device that is gone
        rm -f "$root/run/dhcpcd/hook-state/resolv.conf/$device".*
    done
}
