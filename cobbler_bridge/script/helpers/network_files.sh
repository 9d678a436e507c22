# Knows of every file that a reader of the network's configuration may take, whichever its format:
# which of them it takes for a device at boot, and which would work against ours.
# needs: among is_nic leave_alone nic_mac say set_aside will_write awk grep sed sort

# rank_files: the lines of "there" as "found" with what a reader takes first before the rest.
# First what it starts at boot; what is there, before what an earlier run of ours moved away; a port; by priority; by last
# use; what names its device. What we wrote is no source, and has a 2 in its second place.
rank_files() {
    [ -e "$new/there" ] || : > "$new/there"
    names=
    while read -r number mac left; do
        eval "names=\"\$names \$mac$number \$nic$number\""
    done < "$new/ports"
    awk -F '\t' -v root="$root" -v state="$state" -v names="$names" '
        function word(text) {
            gsub(/[ \t]/, "?", text)
            return text == "" ? "-" : text
        }
        BEGIN {
            n = split(names, name, " ")
            for (i = 1; i < n; i += 2) card[name[i]] = name[i + 1]
            while ((getline line < (state "/written")) > 0) ours[root line] = 1
            while ((getline line < (root "/var/lib/NetworkManager/timestamps")) > 0) {
                at = index(line, "=")
                used[substr(line, 1, at - 1)] = substr(line, at + 1)
            }
        }
        {
            where = ($1 in ours) ? 2 : index($1, state "/kept/") == 1 || index($1, state "/new/kept/") == 1
            at = index($5, ":")
            # a further address may be the only one
            if (at) alias[where, substr($5, 1, at - 1)] = $11
            else if ($2 != "") device[$2] = $5 == "" && $7 in card ? card[$7] : $5
            row[NR] = where FS $0
        }
        END {
            for (i = 1; i <= NR; i++) {
                split(row[i], f)
                if (f[9] in device) f[9] = device[f[9]]
                if (f[9] in card) f[9] = card[f[9]]
                if (f[11] in device) f[11] = device[f[11]]
                if (f[12] == "" && (f[1], f[6]) in alias) f[12] = alias[f[1], f[6]]
                also = f[9] == "" ? "" : f[9] "." f[10]
                rank = sprintf("%d%d%d%04d%010.0f", f[4], f[1], f[11] == "", 1000 - f[5],
                    9999999999 - used[f[3]])
                rest = word(also) " " word(f[8]) " " word(f[11]) " " word(f[12]) " " word(f[13]) " " f[2]
                if (f[6] f[8] also != "" || f[7] == "") print rank "0 own", word(f[6]), rest
                else {
                    n = split(f[7], patterns, " ")
                    for (each = 1; each <= n; each++) print rank "1 shared", patterns[each], rest
                }
            }
        }' "$new/there" > "$new/ranked" || leave_alone "the network's files can't be read"
    sort "$new/ranked" > "$new/found" || leave_alone "the network's files can't be ranked"
}

# file_of DEVICE: sets source to the file by which a reader starts the device at boot, and what that
# says: its rank, its device, the master that it is a port of, ipv4 and ipv6
file_of() {
    address=none source=
    ! is_nic "$1" || address=$(nic_mac "$1")
    while read -r rank whose device also mac master ipv4 ipv6 path; do
        case $rank in ?2* | 9*) continue ;; esac
        # by its address, whatever it is called next; and a device may be a pattern
        # shellcheck disable=SC2254
        case $mac,$1 in
        "$address,"* | "-,$also" | -,$device) ;;
        *) continue ;;
        esac
        case $whose$device in own[!-]*) ;; *) device=$1 ;; esac
        source=$path
        return
    done < "$new/found"
}

# find_source BRIDGE DEVICE...: sets source and the rest for the first of these devices, or for what
# it is a port of; beside is set where it is behind a "/": what the bridge is not made of itself
find_source() {
    bridge=$1 beside=''
    shift
    for below; do
        if [ "$below" = / ]; then beside=yes; continue; fi
        names=$below
        # once it is renamed
        [ "${below%.*}" != "p$bridge" ] || names="$below ${below#p}"
        for name in $names; do
            for hop in "$name" 2 3 4; do
                case $hop in [234]) hop=$master ;; esac
                file_of "$hop"
                [ -n "$source" ] || break
                [ "$master" != - ] || return 0
            done
        done
    done
    source=
}

# rivals: other files of our devices are set aside; one for many devices loses against ours anyway
rivals() {
    while read -r rank whose device also mac master ipv4 ipv6 path; do
        # netplan's have many devices in them
        case $path in *.yaml) continue ;; esac
        case $whose$path in own"$root"/etc/*) ;; *) continue ;; esac
        path=${path#"$root"}
        # an alias goes with its device
        will_write "$path" || ! is_of_ours "${device%%:*}" "$also" "$mac" ||
            grep -qxF -- "$path" "$new/aside" || set_aside "$path"
    done < "$new/found"
}

# is_of_ours DEVICE ALSO MAC
is_of_ours() {
    ! among "$1" "$owned" && ! among "$2" "$owned" || return 0
    while read -r number mac left; do
        old='' name=''
        eval "old=\$nic$number name=\$port$number"
        [ -z "$left" ] || continue
        case $1,$3 in
        "$old,"* | "$name,"* | *",$mac") return 0 ;;
        esac
        # a VLAN of it that gets another name
        ! among "$name.${2##*.}" "$owned" || [ "$2" != "$old.${2##*.}" ] || return 0
    done < "$new/ports"
    return 1
}

# may_keep IPV4 IPV6 FILES: of which versions source says more than we (rest), or all (whole).
# Sets whole to the versions (4, 6) of which what source says takes the place of what we said, and
# rest to those of which it adds to that. keep: all of it, as it is; auto:
# a static address is kept with all that belongs to it. FILES are what our format calls its files.
may_keep() {
    whole='' rest='' told='' origin=${source#"$root"}
    origin=${origin#"${state#"$root"}/kept"} origin=${origin##*/stanzas}
    case $1$2,$source in
    *keep*,) leave_alone "no file of the installer is there for the port of $bridge: nothing can be kept" ;;
    *,) return 1 ;;
    esac
    for version in 4 6; do
        how=$1 known=$ipv4
        [ "$version" = 4 ] || how=$2 known=$ipv6
        case $how$beside,$known,$rank in
        keep*) whole=$whole$version ;;
        auto,-,0* | auto,dhcp,0*) rest=$rest$version ;;
        *,-,* | *,dhcp,*) ;;
        autoyes,*) say "$bridge is not made of $device itself, and gets no $known of its file $origin" ;;
        auto,*,0*)
            told=$told${told:+ and }$known
            whole=$whole$version
            ;;
        esac
    done
    [ -z "$beside" ] || [ -n "$whole" ] || return 1
    case $1$2,$whole,$ipv4,$ipv6 in
    *keep*,4,-,* | *keep*,46,-,-) leave_alone "$origin has no address: nothing can be kept" ;;
    esac
    # shellcheck disable=SC2254
    case $origin,$whole in
    $3,*) ;;
    *,) return 1 ;;
    *) leave_alone "$origin has the address of $device, and only a file of the same format can keep it: write the address as bridge_ipv4, or another bridge_backend" ;;
    esac
    [ -z "$told" ] || say "$bridge keeps $told, which $device has in $origin"
    # where that is all by which this host is reached
    expected=$new/files/var/lib/cobbler-bridge/expected
    [ "${whole#*6}" = "$whole" ] || [ ! -e "$expected" ] ||
        sed -i "/^[bd][a-z]* $bridge\$/,/^ipv6 /{/^ipv4/h;/^ipv6 none/{x;/none/{x;s/none/any/;x;};x;};}" "$expected" ||
        leave_alone "${expected#"$new/files"} can't be prepared"
    # what the bridge takes the place of goes with its address
    [ -n "$beside" ] || among "$device" "$owned $chosen" || owned="$owned $device"
}
