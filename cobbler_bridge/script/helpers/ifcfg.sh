# Keeps other ifcfg files, udev's rules and modprobe.conf from working against ours.
# needs: and_gone edit_whole file_of find_source keyfile_files leave_alone may_keep set_aside unfollowed will_write write_file
# needs: awk cat chmod grep sed tr

# ifcfg_lines FILE: its assignments as a shell takes them, each on a line of its own
ifcfg_lines() {
    # the last line may have no end
    text=$(cat "$1") && awk '
        !/(^|[ \t;])#/ && sub(/\\\r?$/, "") { held = held $0; next }
        {
            $0 = held $0
            held = ""
            while (sub(/^[ \t]*(export[ \t]+)?/, "") && match($0, /^[A-Za-z_][A-Za-z_0-9]*=("[^"]*"|\047[^\047]*\047|[^ \t\r;"\047])*/)) {
                print substr($0, 1, RLENGTH)
                $0 = substr($0, RLENGTH + 1)
                sub(/^[ \t]*;/, "")
            }
        }' <<EOF
$text
EOF
}

# ifcfg_files: each of them as a line of "there": path, UUID, whether it starts at boot (0: yes),
# priority, device, patterns of devices, MAC, parent and tag of a VLAN, master, IPv4, IPv6
ifcfg_files() {
    for each in "$root" "$state/kept"; do
        for ifcfg in "$each"/etc/sysconfig/network-scripts/ifcfg-*; do
            case $ifcfg in
            # what udev's rename_device leaves alone too; it reads .orig and .old
            *~ | *.bak | *.rej | *.aug??? | *.rpmnew | *.rpmorig | *.rpmsave | *.again | *\;* | */ifcfg-lo) continue ;;
            esac
            [ -f "$ifcfg" ] || continue
            if printf '%s\n' "$ifcfg" && ifcfg_lines "$ifcfg"; then continue; fi
            leave_alone "${ifcfg#"$root"} can't be read"
        done
    done > "$new/lines"
    awk '
        function end(    name, device, mac, parent, tag, ip4, ip6, i) {
            name = path
            sub(/.*\/ifcfg-/, "", name)
            device = v["DEVICE"]
            mac = tolower(v["HWADDR"])
            if (name ~ /-range[0-9]*$/) {
                device = name
                sub(/-range/, ":", device)
            }
            if (device mac == "") device = name
            # the kernel shows the address that it gives itself
            if (device != "" && v["MACADDR"] ~ /:/) mac = ""
            # by it EL 5 would take the NIC, and udev on later ones give it the name of what is no NIC
            if (mac != "" && tolower(v["TYPE"]) ~ /^(bond|bridge|team)$/) print path, "", 9, "", "", "", mac, "", "", "", "", ""
            if (index(" bond bridge team vlan ", " " tolower(v["TYPE"]) " ") || v["VLAN"] ~ /^[Yy]/) mac = ""
            if (v["VLAN"] ~ /^[Yy]/ || tolower(v["TYPE"]) == "vlan") {
                parent = v["PHYSDEV"]
                tag = v["VLAN_ID"]
                if (parent == "" && device ~ /\.[0-9]+$/) {
                    parent = device
                    sub(/\.[0-9]+$/, "", parent)
                }
                if (tag == "" && match(device, /[0-9]+$/)) tag = substr(device, RSTART) + 0
            }
            if (tolower(v["TYPE"]) ~ /^(mac|ip)vlan$/) parent = v["PHYSDEV"]
            if (v["MASTER"] == "") v["MASTER"] = v["TEAM_MASTER"] v["OVS_BRIDGE"]
            ip4 = v["IPADDR"]
            for (i = 0; ip4 == "" && i < 10; i++) ip4 = v["IPADDR" i]
            if (ip4 == "") ip4 = v["IPADDR_START"]
            if (tolower(v["BOOTPROTO"]) ~ /^(dhcp|bootp)$/) ip4 = "dhcp"
            ip6 = v["IPV6ADDR"]
            if (ip6 == "") ip6 = v["IPV6ADDR_SECONDARIES"]
            sub(/ .*/, "", ip6)
            if (tolower(v["IPV6INIT"]) ~ /^n/) ip6 = ""
            print path, v["UUID"], (name ~ /\.(orig|old)$/ ? 9 : tolower(v["ONBOOT"]) ~ /^(no?|f(alse)?|off|0)$/),
                v["AUTOCONNECT_PRIORITY"], device, "", mac, parent, tag,
                v["BRIDGE"] v["BRIDGE_UUID"] == "" ? v["MASTER"] == "" ? v["MASTER_UUID"] : v["MASTER"] : v["BRIDGE"] == "" ? v["BRIDGE_UUID"] : v["BRIDGE"],
                ip4, ip6
        }
        BEGIN { OFS = "\t" }
        /^\// {
            if (path != "") end()
            path = $0
            split("", v)
            next
        }
        {
            at = index($0, "=")
            value = substr($0, at + 1)
            gsub(/["\047]/, "", value)
            gsub(/\t/, " ", value)
            v[substr($0, 1, at - 1)] = value
        }
        END { if (path != "") end() }' "$new/lines" >> "$new/there" || leave_alone "the ifcfg files can't be read"
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
    edit_whole "$1" "$2" < "$new/edited"
}

# ifcfg_route BRIDGE DEVICE...: default and static routes name the bridge in place of these.
# Both readers give a default route to no other device; the same of what was made of them
ifcfg_route() {
    name=$1
    shift
    and_gone "$@"
    for old in $these; do
        [ "$old" != "$name" ] || continue
        edit_file 644 /etc/sysconfig/network \
            "s/^\([[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}\(GATEWAYDEV=[\"']\{0,1\}\|IPV6_DEFAULTDEV=[\"']\{0,1\}\|IPV6_DEFAULTGW=[^%]*%\)\)$old\([\"']\{0,1\}\([[:space:]].*\)\{0,1\}\)\$/\1$name\4/"
        for routes in '' -ipv6; do
            edit_file 644 "/etc/sysconfig/static-routes$routes" "s/\(^\|^[^#]*[[:space:]]\)$old\([[:space:]]\|\$\)/\1$name\2/"
        done
    done
}

# ifcfg_ipv6: EL 5 looks at no address of a machine whose IPv6 isn't switched on
ifcfg_ipv6() {
    [ -f "$root/etc/sysconfig/network" ] || leave_alone "there is no /etc/sysconfig/network"
    edit_file 644 /etc/sysconfig/network '/^[[:space:]]*NETWORKING_IPV6=/d'
    echo NETWORKING_IPV6=yes >> "$new/files/etc/sysconfig/network" ||
        leave_alone "/etc/sysconfig/network can't be edited"
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

# ifcfg_rivals: NetworkManager, where it reads our files, reads keyfiles beside them
ifcfg_rivals() {
    ifcfg_reader
    [ -n "$centi" ] || keyfile_files
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

# the card's own business, with how a mainframe makes one of its channels
of_cards='ETHTOOL_|IEEE_8021X_|KEY_MGMT|SUBCHANNELS|NETTYPE|PORTNAME|CTCPROT|OPTIONS|SRIOV_|DEVTIMEOUT'

# ifcfg_keep BRIDGE NAME IPV4 IPV6 DEVICE...: adds to the bridge's file what that of a device says.
# It is the one by which the first of these devices is started, see may_keep; with it go its
# aliases, routes and rules
ifcfg_keep() {
    bridge=$1 into=/etc/sysconfig/network-scripts/ifcfg-$2 method4=$3 method6=$4
    shift 4
    find_source "$bridge" "$@"
    may_keep "$method4" "$method6" '*/ifcfg-*' || return 0
    v4='BOOTPROTO|IPADDR|NETMASK|PREFIX|GATEWAY[0-9]*=|BROADCAST|NETWORK|DHCP_|DHCPRELEASE|PERSISTENT_DHCLIENT|PEERDNS|PEERROUTES|DEFROUTE|IPV4_|METRIC|DNS[0-9]|DOMAIN|SEARCH|RESOLV_MODS|RES_OPTIONS|SRCADDR|ROUTING_RULE_'
    v6='IPV6|DHCPV6|ROUTING_RULE6_'
    # whose they are, and what says nothing to a bridge
    any='MTU|ZONE|ARP|ACD_TIMEOUT|DHCLIENTARGS|NOZEROCONF|CONNECTION_METERED|LLMNR|MDNS|LINKDELAY'
    own='DEVICE|NAME|UUID|HWADDR|TYPE|ONBOOT|BOOTPROTO|USERCTL|NM_CONTROLLED|PROXY_METHOD|BROWSER_ONLY|BRIDG|MASTER|SLAVE|VLAN|PHYSDEV|REORDER_HDR|BONDING_|STP|DELAY|AUTOCONNECT|HOTPLUG|NETBOOT|STARTMODE|'$of_cards
    ifcfg_lines "$source" > "$new/lines" || leave_alone "${source#"$root"} can't be read"
    lost=$(grep -vE "^($v4|$v6|$any|$own)" "$new/lines" | sed 's/=.*//' | tr '\n' ' ')
    [ -z "$lost" ] || unfollowed "$bridge does not get all that $origin has: ${lost% }"
    # the one wins, the other is what is missing there
    wins='' adds=$any
    case $whole in *4*) wins=$v4 ;; esac
    case $whole in *6*) wins=${wins:+$wins|}$v6 ;; esac
    case $rest in *4*) adds="$adds|$v4" ;; esac
    case $rest in *6*) adds="$adds|$v6" ;; esac
    ifcfg_merge "$into" "${wins:-=}" "$adds" "$device" "$bridge"
    [ -n "$beside" ] || ifcfg_route "$bridge" "$device"
    stem=${source##*/ifcfg-}
    # what an earlier run has moved is among the kept ones
    for folder in "$state/kept" "$root"; do
        ifcfg_keep_more "$folder/etc/sysconfig/network-scripts" "$device"
        # NetworkManager goes by the name of the file
        [ "$stem" = "$device" ] || ifcfg_keep_more "$folder/etc/sysconfig/network-scripts" "$stem"
    done
}

# ifcfg_port NAME DEVICE NEW: what is the card's own business stays in its file
ifcfg_port() {
    file_of "$2"
    case $source in */ifcfg-*) ;; *) return 0 ;; esac
    ifcfg_lines "$source" > "$new/lines" || leave_alone "${source#"$root"} can't be read"
    into=/etc/sysconfig/network-scripts/ifcfg-$1
    ifcfg_merge "$into" = "MTU|$of_cards" "$2" "$3"
    # its secrets; those in another file NetworkManager finds by the name of this one
    ! grep -q '^IEEE_8021X_.*PASSWORD' "$new/files$into" || chmod 600 "$new/files$into" ||
        leave_alone "$into can't be prepared"
    keys=/etc/sysconfig/network-scripts/keys- stem=${source##*/ifcfg-}
    [ "$stem" = "$1" ] || [ ! -f "$root$keys$stem" ] || write_file 600 "$keys$1" < "$root$keys$stem"
}

# ifcfg_merge FILE WINS ADDS OLD NEW: of "lines" the keys WINS take the place of ours, ADDS are added
# where we have none; the choice among several ways out is ours
ifcfg_merge() {
    awk -v wins="^($2)" -v adds="^($3)" -v old="$4" -v new="$5" '
        # of DNS1 and DNS2 it is DNS
        function key(line) {
            sub(/[0-9]*=.*/, "", line)
            return line
        }
        function add(line) {
            all[++m] = line
            none = none || line ~ /^IPV6_AUTOCONF=.?[NnFf0]/
            some = some || line ~ /^(IPV6ADDR|DHCPV6C=.?[YyTt1])/
        }
        FNR == 1 { nth++ }
        nth == 1 { ours[++last] = $0; mine[key($0)]; next }
        $0 ~ wins && !(key($0) ~ /^(DEFROUTE|METRIC|IPV4_ROUTE_METRIC)$/ && key($0) in mine) ||
        $0 ~ adds && !(key($0) in mine) {
            # the zone of a link-local gateway is the device
            at = index($0, "%" old)
            rest = substr($0, at + length(old) + 1)
            if (at && rest !~ /^[A-Za-z0-9_.-]/) $0 = substr($0, 1, at) new rest
            theirs[++n] = $0
            there[key($0)]
        }
        END {
            for (i = 1; i <= last; i++) {
                name = key(ours[i])
                if (name in there && ours[i] ~ wins) continue
                if (ours[i] ~ wins && name !~ /^(DNS|DOMAIN|SEARCH|DEFROUTE|METRIC|IPV4_ROUTE_METRIC)$/) continue
                add(ours[i])
            }
            for (i = 1; i <= n; i++) add(theirs[i])
            for (i = 1; i <= m; i++) {
                # NetworkManager refuses name servers of an IPv6 that it does not have, and stops
                # where a number is left out
                if (none && !some && all[i] ~ /^DNS[0-9]/) {
                    if (all[i] ~ /:/) continue
                    sub(/^DNS[0-9]*/, "DNS" (++dns), all[i])
                }
                print all[i]
            }
        }' "$new/files$1" "$new/lines" > "$new/merged" || leave_alone "$1 can't be prepared"
    sed "s/\([io]if[[:space:]]\{1,\}\)$4\([[:space:]\"']\|\$\)/\1$5\2/g" "$new/merged" > "$new/files$1" ||
        leave_alone "$1 can't be prepared"
}

# ifcfg_keep_more FOLDER NAME: aliases, ranges, routes and rules of the device become the bridge's
ifcfg_keep_more() {
    for from in "$1/ifcfg-$2":* "$1/ifcfg-$2"-range* \
        "$1/route-$2" "$1/rule-$2" "$1/route6-$2" "$1/rule6-$2"; do
        name=${from##*/} there=${from#"$root"}
        case $name in *.again | *~ | *.bak | *.rpm* | *.orig | *.old) continue ;; esac
        [ -f "$from" ] || continue
        moved=/etc/sysconfig/network-scripts/${name%%-*}-$bridge${name#*-"$2"}
        case $whole$rest/$name in
        *6*/route6-* | *6*/rule6-* | *4*/ifcfg-* | *4*/route-* | *4*/rule-*) ;;
        *)
            case $there in "$moved" | /var/*) ;; *) unfollowed "$bridge does not get what $there says" ;; esac
            continue
            ;;
        esac
        sed -e "s/^\([[:space:]]*DEVICE=[\"']\{0,1\}\)\($device\|$2\)/\1$bridge/" \
            -e "s/\(dev\|[io]if\)\([[:space:]]\{1,\}\)$device\([[:space:]]\|\$\)/\1\2$bridge\3/g" "$from" > "$new/moved" ||
            leave_alone "$there can't be moved"
        write_file 644 "$moved" < "$new/moved"
        # else a reader gives them to the port
        case $there in "$moved" | /var/*) ;; *) set_aside "$there" ;; esac
    done
}
