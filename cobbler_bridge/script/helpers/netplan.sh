# Has the machine's own python read netplan's files and write what becomes of them.
# needs: edit_whole find_source keyfile_files leave_alone may_keep nics runs set_aside unfollowed will_not_write write_file
# needs: cat grep readlink sed

# netplan_files: each device of netplan's files as a line of "there"; and of keyfiles, where
# NetworkManager is what it writes for
netplan_files() {
    # for this script only
    cat "$new/files/usr/libexec/cobbler-bridge/netplan" > "$new/netplan.py" ||
        leave_alone "nothing can be written below $state"
    will_not_write /usr/libexec/cobbler-bridge/netplan
    while read -r number mac left; do
        eval "printf '%s\n' \"nic \$nic$number \$port$number $mac $left\""
    done < "$new/ports" > "$new/asked" || leave_alone "nothing can be written below $state"
    for each in $(nics); do
        driver=$(readlink "$root/sys/class/net/$each/device/driver")
        printf '%s\n' "card $each ${driver##*/}"
    done >> "$new/asked" || leave_alone "nothing can be written below $state"
    ! runs || echo runs >> "$new/asked" || leave_alone "nothing can be written below $state"
    netplan_program there
    cat "$new/told" >> "$new/there" || leave_alone "nothing can be written below $state"
    ! grep -qx 'renderer NetworkManager' "$new/netplan" || keyfile_files
}

# netplan_program COMMAND: what it prints is "told"; what it refuses is its last line
netplan_program() {
    "$root/usr/bin/python3" "$new/netplan.py" "$1" "$root" \
        < "$new/asked" > "$new/told" 2> "$new/why" || {
        why='netplan'\''s files can'\''t be read'
        while read -r line; do why=$line; done < "$new/why"
        leave_alone "$why"
    }
}

# netplan_networkd WHAT: NetworkManager is never told of it
netplan_networkd() {
    ! grep -qx 'renderer NetworkManager' "$new/netplan" ||
        leave_alone "netplan has no $1 for NetworkManager, which renders the network here: remove it"
}

# netplan_keep BRIDGE IPV4 IPV6 DEVICE...: what is said of the first of these devices, see may_keep
netplan_keep() {
    bridge=$1 method4=$2 method6=$3
    shift 3
    find_source "$bridge" "$@"
    may_keep "$method4" "$method6" '*.yaml' || return 0
    printf '%s\n' "keep $bridge -$whole -$rest $device $source" >> "$new/asked" ||
        leave_alone "nothing can be written below $state"
}

# netplan_write: ours and all others as they will be, once netplan itself has read them
netplan_write() {
    printf '%s\n' "owned $owned" >> "$new/asked" || leave_alone "nothing can be written below $state"
    netplan_program write
    while read -r what mode path; do
        case $what in
        write) write_file "$mode" "$path" < "$new/netplan.d$path" ;;
        edit) edit_whole "$mode" "$path" < "$new/netplan.d$path" ;;
        aside) set_aside "$path" ;;
        unfollowed) unfollowed "$path" ;;
        renamed)
            expected=/var/lib/cobbler-bridge/expected
            [ ! -e "$new/files$expected" ] || sed -i "s/^\([a-z]*\) $mode\( [0-9]*\)*\$/\1 $path\2/" "$new/files$expected" ||
                leave_alone "$expected can't be prepared"
            ;;
        esac
    done < "$new/told"
}
