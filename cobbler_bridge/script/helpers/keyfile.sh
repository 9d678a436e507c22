# Keeps other keyfiles of NetworkManager and udev's names from working against ours.

# keyfile_value KEY FILE: the value, with its letters as an address has them
keyfile_value() {
    sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$2" | head -n 1 | tr 'A-F' 'a-f'
}

# keyfile_device FILE: the device that the profile is for
keyfile_device() {
    sed -n 's/^[[:space:]]*interface-name[[:space:]]*=[[:space:]]*//p' "$1" | head -n 1
}

# keyfile_alone: the profile that the installer used would take the NIC for itself
keyfile_alone() {
    for keyfile in "$root"/etc/NetworkManager/system-connections/*; do
        path=${keyfile#"$root"}
        if [ ! -f "$keyfile" ] || will_write "$path"; then continue; fi
        device=$(keyfile_device "$keyfile")
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

# keyfile_keep BRIDGE PATH "ipv4 ipv6" DEVICE...: these sections of the installer's file for the
# first of the devices are added to the bridge's file
keyfile_keep() {
    bridge=$1 path=$2 sections=$3
    shift 3
    find_source keyfile_source "$bridge" "$@"
    awk -v wanted=" $sections " '
        /^[ \t]*\[/ {
            section = $0
            gsub(/[][ \t]/, "", section)
            inside = index(wanted, " " section " ")
            if (inside) print ""
        }
        inside && NF { print }' "$source" > "$new/keeping"
    grep -q '^[[:space:]]*method[[:space:]]*=' "$new/keeping" ||
        leave_alone "$source has no address: nothing can be kept"
    cat "$new/keeping" >> "$new/files$path" || leave_alone "$path can't be prepared"
}

# keyfile_source DEVICE: sets source, the profile that was for the device before any of ours
keyfile_source() {
    mac=
    [ ! -r "$root/sys/class/net/$1/address" ] || mac=$(nic_mac "$1")
    for folder in "$root" "$state/kept"; do
        for keyfile in "$folder"/etc/NetworkManager/system-connections/*; do
            if [ ! -f "$keyfile" ] || [ -n "$(keyfile_value master "$keyfile")" ]; then continue; fi
            address=$(keyfile_value mac-address "$keyfile")
            case $(keyfile_value type "$keyfile") in
            bridge) continue ;;
            vlan | bond) address= ;;
            esac
            case $(keyfile_device "$keyfile"),$address in
            "$1,"* | *",${mac:-none}")
                source=$keyfile
                return
                ;;
            esac
        done
    done
}
