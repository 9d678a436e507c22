# Keeps other keyfiles of NetworkManager and udev's names from working against ours.

# keyfile_value KEY FILE: the value, with its letters as an address has them
keyfile_value() {
    sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$2" | head -n 1 | tr 'A-F' 'a-f'
}

# keyfile_alone: the profile that the installer used would take the NIC for itself
keyfile_alone() {
    for keyfile in "$root"/etc/NetworkManager/system-connections/*; do
        path=${keyfile#"$root"}
        if [ ! -f "$keyfile" ] || will_write "$path"; then continue; fi
        device=$(sed -n 's/^[[:space:]]*interface-name[[:space:]]*=[[:space:]]*//p' "$keyfile")
        address=$(keyfile_value mac-address "$keyfile")
        set_aside_rival "$path" "$device" "$address"
    done
}

# keyfile_rename NUMBER: nothing else gives the NIC its new name; by its permanent address, for
# the bridge has the same one
keyfile_rename() {
    old='' name='' mac=''
    eval "old=\$nic$1 name=\$port$1 mac=\$mac$1"
    [ "$old" != "$name" ] || return 0
    write_file 644 "/etc/systemd/network/70-cobbler-bridge-$name.link" << EOF
[Match]
PermanentMACAddress=$mac

[Link]
Name=$name
EOF
}
