# Part of the check, where NetworkManager may read the network's files.
readers="$readers NetworkManager"

# clear_NetworkManager: or it takes up again what it made up for a NIC whose profile did not fit
clear_NetworkManager() {
    rm -rf "$root"/run/NetworkManager/devices \
        "$root/run/NetworkManager/system-connections/Wired connection"*
}
