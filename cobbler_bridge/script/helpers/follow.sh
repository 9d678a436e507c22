# Has what this machine says of a port hold for its bridge too, or says where it doesn't.
# needs: and_gone current file_of leave_alone rewrite_file say unfollowed will_write write_file awk sed sort tr

# follow BRIDGE DEVICE...: what holds for these devices is to hold for the bridge
follow() {
    bridge=$1
    shift
    and_gone "$@"
    for device in $these; do
        # where the bridge takes the name, all that names it is right
        [ "$device" = "$bridge" ] || [ "$device" = "p$bridge" ] || followed="$followed $device=$bridge"
    done
}

# follow_in AWK PATTERN...: each file as this program makes it line by line, if it changes anything
follow_in() {
    program=$1
    shift
    for pattern; do for path in "$root"$pattern; do
        path=${path#"$root"}
        [ -f "$root$path" ] && [ -n "$followed" ] || continue
        current "$path" | tr -d '\000' > "$new/text" || leave_alone "$path can't be read"
        awk -v followed="$followed" -v path="$path" -v named="$new/named" \
            "$followed_awk$program"'
            END {
                read_followed()
                for (l = 1; l <= NR; l++) {
                    at = last
                    follow(line[l])
                }
                if (changed != "") for (n = 1; n <= last; n++) print out[n]
            }' "$new/text" > "$new/ruled" || leave_alone "$path can't be edited"
        [ ! -s "$new/ruled" ] || rewrite_file "$path" < "$new/ruled"
    done; done
}

# follow_sysctl: the bridge gets the settings of its port
follow_sysctl() {
    # shellcheck disable=SC2016 # awk's
    follow_in '
        # between dots a name has slashes for its own
        function part(name) {
            if (mark == ".") gsub(/[.]/, "/", name)
            return name mark
        }
        function follow(text,  n, head) {
            out[++last] = text
            if (!match(text, /^[ \t]*-?net[.\/]ipv[46][.\/](conf|neigh)[.\/]/)) return
            head = substr(text, 1, RLENGTH)
            mark = substr(text, RLENGTH, 1)
            for (n = 1; n <= pairs; n++)
                if (index(text, head part(device[n])) == 1)
                    add(head part(bridge[n]) substr(text, length(head part(device[n])) + 1))
        }' /etc/sysctl.conf '/etc/sysctl.d/*.conf'
}

# follow_zones BRIDGE...: firewalld has each in the zone of the first of its ports that has one, which
# its network's file names or a file of the zone; where it is in one itself it stays
follow_zones() {
    for path in "$root"/etc/firewalld/zones/*.xml "$root"/etc/firewalld/zones/*/*.xml; do
        path=${path#"$root"}
        [ ! -f "$root$path" ] || current "$path" | awk -v path="$path" '
            { text = text " " $0 }
            END {
                zone = path
                sub("/etc/firewalld/zones/", "", zone)
                sub(/([.]xml|\/.*)$/, "", zone)
                while (match(text, comment ? "-->" : "<!--|<interface[ \t][^>]*>")) {
                    its = substr(text, RSTART, RLENGTH)
                    text = substr(text, RSTART + RLENGTH)
                    comment = its == "<!--"
                    if (sub(/.*name[ \t]*=[ \t]*["\047]/, "", its) && sub(/["\047].*/, "", its)) print its, zone, path
                }
            }'
    done > "$new/zones" || leave_alone "the files of firewalld can't be read"
    for bridge; do
        ready=$new/files/etc/NetworkManager/system-connections/$bridge.nmconnection
        [ -f "$ready" ] || ready=$new/files/etc/sysconfig/network-scripts/ifcfg-$bridge
        # SUSE's
        [ -f "$ready" ] || ready=$new/files/etc/sysconfig/network/ifcfg-$bridge
        zone_of "$bridge" "$ready"
        home=$zone
        for pair in $followed; do
            [ "${pair#*=}" = "$bridge" ] || continue
            port=${pair%=*}
            file_of "$port"
            # where no file of these formats is ours there is nothing to write it to
            [ -f "$ready" ] || source=
            zone_of "$port" "$source"
            if [ -n "$home" ] || [ -z "$zone" ]; then
                case $zone in
                '' | "$home") ;;
                *) unfollowed "$path has $port in the zone $zone, and $bridge is in $home" ;;
                esac
                continue
            fi
            home=$zone
            case $path in
            *.xml) ;;
            *) path=${ready#"$new/files"} ;;
            esac
            current "$path" | sed -e "s,</zone>,  <interface name=\"$bridge\"/>\\
&," -e "s/^DEVICE=/ZONE=$zone\\
&/" -e "s/^STARTMODE=/ZONE='$zone'\\
&/" -e "s/^\[connection\]\$/&\\
zone=$zone/" > "$new/zoned" || leave_alone "$path can't be edited"
            rewrite_file "$path" < "$new/zoned"
        done
    done
}

# zone_of DEVICE FILE: sets zone, and path to where it stood: this file, else one of firewalld
zone_of() {
    path=${2#"$root"}
    path=${path#/var/lib/cobbler-bridge/kept}
    zone=$(sed -n "s/^[[:space:]]*[Zz][Oo][Nn][Ee][[:space:]]*=[[:space:]]*[\"']*\([A-Za-z0-9_-]*\).*/\1/p" "$2" 2> /dev/null)
    [ -n "$zone" ] || while read -r its zone path; do [ "$its" != "$1" ] || return 0; done < "$new/zones"
}

# follow_nftables PATTERN...: in these files what compares with a device compares with its bridge too, by name: it comes later
follow_nftables() {
    # shellcheck disable=SC2016 # awk's
    follow_in '
        function by_name(n) { if (piece[n] ~ /^[io]if$/) piece[n] = piece[n] "name" }
        # whether all uses of a definition compare
        function compares(what,  n, all, uses) {
            for (n = 1; n <= NR; n++) all = all line[n] "\n"
            what = "[$]" what "[^A-Za-z0-9_.-]"
            uses = gsub(what, "&", all)
            return uses && uses == gsub("[io]if(name)?[ \t]+[!=]*[ \t]*[{]?[ \t]*" what, "&", all)
        }
        # also: the bridge of device n stands before it, where that is compared with
        function also(before, n, behind, where, which) {
            changed = n
            piece[at] = before "\"" bridge[n] "\"" behind
            if (where == "if") by_name(which)
            if (where == "define") lists[definition]
        }
        # an element of a list ends, which may be a key with its value
        function end_of_element(  n, value, what) {
            at = element
            element = 0
            if (!at) return
            for (n = at; ++n < t;) value = value piece[n]
            sub(/[ \t\n]+$/, "", value)
            # of what begins with the same device, what is behind it makes the difference
            what = value
            sub(/[ \t]*:[ \t].*/, "", what)
            what = (owner ? bridge[owner] : first) what
            if (what in there) {
                # of two ports each has its own verdict
                if (owner && there[what] != value) leave(owner)
                return
            }
            there[what] = value
            if (!owner || line[l] ~ "[^A-Za-z0-9_.-]" bridge[owner] "[^A-Za-z0-9_.-]") return
            also("", owner, value ", " piece[at], list, key)
        }
        function token(s,  n, its) {
            piece[++t] = s
            if (s ~ /^[ \t\n#\\]/) return
            its = s
            gsub(/"/, "", its)
            n = number[its]
            if (s ~ /^[{},]$/) {
                end_of_element()
                if (s == "{") {
                    list = about
                    key = face
                    split("", there)
                } else if (s == "}") list = ""
                about = ""
            } else if (last_word == "define") about = compares(definition = s) ? last_word : ""
            else if (s ~ /^[io]if(name)?$/) {
                about = "if"
                face = t
            } else if (s == "elements" && !indexed) about = s
            else if (about == "" || s !~ /^([=!]|eq|ne|v?map)$/) {
                if (last_word ~ /^[{,]$/ && list != "") {
                    element = t
                    owner = n
                    first = its
                }
                if (n && about ~ /^(if|define)$/) {
                    at = t
                    also("{ ", n, ", " s " }", about, face)
                } else if (n && element != t && last_word !~ /^(comment|prefix)$/) leave(n)
                else if (s ~ /^[$]/ && substr(s, 2) in lists) by_name(about == "if" ? face : key)
                else if (sub(/[*]$/, "", its))
                    for (n = 1; n <= pairs; n++)
                        if (index(device[n], its) == 1 && index(bridge[n], its) != 1) leave(n)
                about = ""
            }
            last_word = s
        }
        function follow(text) {
            if (text ~ /iface_index|typeof [io]if([^n]|$)/) indexed = 1
            for (text = text "\n"; match(text, /^(#[^\n]*|"[^"]*"|[A-Za-z0-9_.$@*-]+|[ \t\n\\]+|.)/); text = substr(text, RLENGTH + 1))
                token(substr(text, 1, RLENGTH))
            if (l < NR) return
            for (n = 1; n < t; n++) out[1] = out[1] piece[n]
            last = 1
        }' "$@"
}

# name_in PATTERN...: where these name a port, the log is to say so
name_in() {
    # shellcheck disable=SC2016 # awk's
    follow_in '
        function follow(text,  n, its) {
            for (n = 1; n <= pairs && text !~ /^[ \t]*[#;]/; n++) {
                its = device[n]
                gsub(/[.]/, "[.]", its)
                if (text ~ "(^|[^A-Za-z0-9_.-])" its "([^A-Za-z0-9_.-]|$)") leave(n)
            }
        }' "$@"
}

# follow_rest: what names a port and is not followed is said, in the log and at the first boot; also of
# files that have the same place everywhere
follow_rest() {
    name_in /etc/firewalld/direct.xml '/etc/shorewall*/*' '/etc/NetworkManager/dispatcher.d/*' \
        /etc/radvd.conf '/etc/ufw/*.rules' /etc/dnsmasq.conf '/etc/dnsmasq.d/*' \
        /etc/keepalived/keepalived.conf '/etc/libvirt/qemu/networks/*.xml'
    sort -u "$new/named" > "$new/once" || leave_alone "nothing can be written below $state"
    while read -r each; do say "$each"; done < "$new/once"
    will_write /var/lib/cobbler-bridge/expected && { [ -s "$new/once" ] || [ -e "$state/unfollowed" ]; } || return 0
    write_file 644 /var/lib/cobbler-bridge/unfollowed < "$new/once"
}
