# Keeps other ifcfg files, udev's rules and modprobe.conf from working against ours.

# ifcfg_value KEY FILE: the value as network-scripts would see it
ifcfg_value() {
    sed -n "s/^[[:space:]]*$1=[\"']\{0,1\}\([^\"'#[:space:]]*\).*/\1/p" "$2" | tail -n 1
}

# ifcfg_alone: a second file for the same device would win or fail, by luck
ifcfg_alone() {
    for ifcfg in "$root"/etc/sysconfig/network-scripts/ifcfg-*; do
        path=${ifcfg#"$root"}
        case $path in
        # what udev's rename_device leaves alone too; it reads .orig and .old
        *~ | *.bak | *.rpmnew | *.rpmorig | *.rpmsave | */ifcfg-lo) continue ;;
        esac
        if [ ! -f "$ifcfg" ] || will_write "$path"; then continue; fi
        device=$(ifcfg_value DEVICE "$ifcfg")
        address=$(ifcfg_value HWADDR "$ifcfg" | tr 'A-F' 'a-f')
        set_aside_rival "$path" "$device" "$address"
    done
}

# ifcfg_follow_rename NUMBER: EL 5 and 6 keep the NIC's name in other places too
ifcfg_follow_rename() {
    old='' name='' mac=''
    eval "old=\$nic$1 name=\$port$1 mac=\$mac$1"
    [ "$old" != "$name" ] || return 0
    edit_file 644 /etc/udev/rules.d/70-persistent-net.rules "/$mac/s/NAME=\"[^\"]*\"/NAME=\"$name\"/"
    edit_file 644 /etc/modprobe.conf "s/^\([[:space:]]*alias[[:space:]]\{1,\}\)$old\([[:space:]]\)/\1$name\2/"
}

# edit_file MODE PATH SED-COMMAND: where the file is there, or was edited before
edit_file() {
    if will_write "$2"; then from=$new/files$2; else from=$root$2; fi
    [ -f "$from" ] || return 0
    sed "$3" "$from" > "$new/edited" || leave_alone "$2 can't be edited"
    write_file "$1" "$2" < "$new/edited"
}

# ifcfg_route: network-scripts give the default route to no other device than this one
ifcfg_route() {
    for each in $chosen; do
        [ "$each" = "$bridge" ] || edit_file 644 /etc/sysconfig/network \
            "s/^\([[:space:]]*GATEWAYDEV=[\"']\{0,1\}\)$each\([\"']\{0,1\}[[:space:]]*\)\$/\1$bridge\2/"
    done
}

# ifcfg_ipv6: EL 5 looks at no address of a machine whose IPv6 isn't switched on
ifcfg_ipv6() {
    [ -f "$root/etc/sysconfig/network" ] || leave_alone "there is no /etc/sysconfig/network"
    edit_file 644 /etc/sysconfig/network '/^[[:space:]]*NETWORKING_IPV6=/d'
    echo NETWORKING_IPV6=yes >> "$new/files/etc/sysconfig/network" ||
        leave_alone "/etc/sysconfig/network can't be edited"
}
