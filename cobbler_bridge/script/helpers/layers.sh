# Looks at what is made of our NICs: it is described, taken over or left, or the network stays.
# needs: among chosen_name is_nic leave_alone route_devices say grep sed sort tr

# made_of DEVICE: what stands directly below it; each kernel says it of each kind in its own place
made_of() {
    at=$root/sys/class/net/$1
    for below in "$at"/brif/* "$at"/lower_*; do
        if [ ! -e "$below" ] && [ ! -L "$below" ]; then continue; fi
        below=${below##*/}
        printf '%s\n' "${below#lower_}"
    done
    {
        tr ' ' '\n' < "$at/bonding/slaves"
        sed -n 's/^Slave Interface: //p' "$root/proc/net/bonding/$1"
        sed -n 's/^Device: //p' "$root/proc/net/vlan/$1"
    } 2> /dev/null
    # by its name, where the kernel keeps no more of it
    case $1 in *.*) [ ! -e "$root/proc/net/vlan/$1" ] || printf '%s\n' "${1%.*}" ;; esac
}

# kind_of DEVICE: sets kind, and tag of a VLAN
kind_of() {
    at=$root/sys/class/net/$1 kind='' tag=''
    if [ -e "$at/bridge" ]; then
        kind=bridge
    elif [ -e "$at/bonding" ] || [ -e "$root/proc/net/bonding/$1" ]; then
        kind=bond
    elif [ -e "$root/proc/net/vlan/$1" ] || grep -qs '^DEVTYPE=vlan$' "$at/uevent"; then
        kind=VLAN
        tag=$(sed -n 's/.* VID: \([0-9]*\).*/\1/p' "$root/proc/net/vlan/$1" 2> /dev/null)
        tag=${tag:-${1##*.}}
    elif [ -e "$at/wireless" ] || [ -e "$at/phy80211" ]; then
        kind='wireless card'
    elif [ -e "$at" ]; then
        kind=device
    fi
}

# right_of NAME: what would be right for a device of this kind
right_of() {
    case $kind in
    bridge) echo "bridge=$1 keeps it, or bridge_port= names all its ports" ;;
    bond) echo "interface records of the types bond and bond_slave describe it, and then bridge_port=$1" ;;
    VLAN) echo "bridge_vlan=$tag puts the bridge there" ;;
    *) echo "nothing here describes a device of its kind; take it away, or name another NIC with bridge_port=" ;;
    esac
}

# no_nic NAME: ends here where it is a device that is made of others
no_nic() {
    kind_of "$1"
    [ -z "$kind" ] || leave_alone "$1 is a $kind and no NIC: $(right_of "$1")"
}

# no_single_nic DEVICE NICS: ends here
no_single_nic() {
    kind_of "$1"
    leave_alone "the default route goes over the $kind $1, which is made of ${2% }: $(right_of "$1")"
}

# layers yes|no|never: what is made of our NICs and would be in the way is taken over, or we end here.
# It goes up from each NIC; what isn't described is taken over, if that can be: its files are set
# aside. Says whether the bridges give a default route, for then no other may; never: no VLAN has one
# beside them
layers() {
    way_out=$1
    for at in "$root"/sys/class/net/*; do
        upper=${at##*/}
        ! is_nic "$upper" || continue
        kind_of "$upper"
        for lower in $(made_of "$upper" | sort -u); do
            printf '%s\n' "${kind%% *} $upper $lower $tag" ||
                leave_alone "nothing can be written below $state"
        done
    done > "$new/layers"
    file_layers >> "$new/layers" || leave_alone "nothing can be written below $state"
    known=$(route_devices | tr '\n' ' ')
    routed=" $known"
    for _ in 1 2 3 4; do
        while read -r kind upper lower tag; do
            case $kind in
            lease) [ -n "$known" ] || routed="$routed $upper" ;;
            route) routed="$routed $upper" ;;
            *) ! among "$upper" "$routed" || routed="$routed $lower" ;;
            esac
        done < "$new/layers"
    done
    while read -r number mac left; do
        seen=
        eval "waiting=\$nic$number"
        while [ -n "$waiting" ]; do
            # shellcheck disable=SC2086
            set -- $waiting
            under=$1
            shift
            waiting=$*
            while read -r kind upper lower tag; do
                [ "$lower" != "$under" ] || layer
            done < "$new/layers"
        done
    done < "$new/ports"
}

# file_layers: the same of what the files will make at boot, and which may give a default route
file_layers() {
    while read -r rank whose device also mac master ipv4 ipv6 path; do
        case $rank$whose in 00*own) ;; *) continue ;; esac
        [ "$device" != - ] || device=$(chosen_name "$mac")
        case $also in
        -) ;;
        *.) printf '%s\n' "macvlan $device ${also%.}" ;;
        *) printf '%s\n' "VLAN $device ${also%.*} ${also##*.}" ;;
        esac
        kind=bond
        # what nothing here can read of netplan's files is told beside them
        ! grep -Eqs 'BRIDGE(_UUID)?=|(slave|port)-type *= *bridge|bridge[_-]ports|^bridge '"$master\$" \
            "$path" "$new/netplan" || kind=bridge
        ! grep -Eqs '^(TEAM_MASTER|OVS_BRIDGE)=|(slave|port)-type *= *(team|ovs|vrf)|^team '"$master\$" "$path" "$new/netplan" || kind=team
        [ "$master" = - ] || printf '%s\n' "$kind $master $device"
        if grep -Eqs '(DEFROUTE="?no|DEFAULT_ROUTE=["'\'']?no|never-default *= *true)' "$path"; then continue; fi
        if grep -Eqs '^ *(export )?GATEWAY[0-9]*=|^gateway *=|^address[0-9]* *=.*,|^ +gateway |^route '"$device\$" \
            "$path" "$new/netplan"; then
            printf '%s\n' "route $device"
        elif [ "$ipv4" = dhcp ]; then
            printf '%s\n' "lease $device"
        fi
    done < "$new/found"
}

# layer: the device $upper, a $kind, is made of $lower
layer() {
    goes=
    ! among "$upper" "$routed" || goes=", which has the default route"
    case $kind in
    VLAN)
        if among "$lower/$tag" "$tagged" || among "p$lower/$tag" "$tagged"; then
            take_over
        elif [ -n "$goes" ] && [ -z "$left" ] && [ "$way_out" != no ]; then
            right=$(right_of "$upper")
            [ "$way_out" = never ] || right="$right, bridge_ipv4=none beside it"
            [ -z "$bonded" ] || right="an interface record $upper describes it"
            leave_alone "$lower has the VLAN $upper$goes: $right"
        fi
        return
        ;;
    bridge) [ -z "$left" ] || ! among "$lower" "$chosen" || return 0 ;;
    bond) [ -n "$bonded" ] || leave_alone "$lower is in the bond $upper$goes: $(right_of "$upper")" ;;
    *)
        [ -z "$left" ] || return 0
        leave_alone "$lower is part of $upper$goes: $(right_of "$upper")"
        ;;
    esac
    # their other ports would be left behind
    among "$upper" "$owned" || while read -r _ other port _; do
        [ "$other" != "$upper" ] || among "$port" "$chosen $owned" ||
            leave_alone "$lower is in the $kind $upper$goes, together with $port: $(right_of "$upper")"
    done < "$new/layers"
    take_over
}

# and_gone DEVICE...: sets these to them and to what was made of them and goes
and_gone() {
    these=$*
    for upper in $gone; do
        while read -r kind over lower tag; do
            [ "$over" = "$upper" ] || continue
            [ "$kind" != VLAN ] || lower=$lower.$tag
            [ "${#lower}" -le 15 ] || lower=vlan$tag
            ! among "$lower" "$these" || among "$upper" "$these" || these="$these $upper"
        done < "$new/layers"
    done
}

# take_over: $upper goes, or is described by that name already
take_over() {
    ! among "$upper" "$seen" || return 0
    seen="$seen $upper"
    # what lies on our bridge may do so
    among "$upper" "$bridges" || waiting="$waiting $upper"
    if ! among "$upper" "$owned"; then
        owned="$owned $upper" gone="$gone $upper"
        say "the $kind $upper of $lower is taken over"
    fi
}
