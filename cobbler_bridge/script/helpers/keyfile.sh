# Keeps other keyfiles of NetworkManager and udev's names from working against ours.
# needs: among file_of find_source leave_alone may_keep nic_mac unfollowed write_file awk cat ls readlink sed

# keyfile_files: each of them as a line of "there", as ifcfg_files has them
keyfile_files() {
    set --
    for each in $chosen; do
        driver=$(readlink "$root/sys/class/net/$each/device/driver")
        index=$(cat "$root/sys/class/net/$each/ifindex")
        for name in "$each" "${each#p}"; do
            # or as it was called before we renamed it
            [ "$name" = "$each" ] || among "$name" "$bridges" || continue
            printf '%s\t%s\t%s\t%s\n' "$name" "$(nic_mac "$each")" "${driver##*/}" \
                "$(sed -n 's/^E:ID_PATH=//p' "$root/run/udev/data/n$index")"
        done
    done > "$new/cards" 2> /dev/null
    read -r words < "$root/proc/cmdline"
    for each in "$root/etc" "$state/kept/etc" "$root/usr/lib"; do
        for keyfile in "$each"/NetworkManager/system-connections/*; do
            case $keyfile in
            *~ | *.again | *.swp | *.swpx | *.pem | *.der) continue ;;
            */usr/lib/*[!n]) continue ;;
            esac
            # NetworkManager takes none of somebody else, or that others may read or write
            # shellcheck disable=SC3067 # each shell that is meant has it
            if [ ! -f "$keyfile" ] || [ ! -O "$keyfile" ]; then continue; fi
            case $(ls -ld "$keyfile") in -???------*) set -- "$@" "$keyfile" ;; esac
        done
    done
    [ $# -eq 0 ] || awk -v cards="$new/cards" -v words="$words" '
        # whether a value is one of this list of [match]; "words": one of several
        function fits(list, value, mode,    n, word, i, may, must, not, hit, one, some) {
            n = split(list, word, ";")
            for (i = 1; i <= n; i++) if (word[i] != "") {
                may = sub(/^[|]/, "", word[i])
                must = sub(/^&/, "", word[i])
                not = sub(/^!/, "", word[i])
                sub(/^\\/, "", word[i])
                gsub(/[.+(){}|$]/, "[&]", word[i])
                gsub(/[*]/, ".*", word[i])
                gsub(/[?]/, ".", word[i])
                if (mode == "words" && word[i] !~ /=/) word[i] = word[i] "(=[^ ]*)?"
                hit = (value ~ (mode == "words" ? "(^| )(" word[i] ")( |$)" : "^(" word[i] ")$")) != not
                if (!must && (may || !not)) {
                    some = 1
                    one = one || hit
                } else if (!hit) return 0
            }
            return one || !some
        }
        function end(    kind, name, patterns, card, mac, parent, ip4, ip6) {
            if (path == "") return
            # the one in /etc takes the place of the one of a package
            if (path ~ /\/usr\/lib\/NetworkManager\// && v["connection", "uuid"] in known) return
            known[v["connection", "uuid"]]
            kind = v["connection", "type"]
            if (kind == "" && ("ethernet", "") in v) kind = "ethernet"
            sub(/^802-3-/, "", kind)
            name = v["connection", "interface-name"]
            # as older ones have it
            if (name == "") name = v[kind, "interface-name"]
            mac = tolower(v["ethernet", "mac-address"])
            parent = v["vlan", "parent"] == "" ? mac : v["vlan", "parent"]
            while (kind == "ethernet" && (getline card < cards) > 0) {
                split(card, of, "\t")
                if (fits(v["match", "interface-name"], of[1]) && fits(v["match", "driver"], of[3]) && \
                    fits(v["match", "path"], of[4]) && fits(v["match", "kernel-command-line"], words, "words") && \
                    index(tolower(v["ethernet", "mac-address-blacklist"] v["ethernet", "mac-address-denylist"]), of[2]) == 0)
                    patterns = patterns " " of[1]
            }
            close(cards)
            # the kernel shows the address that it gives itself
            if (kind != "ethernet" || name != "" && v["ethernet", "cloned-mac-address"] ~ /:/) mac = ""
            ip4 = v["ipv4", "method"] == "auto" ? "dhcp" : v["ipv4", "method"] == "manual" ? first("ipv4") : ""
            ip6 = v["ipv6", "method"] == "manual" ? first("ipv6") : ""
            print path, v["connection", "uuid"], v["connection", "autoconnect"] ~ /^([f0])/,
                v["connection", "autoconnect-priority"], name, patterns, mac,
                kind == "vlan" ? parent : kind ~ /^(mac|ip)vlan$/ ? v[kind, "parent"] : "", kind == "vlan" ? v["vlan", "id"] : "",
                v["connection", "controller"] == "" ? v["connection", "master"] : v["connection", "controller"],
                ip4, ip6
        }
        function first(section,    text) {
            text = v[section, "address"]
            sub(/[,;].*/, "", text)
            return text
        }
        BEGIN { OFS = "\t" }
        FNR == 1 {
            end()
            path = FILENAME
            split("", v)
        }
        { sub(/[ \t\r]+$/, "") }
        /^[ \t]*\[/ {
            section = $0
            gsub(/[][ \t]/, "", section)
            sub(/^802-3-/, "", section)
            v[section, ""]
            next
        }
        /^[ \t]*[^#]*=/ {
            at = index($0, "=")
            key = substr($0, 1, at - 1)
            value = substr($0, at + 1)
            gsub(/[ \t]/, "", key)
            sub(/^[ \t]+/, "", value)
            gsub(/\t/, " ", value)
            # of several addresses the first
            if (sub(/^address(es)?[0-9]*$/, "address", key) && v[section, key] != "") next
            v[section, key] = value
        }
        END { end() }' "$@" >> "$new/there" || leave_alone "the keyfiles can't be read"
}

# keyfile_rename NUMBER: nothing else gives the NIC its new name; by its permanent address, for
# the bridge has the same one
keyfile_rename() {
    old='' name='' mac=''
    eval "old=\$nic$1 name=\$port$1 mac=\$mac$1"
    path=/etc/systemd/network/70-cobbler-bridge-$name.link
    # once it has it, the file must stay
    [ "$old" != "$name" ] || [ -e "$root$path" ] || return 0
    write_file 644 "$path" << EOF || leave_alone "$path can't be prepared"
[Match]
PermanentMACAddress=$mac

[Link]
Name=$name
EOF
}

# keyfile_keep BRIDGE IPV4 IPV6 DEVICE...: adds to the bridge's profile what that of a device says.
# It is the one by which the first of these devices is started, see may_keep
keyfile_keep() {
    bridge=$1 method4=$2 method6=$3
    shift 3
    find_source "$bridge" "$@"
    may_keep "$method4" "$method6" '*/system-connections/*' || return 0
    wins='' adds='connection.zone connection.metered connection.lldp connection.mdns connection.llmnr connection.dns-over-tls ethernet.mtu'
    for version in 4 6; do
        case $whole,$rest in
        *"$version"*,*) wins="$wins ipv$version" ;;
        *,*"$version"*) adds="$adds ipv$version" ;;
        esac
    done
    keyfile_merge "$bridge" "$wins" "$adds"
    lost=$(cat "$new/lost") || leave_alone "nothing can be read below $state"
    [ -z "$lost" ] || unfollowed "$bridge does not get all that $origin has:$lost"
}

# keyfile_port NAME DEVICE: what is the card's own business stays in its profile
keyfile_port() {
    file_of "$2"
    case $source in
    */system-connections/*) keyfile_merge "$1" '' 'ethernet ethtool 802-1x sriov link' ;;
    esac
}

# keyfile_merge NAME WINS ADDS: the sections WINS of source take the place of ours, ADDS are added;
# but for names and the choice among several ways out. ADDS names sections or keys of them, which are
# added where we have none
keyfile_merge() {
    profile=$new/files/etc/NetworkManager/system-connections/$1.nmconnection
    awk -v wins=" $2 " -v adds=" $3 " -v out="$new/lost" '
        FNR == 1 { nth++; section = "" }
        { sub(/[ \t\r]+$/, "") }
        /^[ \t]*\[/ {
            section = $0
            gsub(/[][ \t]/, "", section)
            sub(/^802-3-/, "", section)
            if (!(section in known)) { known[section]; order[++n] = section }
            next
        }
        !/^[ \t]*[^#]*=/ { next }
        {
            key = $0
            sub(/[ \t]*=.*/, "", key)
            sub(/^[ \t]+/, "", key)
            won = index(wins, " " section " ")
        }
        nth == 1 {
            mine[section, key]
            if (!won) text[section] = text[section] $0 "\n"
            else if (key ~ /^(dns|dns-search|never-default|[r]oute-metric)$/) {
                held[section, key] = $0
                holds[++h] = section SUBSEP key
            }
            next
        }
        won {
            if (key ~ /^(never-default|[r]oute-metric)$/ && (section, key) in held) next
            delete held[section, key]
            text[section] = text[section] $0 "\n"
            next
        }
        # what names the card that it is for is the one of ours
        key !~ /mac-address|^interface-name$/ && !((section, key) in mine) &&
        (index(adds, " " section " ") || index(adds, " " section "." key " ")) {
            text[section] = text[section] $0 "\n"
            next
        }
        section == "connection" && (key ~ /^autoconnect/ || index(" id uuid type interface-name timestamp master controller slave-type port-type zone multi-connect ", " " key " ")) { next }
        section ~ /^ipv[46]$/ && key ~ /^rout(es?[0-9]*|ing-rule[0-9]*)$/ { lost = lost " " section "." key }
        index(" ipv4 ipv6 match ethtool 802-1x sriov link bridge bond vlan user ", " " section " ") { next }
        section != "ethernet" || key == "cloned-mac-address" { lost = lost " " section "." key }
        END {
            print lost > out
            for (i = 1; i <= h; i++) if (holds[i] in held) {
                split(holds[i], part, SUBSEP)
                text[part[1]] = text[part[1]] held[holds[i]] "\n"
            }
            for (i = 1; i <= n; i++) if (text[order[i]] != "") {
                printf "%s[%s]\n%s", blank, order[i], text[order[i]]
                blank = "\n"
            }
        }' "$profile" "$source" > "$new/merged" || leave_alone "the profile $1 can't be prepared"
    sed "s/\([io]if[[:space:]]\{1,\}\)$device\([[:space:]]\|\$\)/\1$1\2/g" "$new/merged" > "$profile" ||
        leave_alone "the profile $1 can't be prepared"
}
