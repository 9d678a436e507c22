# Part of the check, where systemd-networkd may read the network's files.
readers="$readers systemd-networkd"

# holds_networkd: a card has a lease, or a bridge that is in another network from now on
holds_networkd() {
    for nic in $nics $moved; do
        read -r number < "$net/$nic/ifindex" && [ ! -e "$root/run/systemd/netif/leases/$number" ] || return 0
    done
    return 1
}

# free_networkd: a newer one leaves a card its lease when it is started again, and takes it up
free_networkd() {
    for nic in $nics $moved; do
        read -r number < "$net/$nic/ifindex" && rm -f "$root/run/systemd/netif/leases/$number"
    done
}
