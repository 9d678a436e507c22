# Part of the check, where wicked may read the network's files.
readers="$readers wicked"

# stop_wicked: it takes down what it has made by the files that are there, also where its service failed
stop_wicked() {
    stop_service wicked
    wicked --systemd ifdown all
    # which leaves a root behind them (STARTMODE='nfsroot') alone
    for device in $bridges $devices; do
        [ ! -e "$net/$device" ] || wicked --systemd ifdown --delete "$device"
    done
}

# restart_wicked: only what differs from the files is taken down
restart_wicked() {
    start_service wicked
    wicked --systemd ifreload all
}

# units_wicked: its own daemons, which ask for the leases
units_wicked() {
    echo wickedd wickedd-nanny wickedd-dhcp4 wickedd-dhcp6
}

# started_wicked: what differs from the files is made as they are
started_wicked() {
    wicked --systemd ifreload all
}

# make_wicked: name servers of the files reach resolv.conf by no other way
make_wicked() {
    ! there_is netconfig || netconfig update
}
