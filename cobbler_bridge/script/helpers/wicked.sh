# Keeps other files of wicked, and udev's rules, from working against ours.
# needs: and_gone current edit_file file_of find_source ifcfg_lines ifcfg_merge leave_alone may_keep rewrite_file set_aside unfollowed will_write write_file
# needs: awk cat cp grep mkdir rm sed tr

wicked=/etc/sysconfig/network

# awk that knows whether an address A/P has another one in its network, by IPv4
# shellcheck disable=SC2016 # awk's
wicked_awk='
    function number(text,  part) {
        if (split(text, part, ".") != 4) return -1
        return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4]
    }
    function has(address, other,  part) {
        if (split(address, part, "/") != 2 || number(part[1]) < 0 || number(other) < 0) return 0
        return int(number(part[1]) / 2 ^ (32 - part[2])) == int(number(other) / 2 ^ (32 - part[2]))
    }
    function is_default(net) { return net ~ /^(default|0\.0\.0\.0(\/0)?|::(\/0)?)$/ }
    function version(line) { return line ~ /:|(^|[ \t])ipv6([ \t]|$)/ ? 6 : 4 }
    '

# wicked_routing: routes or rules from standard input, each whole on its line, without a comment
wicked_routing() {
    tr -d '\r' | awk '
        function routing() {
            sub(/[ \t]*#.*/, "", held)
            print held
            held = ""
        }
        {
            held = held $0
            if (!sub(/\\$/, "", held)) routing()
        }
        END { if (held != "") routing() }'
}

# wicked_files: each device of its files as a line of "there", as ifcfg_files has them; and which are
# bridges and teams, and have a default route, in "netplan"
wicked_files() {
    for base in "$root" "$state/kept"; do
        for ifcfg in "$base$wicked"/ifcfg-*; do
            case $ifcfg in
            *~ | *.bak | *.old | *.orig | *.rpmnew | *.rpmorig | *.rpmsave | *.scpmbackup | *.again | */ifcfg-lo) continue ;;
            esac
            [ -f "$ifcfg" ] || continue
            if printf '%s\n' "$ifcfg" && ifcfg_lines "$ifcfg"; then continue; fi
            leave_alone "${ifcfg#"$root"} can't be read"
        done
        for routes in "$base$wicked"/ifroute-* "$base$wicked"/routes; do
            case $routes in *~ | *.again | *.bak | *.old | *.orig | *.rpm*) continue ;; esac
            [ ! -f "$routes" ] || wicked_routing < "$routes" | sed "s,^,@${routes##*/} ,"
        done
        # what is of another time comes behind, and is told apart
        echo '!'
    done > "$new/lines" || leave_alone "nothing can be written below $state"
    : > "$new/netplan" || leave_alone "nothing can be written below $state"
    awk -v told="$new/netplan" "$wicked_awk"'
        function named(path) {
            sub(/.*\/ifcfg-/, "", path)
            return path
        }
        function row(device, path) {
            print path, "", !(start[device] ~ /^(auto|boot|on|onboot|nfsroot|hotplug|ifplugd)$/ || device in master), "",
                device, "", "", parent[device], tag[device], master[device], ip4[device], ip6[device]
        }
        function begin(list,  n) {
            count = 0
            for (n in list) delete list[n]
        }
        BEGIN { OFS = "\t" }
        /^\// {
            name = named($0)
            order[++count] = name
            file[name] = $0
            next
        }
        /^@/ {
            from = substr($1, 2)
            net = $2
            gateway = $3
            device = $5
            if (from != "routes") device = substr(from, 9)
            if (!is_default(net)) next
            if (device != "" && device != "-") print "route", device > told
            else for (each in address) if (has(address[each], gateway)) print "route", each > told
            next
        }
        $0 == "!" {
            for (n = 1; n <= count; n++) {
                each = order[n]
                if (proto[each] ~ /(^|[+])dhcp4?([+]|$)/) ip4[each] = "dhcp"
                if (proto[each] ~ /(^|[+])dhcp6([+]|$)/) ip6[each] = "dhcp"
                if (proto[each] == "none") ip4[each] = ip6[each] = ""
            }
            for (n = 1; n <= count; n++) row(order[n], file[order[n]])
            # a port needs no file of its own
            for (each in master) if (!(each in file) && master[each] in file) row(each, file[master[each]])
            begin(file); begin(order); begin(master); begin(parent); begin(tag); begin(start)
            begin(proto); begin(ip4); begin(ip6); begin(address)
            next
        }
        {
            at = index($0, "=")
            key = substr($0, 1, at - 1)
            value = substr($0, at + 1)
            gsub(/["\047]/, "", value)
            gsub(/\t/, " ", value)
            if (value == "" || value == " ") next
            if (key == "STARTMODE") start[name] = value
            if (key == "BOOTPROTO") proto[name] = tolower(value)
            if (key == "BRIDGE" && tolower(value) == "yes") print "bridge", name > told
            if (key ~ /^(TEAM_PORT_DEVICE|OVS_BRIDGE_PORT_DEVICE)/) print "team", name > told
            if (key ~ /^(BRIDGE_PORTS$|BONDING_SLAVE|TEAM_PORT_DEVICE|OVS_BRIDGE_PORT_DEVICE)/) {
                n = split(value, ports, " ")
                for (i = 1; i <= n; i++) master[ports[i]] = name
            }
            if (key ~ /^(ETHERDEVICE|MACVLAN_DEVICE|IPVLAN_DEVICE)$/) parent[name] = value
            if (key == "ETHERDEVICE" && tag[name] == "" && match(name, /[0-9]+$/)) tag[name] = substr(name, RSTART) + 0
            if (key == "VLAN_ID") tag[name] = value + 0
            # by which YaST says that there is none
            if (value ~ /^(0\.0\.0\.0|::)(\/|$)/) next
            if (key ~ /^IPADDR/ && version(value) == 6 && ip6[name] == "") ip6[name] = value
            if (key ~ /^IPADDR/ && version(value) == 4 && ip4[name] == "") address[name] = ip4[name] = value
        }' "$new/lines" >> "$new/there" || leave_alone "the ifcfg files can't be read"
    if ! tr '\t' ' ' < "$new/netplan" > "$new/told" || ! cat "$new/told" > "$new/netplan"; then
        leave_alone "nothing can be written below $state"
    fi
}

# wicked_port NAME DEVICE: what is the card's own business stays in its file
wicked_port() {
    file_of "$2"
    case $source in *"$wicked/ifcfg-$2") ;; *) return 0 ;; esac
    wicked_lines
    ifcfg_merge "$wicked/ifcfg-$1" = 'MTU|ETHTOOL_' "$2" "$1"
}

# wicked_lines: the assignments of source that say something; YaST says so where there is no address
wicked_lines() {
    ifcfg_lines "$source" > "$new/told" || leave_alone "${source#"$root"} can't be read"
    grep -vE "=(''|\"\"|['\"]?(0\.0\.0\.0|::)(/[0-9]*)?['\"]?)?\$" "$new/told" > "$new/lines" || :
}

# wicked_keep BRIDGE IPV4 IPV6 DEVICE...: adds to the bridge's file what that of a device says. It is
# the one by which the first of these devices is started, see may_keep; with it go its routes and rules
wicked_keep() {
    bridge=$1 method4=$2 method6=$3
    shift 3
    find_source "$bridge" "$@"
    wicked_stays
    may_keep "$method4" "$method6" "*$wicked/ifcfg-*" || return 0
    wicked_lines
    lost=$(grep -vE '^(STARTMODE|NAME|UNIQUE|_nm_name|USERCONTROL|BOOTPROTO|BRIDG|BONDING_|ETHERDEVICE|VLAN_|ETHTOOL_|LLADDR|LINK_REQUIRED|ZONE|FIREWALL|MTU|DHCLIENT|IPADDR|PREFIXLEN|NETMASK|BROADCAST|NETWORK|REMOTE_IPADDR|LABEL|SCOPE|IP_OPTIONS|CHECK_DUPLICATE_IP|SEND_GRATUITOUS_ARP|AUTO6_|PRE_|POST_)' "$new/lines" |
        sed 's/=.*//' | tr '\n' ' ')
    [ -z "$lost" ] || unfollowed "$bridge does not get all that $origin has: ${lost% }"
    wicked_merge "$new/files$wicked/ifcfg-$bridge"
    for folder in "$state/kept" "$root"; do
        wicked_keep_more "$folder$wicked" "$device"
    done
}

# wicked_stays: where the root lies behind source's device, wicked must not take it down; nor the bridge
wicked_stays() {
    [ -n "$source" ] && ifcfg_lines "$source" | grep -q "^STARTMODE=[\"']\{0,1\}nfsroot" || return 0
    for each in $owned; do
        each=$wicked/ifcfg-$each
        ! will_write "$each" || edit_file 644 "$each" "s/^STARTMODE=.*/STARTMODE='nfsroot'/"
    done
}

# wicked_merge FILE: of "lines" what is said of the versions whole takes the place of ours, and what
# is said of those of rest is added where we say nothing; the choice among several ways out is ours
wicked_merge() {
    awk -v whole="$whole" -v rest="$rest" -v old="$device" -v new="$bridge" '
        function key(line) { return substr(line, 1, index(line, "=") - 1) }
        function value(line) {
            line = substr(line, index(line, "=") + 1)
            gsub(/["\047]/, "", line)
            return line
        }
        # what is behind the name of an address: _1
        function suffix(name) {
            if (!match(name, /^(IPADDR|PREFIXLEN|NETMASK|BROADCAST|REMOTE_IPADDR|LABEL|SCOPE|IP_OPTIONS)/)) return "-"
            return substr(name, RLENGTH + 1)
        }
        function version(name) {
            if (name ~ /^(DHCLIENT6_|AUTO6_)/) return 6
            return name ~ /^(DHCLIENT_|CHECK_DUPLICATE_IP|SEND_GRATUITOUS_ARP)/ ? 4 : 0
        }
        # which of the ways to get an address are named
        function ways(proto, way) {
            way[4] = proto ~ /(^|[+])dhcp4?([+]|$)/
            way[6] = proto ~ /(^|[+])dhcp6([+]|$)/ ? 2 : proto ~ /(^|[+])dhcp([+]|$)/
        }
        FNR == 1 { nth++ }
        { name = key($0) }
        nth == 1 {
            mine[++m] = $0
            said[name] = value($0)
            if (name ~ /^IPADDR/) of_mine[suffix(name)] = value($0) ~ /:/ ? 6 : 4
            next
        }
        {
            theirs[++t] = $0
            told[name] = value($0)
            if (name ~ /^IPADDR/) of_theirs[suffix(name)] = value($0) ~ /:/ ? 6 : 4
        }
        END {
            ways(said["BOOTPROTO"], ours)
            ways(told["BOOTPROTO"], has)
            v4 = index(whole, 4) ? has[4] : ours[4]
            v6 = index(whole, 6) ? has[6] : ours[6]
            # only beside a lease of IPv4 is that of IPv6 nothing to wait for
            if (v6 == 1 && !v4) v6 = index(whole, 6) ? 2 : 0
            proto = v4 ? v6 == 1 ? "dhcp" : v6 ? "dhcp4+dhcp6" : "dhcp4" : v6 ? "dhcp6" : "static"
            if (index(whole rest, 4) && told["BOOTPROTO"] ~ /auto(ip|4)/) proto = proto "+autoip"
            if (index(whole, 6) && told["BOOTPROTO"] ~ /auto6/) proto = proto "+auto6"
            sub(/^static[+]/, "", proto)
            for (n = 1; n <= m; n++) {
                name = key(mine[n])
                if (name == "BOOTPROTO") mine[n] = "BOOTPROTO=\047" proto "\047"
                else if (suffix(name) != "-" && index(whole, of_mine[suffix(name)])) continue
                else if (name ~ /^(PRE|POST)_.*SCRIPT$/ && name in told && said[name] != told[name]) {
                    sub(/\047$/, " " told[name] "\047", mine[n])
                }
                print mine[n]
            }
            for (n = 1; n <= t; n++) {
                name = key(theirs[n])
                text = value(theirs[n])
                its = suffix(name)
                if (its != "-") {
                    if (!(its in of_theirs) || !index(whole rest, of_theirs[its]) || tolower(told["BOOTPROTO"]) == "none") continue
                    # ours that stays may have that place
                    place = its in of_mine && !index(whole, of_mine[its]) ? "_kept" its : its
                    name = substr(name, 1, length(name) - length(its)) place
                    if (name ~ /^LABEL/ && index(text, old ":") == 1) text = new substr(text, length(old) + 1)
                } else if (version(name)) {
                    if (!index(whole rest, version(name)) || name in said) continue
                } else if (name !~ /^(ZONE|FIREWALL|MTU|PRE_.*SCRIPT|POST_.*SCRIPT)$/ || name in said) continue
                print name "=\047" text "\047"
            }
        }' "$1" "$new/lines" > "$new/merged" || leave_alone "${1#"$new/files"} can't be prepared"
    cat "$new/merged" > "$1" || leave_alone "${1#"$new/files"} can't be prepared"
}

# wicked_keep_more FOLDER NAME: routes and rules of the device become the bridge's
wicked_keep_more() {
    for from in "$1/ifroute-$2" "$1/ifrule-$2"; do
        kind=${from##*/} there=${from#"$root"}
        kind=${kind%%-*}
        moved=$wicked/$kind-$bridge
        if [ ! -f "$from" ] || [ "$there" = "$moved" ]; then continue; fi
        if ! { [ ! -f "$new/files$moved" ] || cat "$new/files$moved"; } > "$new/told" ||
            ! wicked_routing < "$from" > "$new/routing"; then
            leave_alone "$there can't be moved"
        fi
        awk -v versions="$whole$rest" -v whole="$whole" -v old="$2" -v new="$bridge" -v kind="$kind" "$wicked_awk"'
            FILENAME ~ /\/told$/ {
                # what ours say of a version goes where all of it is kept
                if (index(whole, version($0))) next
                print
                there[$1, version($0)]
                next
            }
            NF == 0 || ($1, version($0)) in there { next }
            !index(versions, version($0)) {
                lost = 1
                next
            }
            {
                if (kind == "ifroute" && $4 == old) $4 = new
                for (n = 1; n < NF; n++) if ($n ~ /^(dev|[io]if)$/ && $(n + 1) == old) $(n + 1) = new
                print
            }
            END { exit lost ? 9 : 0 }' "$new/told" "$new/routing" > "$new/moved" || {
            [ $? -eq 9 ] || leave_alone "$there can't be moved"
            unfollowed "$bridge does not get all that $wicked/$kind-$2 has"
        }
        [ ! -s "$new/moved" ] || write_file 644 "$moved" < "$new/moved"
        case $there in /var/*) ;; *) set_aside "$there" ;; esac
    done
}

# wicked_routes BRIDGE DEVICE...: routes of these devices are the bridge's, but for a default route of
# a version of which it has its own
wicked_routes() {
    bridge=$1
    shift
    and_gone "$@"
    [ -f "$root$wicked/routes" ] || return 0
    current "$wicked/routes" | awk -v devices=" $these " -v bridge="$bridge" -v kept="$whole$rest" \
        -v ready="$new/files$wicked" "$wicked_awk"'
        BEGIN {
            while ((getline line < (ready "/ifroute-" bridge)) > 0) if (is_default(substr(line, 1, index(line, " ") - 1))) own = own version(line)
            while ((getline line < (ready "/ifcfg-" bridge)) > 0) if (sub(/^IPADDR[^=]*=\047/, "", line) && sub(/\047$/, "", line)) address[++last] = line
        }
        # a route with all its lines: as it stands, unless it names one of these devices
        function route(line,  n, last_word, comment, named) {
            if (match(line, /[ \t]*#.*/)) {
                comment = substr(line, RSTART)
                line = substr(line, 1, RSTART - 1)
            }
            last_word = split(line, f, " ")
            if (is_default(f[1]) && index(devices, " " f[4] " ") && !index(kept, version(line))) return
            if (is_default(f[1]) && (f[4] == "" || f[4] == "-") && index(own, version(line))) {
                # else wicked gives it to the device in whose network the gateway is
                for (n = last; n && !has(address[n], f[2]);) n--
                if (n) return
            }
            for (n = 4; n <= last_word; n++) if ((n == 4 || f[n - 1] == "dev") && index(devices, " " f[n] " ")) named = f[n] = bridge
            if (named == "") {
                printf "%s", text
                return
            }
            line = f[1]
            for (n = 2; n <= last_word; n++) line = line " " f[n]
            print line comment
        }
        {
            text = text $0 "\n"
            held = held $0
            sub(/\r$/, "", held)
            if (sub(/\\$/, "", held)) next
            route(held)
            held = text = ""
        }
        END { printf "%s", text }' > "$new/edited" || leave_alone "$wicked/routes can't be edited"
    rewrite_file "$wicked/routes" < "$new/edited"
}

# wicked_policies BRIDGE DEVICE...: where netconfig takes what the leases of these devices bring, it takes
# what that of the bridge brings
wicked_policies() {
    bridge=$1
    shift
    and_gone "$@"
    [ -f "$root$wicked/config" ] || return 0
    current "$wicked/config" | awk -v devices="$these" -v bridge="$bridge" '
        # pattern: as the shell would match it
        function matches(name, pattern) {
            gsub(/[.]/, "[.]", pattern)
            gsub(/[*]/, ".*", pattern)
            gsub(/[?]/, ".", pattern)
            return name ~ "^(" pattern ")$"
        }
        match($0, /^[ \t]*NETCONFIG_[A-Z]+_POLICY=["\047]?/) {
            head = substr($0, 1, RLENGTH)
            policy = tail = substr($0, RLENGTH + 1)
            sub(/["\047].*/, "", policy)
            tail = substr(tail, length(policy) + 1)
            words = split(policy, word, " ")
            there = added = ""
            for (n = 1; n <= words; n++) there = there matches(bridge, word[n])
            for (n = split(devices, device, " "); n; n--)
                for (m = 1; m <= words; m++) if (matches(device[n], word[m])) added = " " bridge
            if (added != "" && !index(there, 1)) $0 = head policy added tail
        }
        { print }' > "$new/edited" || leave_alone "$wicked/config can't be edited"
    rewrite_file "$wicked/config" < "$new/edited"
}

# wicked_rename NUMBER: by a rule of udev, which the releases that have wicked all read. One of
# the installer says which name the card has by its address
wicked_rename() {
    old='' name='' mac=''
    eval "old=\$nic$1 name=\$port$1 mac=\$mac$1"
    rules=/etc/udev/rules.d/70-persistent-net.rules
    ours=/etc/udev/rules.d/71-cobbler-bridge-$name.rules
    if grep -qs "^[^#]*ATTR{address}==\"$mac\".*[^A-Z]NAME:\{0,1\}=\"" "$root$rules"; then
        [ "$old" = "$name" ] || edit_file 644 "$rules" "/^[^#]*ATTR{address}==\"$mac\"/s/\([^A-Z]\)NAME:\{0,1\}=\"[^\"]*\"/\1NAME=\"$name\"/"
        return 0
    fi
    # once it has it, the rule must stay
    [ "$old" != "$name" ] || [ -e "$root$ours" ] || return 0
    # the bridge has the same address, and no driver
    printf '%s\n' "# cobbler-bridge: the bridge has the name that the card had" \
        "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", ATTR{address}==\"$mac\", ATTR{type}==\"1\", NAME=\"$name\"" > "$new/named.rules" ||
        leave_alone "nothing can be written below $state"
    write_file 644 "$ours" < "$new/named.rules"
}

# wicked_names SERVERS DOMAINS: netconfig puts them before those of a lease
wicked_names() {
    [ -f "$root$wicked/config" ] || leave_alone "there is no $wicked/config, which has the name servers"
    current "$wicked/config" | awk -v servers="$1" -v domains="$2" '
        BEGIN {
            value["NETCONFIG_DNS_STATIC_SERVERS"] = servers
            value["NETCONFIG_DNS_STATIC_SEARCHLIST"] = domains
        }
        {
            key = $0
            sub(/=.*/, "", key)
            if (!(key in value) || value[key] == "") { print; next }
            if (!(key in done)) print key "=\"" value[key] "\""
            done[key]
        }
        END {
            n = split("NETCONFIG_DNS_STATIC_SEARCHLIST NETCONFIG_DNS_STATIC_SERVERS", keys, " ")
            for (i = 1; i <= n; i++) if (value[keys[i]] != "" && !(keys[i] in done)) print keys[i] "=\"" value[keys[i]] "\""
        }' > "$new/edited" || leave_alone "$wicked/config can't be edited"
    rewrite_file "$wicked/config" < "$new/edited"
    ! grep -Eq "^[[:space:]]*NETCONFIG_DNS_POLICY=(''|\"\")?[[:space:]]*\$" "$new/edited" ||
        unfollowed "netconfig uses none of Cobbler's name servers: NETCONFIG_DNS_POLICY is empty in $wicked/config"
}

# wicked_tried: wicked reads all files as they will be; it leaves out what it does not take, and ends
# well. Where it can't be asked, as in another kind of root, nothing is said
wicked_tried() {
    [ -x "$root/usr/sbin/wicked" ] || return 0
    rm -rf "$new/tried"
    mkdir -p "$new/tried" || leave_alone "nothing can be written below $state"
    for from in "$root$wicked"/* "$new/files$wicked"/*; do
        [ ! -f "$from" ] || cp "$from" "$new/tried" || leave_alone "nothing can be written below $state"
    done
    while read -r path; do
        case $path in "$wicked"/*) rm -f "$new/tried/${path##*/}" ;; esac
    done < "$new/aside"
    "$root/usr/sbin/wicked" show-config "compat:suse:$new/tried" > "$new/shown" 2> "$new/why" < /dev/null || :
    grep -q '<interface' "$new/shown" || return 0
    for each in $owned; do
        [ -f "$new/files$wicked/ifcfg-$each" ] || continue
        why=$(grep -e "ifcfg-$each:" -e "ifroute-$each\[" "$new/why" | grep -i -e error -e cannot -e invalid | tr '\n' ' ')
        grep -q "<name>$each</name>" "$new/shown" || why="${why:-it leaves out $each}"
        [ -z "$why" ] || leave_alone "wicked does not take what would be written: ${why% }"
    done
}
