# Part of the check, where NetworkManager may read the network's files.
readers="$readers NetworkManager"

# clear_NetworkManager: or it takes up again what it made up for a NIC whose profile did not fit
clear_NetworkManager() {
    rm -rf "$root"/run/NetworkManager/devices \
        "$root/run/NetworkManager/system-connections/Wired connection"*
}

# holds_NetworkManager: as long as it runs it puts a port back that leaves
holds_NetworkManager() {
    [ -n "$leaving$(bonds_of_others)$(made_up)" ]
}

# bonds_of_others: those over our NICs that we had no part in; where their ports get files of ours, it has one
# begin before its bond does, which fails for good
bonds_of_others() {
    for nic in $nics; do
        above=$(master "$nic")
        [ ! -d "$net/${above:-none}/bonding" ] || grep -qsxF "nic $nic" "$state/proved.before" || printf '%s\n' "$above"
    done
}

# made_up: the files of what it made up for a NIC without a profile, and goes on with where there is one
made_up() {
    for nic in $nics; do
        grep -lsxF "interface-name=$nic" "$root/run/NetworkManager/system-connections/Wired connection"*
    done
}

# free_NetworkManager: it makes all of it as our files say
free_NetworkManager() {
    for device in $(bonds_of_others); do ip link del dev "$device"; done
    made_up | while read -r file; do rm -f "$file"; done
}
