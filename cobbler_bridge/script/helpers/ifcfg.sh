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
        # an alias goes with its device
        device=${device%%:*}
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

# ifcfg_route DEVICE NUMBER...: network-scripts give the default route to no other device than
# GATEWAYDEV, which must be this one where it was one of these NICs
ifcfg_route() {
    bridge=$1
    shift
    for number; do
        old=
        eval "old=\$nic$number"
        [ "$old" = "$bridge" ] || edit_file 644 /etc/sysconfig/network \
            "s/^\([[:space:]]*GATEWAYDEV=[\"']\{0,1\}\)$old\([\"']\{0,1\}[[:space:]]*\)\$/\1$bridge\2/"
    done
}

# ifcfg_ipv6: EL 5 looks at no address of a machine whose IPv6 isn't switched on
ifcfg_ipv6() {
    [ -f "$root/etc/sysconfig/network" ] || leave_alone "there is no /etc/sysconfig/network"
    edit_file 644 /etc/sysconfig/network '/^[[:space:]]*NETWORKING_IPV6=/d'
    echo NETWORKING_IPV6=yes >> "$new/files/etc/sysconfig/network" ||
        leave_alone "/etc/sysconfig/network can't be edited"
}

# ifcfg_resolv KINDS LINE...: in resolv.conf these lines stand in place of all of these kinds, for EL 5
# and 6 add search domains and a second name server only together with a new first one
ifcfg_resolv() {
    lines="^($1)[[:space:]]"
    shift
    from=$root/etc/resolv.conf
    ! will_write /etc/resolv.conf || from=$new/files/etc/resolv.conf
    [ -f "$from" ] || return 0
    printf '%s\n' "$@" > "$new/names" || leave_alone "nothing can be written below $state"
    there=$(grep -E "$lines" "$from" | sed 's/[[:space:]]*$//') || :
    [ "$there" != "$(cat "$new/names")" ] || return 0
    { grep -vE "$lines" "$from" || :; } >> "$new/names" ||
        leave_alone "nothing can be written below $state"
    write_file 644 /etc/resolv.conf < "$new/names"
}

# ifcfg_reader: sets centi, which stands behind a time: network-scripts take hundredths of seconds
ifcfg_reader() {
    # shellcheck disable=SC2034
    centi=
    [ -f "$root/etc/sysconfig/network-scripts/ifup-eth" ] || return 0
    if [ -x "$root/usr/sbin/NetworkManager" ]; then
        for link in "$root"/etc/systemd/system/*/NetworkManager.service; do
            if [ -e "$link" ] || [ -L "$link" ]; then return 0; fi
        done
    fi
    # shellcheck disable=SC2034
    centi=00
}

# ifcfg_delay SECONDS: sets delay, an option for network-scripts alone
ifcfg_delay() {
    # shellcheck disable=SC2034
    delay=${centi:+"forward_delay=$1$centi "}
}

# ifcfg_bond NAME: the first releases of EL 5 make a bond of nothing else
ifcfg_bond() {
    [ -f "$root/etc/modprobe.conf" ] || return 0
    edit_file 644 /etc/modprobe.conf "/^[[:space:]]*alias[[:space:]]\{1,\}$1[[:space:]]/d"
    echo "alias $1 bonding" >> "$new/files/etc/modprobe.conf" ||
        leave_alone "/etc/modprobe.conf can't be edited"
}

# ifcfg_keep BRIDGE PATH 4|6|46 DEVICE...: what the installer's file for the first of these devices
# says of addresses is added to the bridge's file; with it go its aliases, routes and rules
ifcfg_keep() {
    bridge=$1 path=$2 versions=$3
    shift 3
    find_source ifcfg_source "$bridge" "$@"
    pattern=
    case $versions in *4*) pattern='BOOTPROTO|IPADDR|NETMASK|PREFIX|GATEWAY|BROADCAST|NETWORK|DHCP_|PERSISTENT_DHCLIENT|PEERDNS|PEERROUTES|DEFROUTE|IPV4_|METRIC|DNS[0-9]|DOMAIN|SEARCH' ;; esac
    case $versions in *6*) pattern="${pattern:+$pattern|}IPV6|DHCPV6C" ;; esac
    grep -E "^[[:space:]]*($pattern)" "$source" > "$new/keeping" ||
        leave_alone "$source has no address: nothing can be kept"
    old=$(ifcfg_value DEVICE "$source")
    old=${old:-${source##*/ifcfg-}}
    # the zone of a link-local gateway is the device
    sed "s/%$old\([^A-Za-z0-9_.-]\|\$\)/%$bridge\1/" "$new/keeping" >> "$new/files$path" ||
        leave_alone "$path can't be prepared"
    # what an earlier run has moved is among the kept ones
    for folder in "$state/kept" "$root"; do
        ifcfg_keep_more "$folder/etc/sysconfig/network-scripts"
    done
}

# ifcfg_keep_more FOLDER: aliases, routes and rules of the device $old become the bridge's
ifcfg_keep_more() {
    for alias in "$1/ifcfg-$old":*; do
        case $versions in *4*) ;; *) continue ;; esac
        [ -f "$alias" ] || continue
        sed "s/^\([[:space:]]*DEVICE=[\"']\{0,1\}\)[^:]*/\1$bridge/" "$alias" > "$new/moved" ||
            leave_alone "${alias#"$root"} can't be moved"
        write_file 644 "/etc/sysconfig/network-scripts/ifcfg-$bridge:${alias##*:}" < "$new/moved"
    done
    for kind in route rule route6 rule6; do
        case $kind,$versions in *6,*6* | *[!6],*4*) ;; *) continue ;; esac
        [ -f "$1/$kind-$old" ] || continue
        sed "s/dev[[:space:]]\{1,\}$old\([[:space:]]\|\$\)/dev $bridge\1/" "$1/$kind-$old" > "$new/moved" ||
            leave_alone "${1#"$root"}/$kind-$old can't be moved"
        write_file 644 "/etc/sysconfig/network-scripts/$kind-$bridge" < "$new/moved"
    done
}

# ifcfg_source DEVICE: sets source, the file that was for the device before any of ours
ifcfg_source() {
    mac=
    [ ! -r "$root/sys/class/net/$1/address" ] || mac=$(nic_mac "$1")
    for folder in "$root" "$state/kept"; do
        for ifcfg in "$folder"/etc/sysconfig/network-scripts/ifcfg-*; do
            case ${ifcfg##*/} in
            *:* | *~ | *.bak | *.orig | *.old | *.rpmnew | *.rpmorig | *.rpmsave) continue ;;
            esac
            if [ ! -f "$ifcfg" ] || [ -n "$(ifcfg_value BRIDGE "$ifcfg")" ]; then continue; fi
            address=$(ifcfg_value HWADDR "$ifcfg" | tr 'A-F' 'a-f')
            case $(ifcfg_value TYPE "$ifcfg") in
            Bridge) continue ;;
            Vlan | Bond) address= ;;
            esac
            case $(ifcfg_value DEVICE "$ifcfg"),$address in
            "$1,"* | *",${mac:-none}")
                source=$ifcfg
                return
                ;;
            esac
        done
    done
}
