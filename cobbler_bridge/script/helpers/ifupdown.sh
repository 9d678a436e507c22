# Keeps other stanzas of ifupdown's files from working against ours. A device's stanzas are laid out
# in a file of their own, FILE:DEVICE below "stanzas", which stands for them as an ifcfg file would.
# needs: among current file_of find_source is_of_ours keyfile_rename leave_alone may_keep nic_mac resolv_conf rewrite_file unfollowed write_file
# needs: awk cat grep mkdir tr

interfaces=/etc/network/interfaces.d/cobbler-bridge

# interfaces_files PATH DEPTH: the file and what it sources, as ifupdown takes them; ours, if it would
# be. A pattern in quotes is none
interfaces_files() {
    [ -f "$root$1" ] && [ "$2" -lt 9 ] || return 0
    printf '%s\n' "$1"
    awk '
        /^[ \t]*#/ { next }
        { while (sub(/\\$/, "") && (getline more) > 0) $0 = $0 more }
        $1 ~ /^source(-directory)?$/ { for (n = 2; n <= NF; n++) print $1, $n }' "$root$1" | while read -r how pattern; do
        case $pattern in
        *[\"\']*[*?[]*) continue ;;
        *[\"\']*) pattern=$(printf '%s' "$pattern" | tr -d "\"'") ;;
        esac
        case $pattern in /*) ;; *) pattern=${1%/*}/$pattern ;; esac
        [ "$how" = source ] || pattern="$pattern/*"
        # shellcheck disable=SC2254
        case $interfaces in $pattern) printf '%s\n' "$interfaces" ;; esac
        for each in "$root"$pattern; do
            case $how,${each##*/} in *y,*[!A-Za-z0-9_-]*) continue ;; esac
            interfaces_files "${each#"$root"}" $(($2 + 1))
        done
    done
}

# ifupdown_stanzas: each device of the files as a line of "there", as ifcfg_files has them
ifupdown_stanzas() {
    interfaces_files /etc/network/interfaces 0 > "$new/sourced" && [ -s "$new/sourced" ] ||
        leave_alone "there is no /etc/network/interfaces"
    if ! grep -vxF "$interfaces" "$new/sourced" > "$new/interfaces" || ! printf '' > "$new/odd"; then
        leave_alone "nothing can be written below $state"
    fi
    ifupdown_readable
    for base in "$root" "$state/kept"; do
        into=$new/stanzas odd=$new/odd
        [ "$base" = "$root" ] || into=$new/kept/stanzas odd=/dev/null
        set --
        while read -r path; do
            mkdir -p "$into${path%/*}" || leave_alone "nothing can be written below $state"
            # what an earlier run took may inherit from what it left
            if [ -f "$base$path" ]; then set -- "$@" "$base$path"; else set -- "$@" "$root$path"; fi
        done < "$new/interfaces"
        [ $# -eq 0 ] || awk -v base="$base" -v into="$into" -v odd="$odd" '
            function its(name, master_of) {
                if (name != "none") master[name] = master_of
            }
            # a name that is not written: the pattern, whose stanza has it, what stands there
            function is_odd(pattern, owner, words) { print pattern, owner, words >> odd }
            function option(line,  word, count, n, key, regex) {
                count = split(line, word, /[ \t]+/)
                key = word[1]
                gsub(/_/, "-", key)
                if (key == "address" && ip[inside, family] == "") ip[inside, family] = word[2]
                if (key ~ /^(bridge-ports|bond-slaves|slaves)$/) for (n = 2; n <= count; n++) {
                    if (word[n] ~ /regex$/) regex = word[n] == "regex"
                    else if (regex || word[n] == "all") is_odd("*", inside, line)
                    else its(word[n], inside)
                }
                if (key == "bond-master") its(inside, word[2])
                if (key == "vlan-raw-device") {
                    parent[inside] = word[2]
                    if (match(inside, /[0-9]+$/)) tag[inside] = substr(inside, RSTART) + 0
                }
                print "    " line >> path[inside]
                said[inside, family] = said[inside, family] line "\n"
            }
            # which no backslash continues
            /^[ \t]*(#|$)/ { next }
            { while (sub(/\\$/, "") && (getline more) > 0) $0 = $0 more }
            $1 ~ /^(auto|allow-.*)$/ {
                inside = ""
                for (n = 2; n <= NF; n++) {
                    starts[$n]
                    if ($n ~ /[\/=]/) is_odd($n, "-", $n)
                }
                next
            }
            $1 ~ /^(mapping|rename)$/ { for (n = 2; n <= NF; n++) is_odd($n, "-", $1 " " $n) }
            $1 ~ /^(mapping|source|source-directory|no-.*|rename|template)$/ { inside = ""; next }
            $1 == "iface" {
                inside = $2
                like = ""
                for (n = 3; n < NF; n++) if ($n == "inherits") like = $(n + 1)
                family = $3 == "inherits" ? families[like] : $3
                method = $3 == "inherits" ? methods[like] : $4
                if (substr(FILENAME, 1, length(base)) != base) {
                    if (!(inside in path)) path[inside] = "/dev/null"
                } else if (!(inside in path) || path[inside] == "/dev/null") {
                    order[++count] = inside
                    path[inside] = into substr(FILENAME, length(base) + 1) ":" inside
                    printf "" > path[inside]
                    if (inside ~ /\.[0-9]+$/) {
                        parent[inside] = tag[inside] = inside
                        sub(/\.[0-9]+$/, "", parent[inside])
                        sub(/.*\./, "", tag[inside])
                    }
                }
                if (family ~ /^inet6?$/ && method ~ /^(dhcp|bootp|static)$/ && !((inside, family) in ip))
                    ip[inside, family] = method == "static" ? "" : "dhcp"
                if (!(inside in families)) {
                    families[inside] = family
                    methods[inside] = method
                }
                print "iface", inside, family, method >> path[inside]
                if (like != "") {
                    is_odd(like, inside, "iface " inside " inherits " like)
                    n = split(said[like, family], inherited, "\n")
                    for (i = 1; i < n; i++) option(inherited[i])
                }
                next
            }
            inside == "" { next }
            {
                $1 = $1
                option($0)
            }
            function row(device, file, begins) {
                print file, "", !(begins in starts), "", device, "", "", parent[device], tag[device],
                    master[device], ip[device, "inet"], ip[device, "inet6"]
            }
            END {
                OFS = "\t"
                for (n = 1; n <= count; n++) row(order[n], path[order[n]], order[n])
                for (device in master) if (!(device in path) && master[device] in path)
                    row(device, path[master[device]], master[device])
            }' "$@" >> "$new/there" || leave_alone "ifupdown's files can't be read"
    done
}

# ifupdown_readable: ends here where a stanza has no method: ifupdown takes none of such a file
ifupdown_readable() {
    while read -r path; do
        stanza=$(awk '
            /^[ \t]*#/ { next }
            { while (sub(/\\$/, "") && (getline more) > 0) $0 = $0 more }
            $1 == "iface" && NF < 4 && !/[ \t]inherits[ \t]/ { print; exit }' "$root$path") ||
            leave_alone "$path can't be read"
        [ -z "$stanza" ] || leave_alone "$path has '$stanza', which ifupdown can't read: write its family and its method behind it, as inet dhcp"
    done < "$new/interfaces"
}

# ifupdown_is DEVICE PATTERN: whether it is for the device: by its name, or as [VARIABLE]/VALUE[/NUMBER]
# by what the kernel has of it
ifupdown_is() {
    is=$1 pattern=${2#*/}
    case $2 in
    /*) ;;
    mac/*) is=$(nic_mac "$1") pattern=$(printf '%s' "$pattern" | tr 'A-F' 'a-f') ;;
    */*) is=$(cat "$root/sys/class/net/$1/${2%%/*}" 2> /dev/null) || return 1 ;;
    esac
    pattern=${pattern%%/*}
    # shellcheck disable=SC2254
    case $is in $pattern) ;; *) return 1 ;; esac
}

# ifupdown_aside [NAME...]: the stanzas of our devices, and their names in lists, go from each other
# file; a NAME is what Cobbler calls one of the cards, whose stanza it is where nothing is called so here
ifupdown_aside() {
    out=' '
    for each; do
        [ -e "$root/sys/class/net/$each" ] || out="$out$each "
    done
    while read -r rank whose device also mac master ipv4 ipv6 path; do
        ! is_of_ours "${device%%:*}" "$also" "$mac" || out="$out${device%%:*} "
    done < "$new/found"
    for each in $chosen; do
        ! is_of_ours "$each" - - || out="$out$each "
    done
    while read -r name whose word; do
        ! among "$whose" "$out" || continue
        for each in $out; do
            ifupdown_is "$each" "${name%%=*}" || continue
            case $word in
            iface*) leave_alone "the stanza of $each goes, and '$word' needs it: write there what it says" ;;
            # one that has this name already keeps it
            rename*) among "${name#*=}" "$out" || leave_alone "/etc/network/interfaces has '$word', and $each has that name from the next start on: take it away, and write $each in its place" ;;
            *) leave_alone "/etc/network/interfaces takes $each by '$word': write its name there" ;;
            esac
        done
    done < "$new/odd"
    while read -r path; do
        current "$path" | awk -v out="$out" '
            function is_out(name) {
                sub(/:.*/, "", name)
                return index(out, " " name " ")
            }
            /^[ \t]*(#|$)/ { if (!going || /^(#|$)/) print; next }
            {
                raw = $0
                while (sub(/\\$/, "") && (getline more) > 0) { raw = raw "\n" more; $0 = $0 more }
            }
            $1 ~ /^(auto|allow-.*|no-.*)$/ {
                going = 0
                left = $1
                for (n = 2; n <= NF; n++) if (!is_out($n)) left = left " " $n
                if (NF == 1 || left != $1) print split(left, words) == NF ? raw : left
                next
            }
            $1 ~ /^(mapping|source|source-directory|rename|template)$/ { going = 0 }
            $1 == "iface" { going = is_out($2) }
            !going { print raw }' > "$new/edited" || leave_alone "$path can't be edited"
        rewrite_file "$path" < "$new/edited"
    done < "$new/interfaces"
    ! grep -qxF "$interfaces" "$new/sourced" || return 0
    if ! current /etc/network/interfaces > "$new/edited" ||
        ! printf '%s\n' '' "source $interfaces" >> "$new/edited"; then
        leave_alone "/etc/network/interfaces can't be edited"
    fi
    rewrite_file /etc/network/interfaces < "$new/edited"
}

# ifupdown_keep BRIDGE IPV4 IPV6 DEVICE...: what the stanzas by which the first of these devices is
# started say is added to the bridge's, see may_keep
ifupdown_keep() {
    bridge=$1 method4=$2 method6=$3
    shift 3
    find_source "$bridge" "$@"
    may_keep "$method4" "$method6" '/*:*' || return 0
    ifupdown_merge "$bridge" "$whole" "$rest"
    ! grep -q '^ *hwaddr' "$source" || unfollowed "$bridge does not get all that $origin has: hwaddress"
}

# ifupdown_port NAME DEVICE: what is the card's own business stays with it
ifupdown_port() {
    file_of "$2"
    case $source in */stanzas/*) ifupdown_merge "$1" '' p ;; esac
}

# ifupdown_merge NAME WHOLE REST: of source, the stanzas of the versions WHOLE take the place of ours,
# but for what makes the device; of those of REST (p: of a card) is added what we don't say
ifupdown_merge() {
    into=$new/files$interfaces
    awk -v name="$1" -v whole="$2" -v rest="$3" -v device="$device" '
        function key(line) {
            sub(/^[ \t]+/, "", line)
            sub(/[ \t].*/, "", line)
            gsub(/_/, "-", line)
            return line
        }
        # what is a card, or makes the device
        function cards(line) {
            return line ~ /ethtool|mii-tool/ || key(line) ~ /^(mtu|wpa-.*|wireless-.*|link-.*|ethernet-.*|offload-.*|hardware-.*|driver-.*|auto-negotiation)$/
        }
        function makes(line) { return key(line) ~ /^(bridge|bond|vlan|hwaddress|hwaddr|slaves|description)/ }
        function is_command(line) { return key(line) ~ /^(pre-up|up|post-up|down|pre-down|post-down)$/ }
        # names the device by its new name
        function named(line,  done, at, behind) {
            while (at = index(line, device)) {
                behind = substr(line, at + length(device), 1)
                done = done substr(line, 1, at - 1) (substr(line, at - 1, 1) behind ~ /[A-Za-z0-9_.-]/ && at > 1 ? device : name)
                line = substr(line, at + length(device))
            }
            return done line
        }
        function finish(  n, i, line) {
            if (!v) return
            for (i = 1; !again && i <= lines[v, 1]; i++) {
                line = text[v, 1, i]
                if (won ? !(key(line) in mine) || is_command(line) && !(line in said) : \
                    rest == "p" ? cards(line) && !(key(line) in mine) : \
                    index(rest, v) && !cards(line) && (is_command(line) ? !(line in said) : \
                        !(key(line) in mine) && key(line) !~ /^(address|netmask|gateway|broadcast|network)$/))
                    print line
            }
            for (n = 2; won && !again && n <= count[v]; n++) {
                print "iface " name " " head[v, n]
                for (i = 1; i <= lines[v, n]; i++) print text[v, n, i]
            }
            v = 0
            split("", mine)
            split("", said)
        }
        FNR == 1 { nth++ }
        nth == 1 && $1 == "iface" {
            v = $3 == "inet6" ? 6 : $3 == "inet" ? 4 : 0
            line = $0
            sub(/^iface [^ ]+ /, "", line)
            head[v, ++count[v]] = line
            next
        }
        nth == 1 {
            if (!makes($0) && (rest == "p" || !cards($0))) text[v, count[v], ++lines[v, count[v]]] = rest == "p" ? $0 : named($0)
            next
        }
        FNR == 1 { v = 0 }
        $1 == "iface" && $2 == name {
            finish()
            v = $3 == "inet6" ? 6 : 4
            won = index(whole, v) > 0
            again = seen[v]++
            if (won && again) next
            print won ? "iface " name " " (count[v] ? head[v, 1] : v == 6 ? "inet6 manual" : "inet manual") : $0
            next
        }
        $1 ~ /^(auto|iface|#.*|)$/ { finish(); print; next }
        !v { print; next }
        {
            if (won && key($0) ~ /^(address|gateway|accept-ra|autoconf)$/) next
            mine[key($0)]
            said[$0]
            print
        }
        END { finish() }' "$source" "$into" > "$new/merged" || leave_alone "the stanzas of $1 can't be prepared"
    cat "$new/merged" > "$into" || leave_alone "the stanzas of $1 can't be prepared"
}

# ifupdown_rename NUMBER: as keyfile_rename; a link file that udev does not understand names all NICs
ifupdown_rename() {
    old='' name=''
    eval "old=\$nic$1 name=\$port$1"
    case $release,$name in
    *,"$old") ;;
    debian10/*) leave_alone "$old would be renamed $name, and udev of Debian 10 knows no NIC by its own address: give the bridge another name" ;;
    esac
    keyfile_rename "$1"
}

# ifupdown_names SERVERS DOMAINS DEVICE...: these stand where names are looked up, also when one of
# the devices has a lease
ifupdown_names() {
    servers=$1 domains=$2
    shift 2
    # they have them of the stanzas; up to Debian 11 every system has resolved, and nothing tells it
    [ ! -x "$root/sbin/resolvconf" ] || return 0
    [ ! -x "$root/lib/systemd/systemd-resolved" ] || [ ! -e "$root/etc/network/if-up.d/resolved" ] ||
        return 0
    if [ $# -gt 0 ]; then
        {
            echo '# cobbler-bridge: names as they were asked for, whatever the lease has'
            # shellcheck disable=SC2016 # the hook's
            printf 'case " %s " in\n*" $interface "*)\n' "$*"
            [ -z "$servers" ] || printf "    new_%s='$servers'\n" domain_name_servers dhcp6_name_servers
            [ -z "$domains" ] || printf "    new_%s='$domains'\n" domain_search dhcp6_domain_search
            [ -z "$domains" ] || echo '    new_domain_name='
            printf '    ;;\nesac\n'
        } > "$new/names" || leave_alone "nothing can be written below $state"
        for each in /etc/dhcp/dhclient-enter-hooks.d/cobbler-bridge /etc/dhcpcd.enter-hook; do
            case $each in
            */*.d/*) [ -d "$root${each%/*}" ] || continue ;;
            *)
                [ -f "$root${each%.*}.conf" ] || continue
                [ ! -e "$root$each" ] || grep -qsxF "$each" "$state/written" ||
                    leave_alone "$each is there: it must say which name servers $* is to have"
                ;;
            esac
            write_file 644 "$each" < "$new/names"
        done
    fi
    [ -z "$domains" ] || resolv_conf 'search|domain' "search $domains"
    set --
    for each in $servers; do set -- "$@" "nameserver $each"; done
    [ $# -eq 0 ] || resolv_conf nameserver "$@"
}
