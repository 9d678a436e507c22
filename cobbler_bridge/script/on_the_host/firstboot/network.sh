# Part of the check, where network-scripts may read the network's files.
# needs: init_script
readers="$readers network"

# stop_network: systemd takes it for stopped where somebody called the script
stop_network() {
    if [ -x "$root/etc/rc.d/init.d/network" ]; then init_script network stop; else stop_service network; fi
}

# free_network: it knows of no lease of a port
free_network() {
    for nic in $nics; do
        for file in "$root"/var/run/dhclient*-"$nic".pid; do
            process "$file"
            case $command in dhclient* | /sbin/dhclient* | /usr/sbin/dhclient*) kill "$pid" ;; esac
        done
    done
}

# longer_network: it takes a card's link, and with spanning tree a switch's port forwards 30 s after that; a DHCP
# client has waited for it when we begin
longer_network() {
    ! grep -q '^ipv[46] static ' "$state/expected" || timeout=$((timeout + 45))
}
