# Has Xen use our bridge, or make its own network: edits xend-config.sxp and xl.conf.
# needs: find_name leave_alone nic nic_mac rewrite_file text_of awk grep sed

# xen_has WHY PATH...: nothing is begun where none of these is there
xen_has() {
    why=$1
    shift
    for each; do
        [ ! -f "$root$each" ] || return 0
    done
    leave_alone "there is no $(printf '%s' "$*" | sed 's/ / and no /'): $why"
}

# xend_nic SCRIPT BRIDGE NUMBER ROLE HOW [VALUE]: as nic; sets netdevN, the argument that
# names the NIC as the script must hear it: with its own name, even while xend has it renamed
xend_nic() {
    xend_script=$1
    xend_bridge=$2
    shift 2
    if [ $# -gt 3 ] && [ "$3" != find_auto ]; then
        for at in "$root"/sys/class/net/*; do
            each=${at##*/}
            [ "$3=$4" = "find_name=$each" ] || [ "$3=$4" = "find_mac=$(nic_mac "$each" 2> /dev/null)" ] ||
                [ "$3=p$4" = "find_name=$each" ] || continue
            [ ! -e "$at/bridge" ] || continue
            # until 3.1 a stand-in has the name and the MAC; from 3.2 on the NIC keeps its MAC
            if [ -e "${at%/*}/p$each/brport" ] || [ -e "$at/brport" ]; then
                set -- "$1" "$2" find_name "$each"
                break
            fi
        done
    fi
    nic "$@"
    netdev=$nic
    case $nic in
    p[!0-9]*) [ ! -e "$root/sys/class/net/$nic/brport" ] || netdev=${nic#p} ;;
    esac
    [ "${#netdev}" -le 14 ] || leave_alone "xend can't rename the NIC $netdev: over 15 characters"
    xend_can_name_it "$root$xend_script" ||
        leave_alone "this $xend_script can't give $netdev a bridge that is called $xend_bridge: $why"
    eval "netdev$1=netdev=\$netdev"
}

# xend_can_name_it FILE: the bridge, for this NIC; sets why, where not
xend_can_name_it() {
    if [ "$netdev" = "$xend_bridge" ]; then
        # until 3.1 the NIC's stand-in keeps its name
        why="name it xenbr0"
        ! grep -q '^vif0=' "$1"
    else
        # 3.2 and 3.3 look for an ifcfg file of the bridge, and leave it down without an address
        why="name it $netdev"
        ! grep -q '^tdev=' "$1" || grep -q '[$]1 != ' "$1"
    fi
}

# xend_several SCRIPT: from 4.1 on it does nothing where there is a bridge already
xend_several() {
    ! grep -q 'brctl show *| *wc -l' "$root$1" ||
        leave_alone "this $1 makes one bridge only: use bridge_xen=vif-bridge"
}

# xend_config PATH NAME WORD...: sets NAME to the words; as xend reads the file, the first counts
xend_config() {
    sxp=$1
    setting=$2
    [ -f "$root$sxp" ] || return 0
    shift 2
    words=$*
    [ $# -eq 1 ] || words="'$words'"
    text_of "$sxp"
    # the end that awk would not see
    printf x >> "$new/text" || leave_alone "$sxp can't be read"
    LC_ALL=C awk -v wanted="$setting" -v words="$words" '
        function took() {
            if (depth == 0 && word == wanted) exit 3
            if (depth == 1 && ++count == 1) name = word
        }
        { text = text (NR > 1 ? "\n" : "") $0 }
        END {
            size = length(text) - 1
            text = substr(text, 1, size)
            blank = " \t\n\v\f\r"
            for (i = 1; i <= size; i++) {
                c = substr(text, i, 1)
                if (comment) {
                    if (c == "\n") comment = 0
                    continue
                }
                if (quote != "") {
                    if (c == quote) {
                        quote = ""
                        took()
                    } else if (c == "\\") {
                        word = word c
                        i++
                    } else {
                        word = word c
                    }
                    continue
                }
                if (atom) {
                    if (!index(blank "{}()<>[]!;#", c)) {
                        word = word c
                        continue
                    }
                    atom = 0
                    took()
                }
                if (index(blank, c)) continue
                if (c == "#") {
                    comment = 1
                } else if (c == "(") {
                    if (++depth == 1) {
                        start = i
                        count = 0
                        name = ""
                    } else if (depth == 2) {
                        count++
                    }
                } else if (c == ")") {
                    if (--depth < 0) exit 3
                    if (depth == 0 && name == wanted && !first) {
                        first = start
                        last = i
                    }
                } else if (c == "\"" || c == "\047") {
                    quote = c
                    word = ""
                } else if (c ~ /[!-~]/) {
                    atom = 1
                    word = c
                } else {
                    exit 3
                }
            }
            if (atom) took()
            if (depth || quote != "") exit 3
            ORS = ""
            if (first) {
                print substr(text, 1, first - 1) "(" wanted " " words ")" substr(text, last + 1)
            } else {
                print text
                if (size && substr(text, size) != "\n") print "\n"
                print "(" wanted " " words ")\n"
            }
        }' "$new/text" > "$new/edited" ||
        leave_alone "$sxp is not what xend can read, or sets $setting in a strange way"
    rewrite_file "$sxp" < "$new/edited"
}

# xl_conf PATH NAME BEFORE VALUE: sets NAME, which was called BEFORE until 4.2: its xl gives up on
# a name with dots
xl_conf() {
    [ -f "$root$1" ] || return 0
    setting=$2
    if [ -f "$root/usr/sbin/xl" ] && ! grep -q 'vif\.default\.' "$root/usr/sbin/xl"; then
        setting=$3
    fi
    text_of "$1"
    LC_ALL=C awk -v wanted="$setting" -v value="$4" '
        # the value with what may stand behind it, where the line sets nothing else
        function sets(line) {
            sub(/^[ \t]*/, "", line)
            if (index(line, wanted) != 1) return 0
            line = substr(line, length(wanted) + 1)
            return line ~ /^[ \t]*=[ \t]*("[^"\\]*"|\047[^\047\\]*\047)[ \t]*;?[ \t]*(#.*)?$/
        }
        { lines[NR] = $0 }
        sets($0) { ours[NR] = 1; last = NR; next }
        $0 !~ /^[ \t]*#/ && index($0, wanted) { strange = 1; exit }
        END {
            if (strange) exit 3
            for (n = 1; n <= NR; n++) {
                if (n == last) print wanted "=\"" value "\""
                else if (!ours[n]) print lines[n]
            }
            if (!last) print wanted "=\"" value "\""
        }' "$new/text" > "$new/edited" || leave_alone "$1 sets $setting in a strange way"
    rewrite_file "$1" < "$new/edited"
}
