# Finds the NICs, and what they will be called.
# needs: among find_boot_nic has_link leave_alone made_of no_nic no_single_nic own runs say
# needs: awk cat grep sed sort tr

# is_this_host MAC...: ends here on a machine that runs and has none of these: it is another one
is_this_host() {
    runs || return 0
    {
        cat "$root"/sys/class/net/*/address "$root"/proc/net/bonding/*
        for each in $(nics); do nic_mac "$each"; done
    } 2> /dev/null | tr 'A-F' 'a-f' | grep -qF "$(printf '%s\n' "$@")" ||
        leave_alone "this is another machine, or Cobbler has old MAC addresses: none here is $(printf '%s' "$*" | sed 's/ / or /g'); there are $(nics_said)"
}

# nic NUMBER ROLE HOW [VALUE]: sets nicN (the name now), portN (the name to be) and macN
nic() {
    find_nic "$@"
    name=$nic
    ! among "$nic" "$bridges" || name=p$nic
    [ "${#name}" -le 15 ] || leave_alone "the NIC $nic can't be renamed $name: over 15 characters"
    own "$name"
    chosen_as "$1" "$2"
}

# nic_left NUMBER ROLE HOW [VALUE]: the same for a NIC whose own files stay as they are
nic_left() {
    find_nic "$@"
    name=$nic
    ! among "$nic" "$bridges" || leave_alone "$nic can't keep its name: a bridge gets it"
    chosen_as "$1" "$2" left
}

# find_nic NUMBER ROLE find_auto|find_mac|find_name [VALUE]: sets nic by that, or ends here
find_nic() {
    nic=
    "$3" "${4:-}" "$1"
    [ -n "$nic" ] || leave_alone "no NIC is certain to be $2 (asked for: ${3#find_}${4:+ $4}); there are $(nics_said)"
    case $nic in
    *[!A-Za-z0-9_.-]*) leave_alone "a NIC has the strange name '$nic'" ;;
    esac
    ! among "$nic" "$chosen" || leave_alone "$nic would be a port twice"
    chosen="$chosen $nic"
}

# chosen_as NUMBER ROLE [left]
chosen_as() {
    mac=$(nic_mac "$nic")
    [ "${#mac}" -eq 17 ] || leave_alone "the address of $nic can't be read"
    eval "nic$1=\$nic port$1=\$name mac$1=\$mac"
    printf '%s\n' "$1 $mac${3:+ $3}" >> "$new/ports" ||
        leave_alone "nothing can be written below $state"
    say "$2 is $nic ($mac)"
}

# none_renamed: ends here where a NIC would have to get another name, and nothing gives it that
none_renamed() {
    while read -r number mac left; do
        eval "nic=\$nic$number name=\$port$number"
        [ "$nic" = "$name" ] || leave_alone "$nic would be renamed $name, which nothing here does: give the bridge another name"
    done < "$new/ports"
}

# vlan NUMBER PARENT TAG: sets vlanN, the name that it gets
vlan() {
    name=$2.$3
    [ "${#name}" -le 15 ] || name=vlan$3
    own "$name"
    tagged="$tagged $2/$3"
    eval "vlan$1=\$name"
}

# is_nic NAME: an Ethernet device that is neither wireless nor made of other devices
is_nic() {
    at=$root/sys/class/net/$1
    [ "$1" != lo ] && [ -r "$at/address" ] || return 1
    # Open vSwitch's own look like any
    [ -e "$at/device" ] || [ ! -e "$root/sys/class/net/ovs-system" ] || return 1
    for mark in bridge bonding tun_flags wireless phy80211; do
        [ ! -e "$at/$mark" ] || return 1
    done
    for mark in "$at"/lower_*; do
        # some hardware is made of other hardware
        if [ -e "$mark" ] || [ -L "$mark" ]; then [ -e "$at/device" ] || return 1; fi
    done
    [ ! -e "$root/proc/net/vlan/$1" ] || return 1
    while read -r mark; do
        case $mark in DEVTYPE=*) return 1 ;; esac
    done < "$at/uevent"
    kind=
    read -r kind < "$at/type" || :
    [ "$kind" = 1 ]
}

# nics: the hardware; where there is none, as in a container, what looks like it
nics() {
    hardware=
    others=
    for at in "$root"/sys/class/net/*; do
        at_name=${at##*/}
        is_nic "$at_name" || continue
        if [ -e "$root/sys/class/net/$at_name/device" ]; then
            hardware="$hardware $at_name"
        else
            others="$others $at_name"
        fi
    done
    printf '%s\n' "${hardware:-$others}"
}

# chosen_name MAC: the NIC of ours that has it
chosen_name() {
    for each in $chosen; do
        [ "$(nic_mac "$each")" != "$(printf '%s' "$1" | tr 'A-F' 'a-f')" ] || printf '%s\n' "$each"
    done
}

# nic_mac NAME: its own address, for a bond gives all its ports that of the first
nic_mac() {
    own_mac=
    for bond in "$root"/proc/net/bonding/*; do
        [ -f "$bond" ] || continue
        own_mac=$(awk -v nic="$1" '
            /^Slave Interface: / { inside = $3 == nic }
            inside && /^Permanent HW addr: / { print $4 }' "$bond")
        [ -z "$own_mac" ] || break
    done
    # 3: somebody gave it another one, which it has no more when it starts again
    assigned=
    { read -r assigned < "$root/sys/class/net/$1/addr_assign_type"; } 2> /dev/null || :
    [ -n "$own_mac" ] || [ "$assigned" != 3 ] ||
        own_mac=$({ ethtool -P "$1" || ip link show dev "$1"; } 2> /dev/null | sed -n 's/.*: \([0-9a-f:]*[1-9a-f][0-9a-f:]*\)$/\1/p;s/.* permaddr \([0-9a-f:]*\).*/\1/p')
    [ -n "$own_mac" ] || read -r own_mac < "$root/sys/class/net/$1/address" || :
    # as the kernel writes it
    case $own_mac in *[A-F]*) own_mac=$(printf '%s' "$own_mac" | tr 'A-F' 'a-f') ;; esac
    printf '%s\n' "$own_mac"
}

nics_said() {
    said=
    for each in $(nics); do
        if has_link "$each"; then link='a link'; else link='no link'; fi
        said="$said${said:+, }$each ($(nic_mac "$each"), $link)"
    done
    printf '%s\n' "${said:-no NICs}"
}

# only LIST: sets nic where there is just one word in the list
only() {
    nic=
    # shellcheck disable=SC2086
    set -- $1
    [ $# -ne 1 ] || nic=$1
}

# find_mac MAC
find_mac() {
    found=
    for each in $(nics); do
        [ "$(nic_mac "$each")" != "$1" ] || found="$found $each"
    done
    only "$found"
}

# find_name NAME: a port that bears a bridge's name has p before it once the machine was started again
find_name() {
    nic=
    if is_nic "$1"; then
        nic=$1
    elif among "$1" "$bridges" && is_nic "p$1"; then
        nic=p$1
    elif [ "$1" = "p${1#p}" ] && among "${1#p}" "$bridges" && is_nic "${1#p}"; then
        nic=${1#p}
    else
        no_nic "$1"
    fi
}

# find_auto MAC NUMBER: the NIC of an earlier run, then the one that Cobbler knows, the one that the
# installer was told of or started from, the one of the default route, and the only one (with a link)
find_auto() {
    for address in "$(remembered_mac "$2")" "$1"; do
        [ -n "$address" ] || continue
        find_mac "$address"
        [ -z "$nic" ] || return 0
    done
    for how in find_boot_nic find_route_nic; do
        "$how"
        [ -z "$nic" ] || return 0
    done
    only "$(nics)"
    [ -z "$nic" ] || return 0
    linked=
    for each in $(nics); do
        ! has_link "$each" || linked="$linked $each"
    done
    only "$linked"
}

remembered_mac() {
    [ ! -r "$state/ports" ] || sed -n "s/^$1 \([^ ]*\).*/\1/p" "$state/ports"
}

find_route_nic() {
    for device in $(route_devices); do
        below=" $(nics_below "$device" | tr '\n' ' ')"
        those=
        for each in $(nics); do
            ! among "$each" "$below" || those="$those$each "
        done
        # what stands in for hardware, as the eth0 that xend makes
        [ -n "$those" ] || ! is_nic "$device" || those=$device
        only "$those"
        [ -z "$nic" ] || return 0
        [ -z "$those" ] || no_single_nic "$device" "$those"
    done
}

# route_devices: those of the default routes, the one that is used first
route_devices() {
    awk '$2 == "00000000" && $8 ~ /^0*$/ { print $1 }' "$root/proc/net/route"
    awk '$1 ~ /^0+$/ && $2 == "00" && $NF != "lo" { print $NF }' "$root/proc/net/ipv6_route"
} 2> /dev/null

# nics_below DEVICE: itself, or what its bridge, bond or VLAN is made of
nics_below() {
    if is_nic "$1"; then
        printf '%s\n' "$1"
        return
    fi
    for below in $(made_of "$1"); do
        nics_below "$below"
    done | sort -u
}

check_names() {
    for each in $owned; do
        among "$each" "$chosen" || ! is_nic "$each" || leave_alone "another NIC has the name $each"
    done
}
