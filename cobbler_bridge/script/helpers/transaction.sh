# Finds the NICs, lays the files ready and puts them in place all together, or leaves the
# machine as it is and says why. POSIX sh; BRIDGE_ROOT is the root to work on (default: /).

root=${BRIDGE_ROOT:-}
state=$root/var/lib/cobbler-bridge
new=$state/new
umask 022

say() {
    printf 'cobbler-bridge: %s\n' "$*"
}

leave_alone() {
    say "$*; the network stays as it is" >&2
    rm -rf "$new"
    exit 1
}

# need PATH WHY PACKAGE: without this program nothing is begun; where yum can, it installs it
need() {
    [ -x "$root$1" ] && return
    if [ -z "$root" ] && [ -x /usr/bin/yum ]; then
        say "there is no $1: yum is asked to install $3"
        # the script itself may come by standard input
        yum -q -y install "$3" < /dev/null > /dev/null || :
    fi
    [ -x "$root$1" ] || leave_alone "there is no $1: $2"
}

# bridges NAME...: what follows is about these bridges
bridges() {
    bridges=$*
    owned=
    chosen=
    rm -rf "$new"
    mkdir -p "$new/files" || leave_alone "nothing can be written below $state"
    : > "$new/list"
    : > "$new/aside"
    : > "$new/ports"
    for each; do own "$each"; done
}

# among WORD LIST: whether the list, with blanks between, has the word
among() {
    case " $2 " in
    *" $1 "*) return 0 ;;
    esac
    return 1
}

# own NAME: other files about this device would work against ours
own() {
    ! among "$1" "$owned" || leave_alone "there would be two devices $1"
    owned="$owned $1"
}

# nic NUMBER ROLE auto|mac|name [VALUE]: sets nicN (the name now), portN (the name to be) and macN
nic() {
    find_nic "$@"
    name=$nic
    ! among "$nic" "$bridges" || name=p$nic
    [ "${#name}" -le 15 ] || leave_alone "the NIC $nic can't be renamed $name: over 15 characters"
    own "$name"
    chosen_as "$1" "$2"
}

# nic_left NUMBER ROLE auto|mac|name [VALUE]: the same for a NIC whose own files stay as they are
nic_left() {
    find_nic "$@"
    name=$nic
    ! among "$nic" "$bridges" || leave_alone "$nic can't keep its name: a bridge gets it"
    chosen_as "$1" "$2" left
}

# find_nic NUMBER ROLE auto|mac|name [VALUE]: sets nic, or ends here
find_nic() {
    nic=
    case $3 in
    auto) find_install_nic "$1" "${4:-}" ;;
    mac) find_mac "$4" ;;
    name) find_name "$4" ;;
    esac
    [ -n "$nic" ] || leave_alone "no NIC is certain to be $2 (asked for: $3${4:+ $4}); there are $(nics_said)"
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

# vlan NUMBER PARENT TAG: sets vlanN, the name that it gets
vlan() {
    name=$2.$3
    [ "${#name}" -le 15 ] || name=vlan$3
    own "$name"
    eval "vlan$1=\$name"
}

# is_nic NAME: an Ethernet device that is neither wireless nor made of other devices
is_nic() {
    at=$root/sys/class/net/$1
    [ "$1" != lo ] && [ -r "$at/address" ] || return 1
    for mark in bridge bonding tun_flags wireless phy80211; do
        [ ! -e "$at/$mark" ] || return 1
    done
    [ ! -e "$root/proc/net/vlan/$1" ] || return 1
    ! grep -q '^DEVTYPE=' "$at/uevent" 2> /dev/null || return 1
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
    [ -n "$own_mac" ] || read -r own_mac < "$root/sys/class/net/$1/address" || :
    printf '%s\n' "$own_mac" | tr 'A-F' 'a-f'
}

has_link() {
    carrier=
    { read -r carrier < "$root/sys/class/net/$1/carrier"; } 2> /dev/null || :
    [ "$carrier" = 1 ]
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

find_mac() {
    found=
    for each in $(nics); do
        [ "$(nic_mac "$each")" != "$1" ] || found="$found $each"
    done
    only "$found"
}

# a port that bears a bridge's name has p before it once the machine was started again
find_name() {
    nic=
    if is_nic "$1"; then
        nic=$1
    elif among "$1" "$bridges" && is_nic "p$1"; then
        nic=p$1
    elif [ "$1" = "p${1#p}" ] && among "${1#p}" "$bridges" && is_nic "${1#p}"; then
        nic=${1#p}
    fi
}

# find_install_nic NUMBER [MAC]: the NIC of an earlier run, then the one that Cobbler knows, the
# one that was started from, the one of the default route, and the only one (with a link)
find_install_nic() {
    for address in "$(remembered_mac "$1")" "$2" "$(bootif_mac)"; do
        [ -n "$address" ] || continue
        find_mac "$address"
        [ -z "$nic" ] || return 0
    done
    find_route_nic
    [ -z "$nic" ] || return 0
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

# pxelinux and koan leave BOOTIF=01-aa-bb-cc-dd-ee-ff on the kernel's command line
bootif_mac() {
    tr ' ' '\n' < "$root/proc/cmdline" | sed -n 's/^BOOTIF=01-//p' | head -n 1 | tr 'A-F-' 'a-f:'
}

find_route_nic() {
    nic=
    device=
    while read -r out to rest; do
        if [ "$to" = 00000000 ]; then
            device=$out
            break
        fi
    done 2> /dev/null < "$root/proc/net/route" || :
    [ -z "$device" ] || only "$(nics_below "$device")"
}

# nics_below DEVICE: itself, or what its bridge, bond or VLAN is made of
nics_below() {
    if is_nic "$1"; then
        printf '%s\n' "$1"
        return
    fi
    for below in "$root/sys/class/net/$1/brif"/* "$root/sys/class/net/$1"/lower_*; do
        [ -e "$below" ] || [ -L "$below" ] || continue
        below=${below##*/}
        below=${below#lower_}
        if is_nic "$below"; then
            printf '%s\n' "$below"
        elif [ -d "$root/sys/class/net/$below" ]; then
            nics_below "$below"
        fi
    done | sort -u
}

# write_file MODE PATH: standard input becomes the file; nothing is in place before commit
write_file() {
    prepared=$new/files$2
    if mkdir -p "${prepared%/*}" && cat > "$prepared" && chmod "$1" "$prepared"; then
        will_write "$2" || printf '%s\n' "$2" >> "$new/list" && return
    fi
    leave_alone "$2 can't be prepared"
}

# link_files TARGET PATH...: symbolic links, put in place as files are
link_files() {
    target=$1
    shift
    for each; do
        prepared=$new/files$each
        if mkdir -p "${prepared%/*}" && ln -s "$target" "$prepared"; then
            will_write "$each" || printf '%s\n' "$each" >> "$new/list" && continue
        fi
        leave_alone "$each can't be prepared"
    done
}

will_write() {
    grep -qxF -- "$1" "$new/list"
}

# will_not_write PATH: what was prepared for it is not put in place
will_not_write() {
    : > "$new/fewer" || leave_alone "nothing can be written below $state"
    while read -r each; do
        [ "$each" = "$1" ] || printf '%s\n' "$each" >> "$new/fewer" ||
            leave_alone "nothing can be written below $state"
    done < "$new/list"
    cat "$new/fewer" > "$new/list" || leave_alone "nothing can be written below $state"
}

# set_aside PATH: the file is moved to the kept ones when the new ones are in place
set_aside() {
    printf '%s\n' "$1" >> "$new/aside" || leave_alone "$1 can't be set aside"
}

# set_aside_rival PATH DEVICE MAC: where the file is for one of our devices
set_aside_rival() {
    while read -r number mac left; do
        old='' name=''
        eval "old=\$nic$number name=\$port$number"
        [ -z "$left" ] || continue
        case $2,$3 in
        "$old,"* | "$name,"* | *",$mac")
            set_aside "$1"
            return
            ;;
        esac
    done < "$new/ports"
    ! among "${2:-none}" "$owned" || set_aside "$1"
}

# find_source HOW BRIDGE DEVICE...: sets source, what HOW finds for the first of these devices
find_source() {
    how=$1 bridge=$2
    shift 2
    source=
    for device; do
        [ -n "$source" ] || "$how" "$device"
        # once it is renamed
        [ -n "$source" ] || [ "$device" != "p$bridge" ] || "$how" "$bridge"
    done
    [ -n "$source" ] || leave_alone "no file of the installer is there for $*: nothing can be kept"
}

same() {
    if [ -L "$1" ]; then
        [ "$(readlink "$1")" = "$(readlink "$2")" ]
        return
    fi
    [ -f "$2" ] && [ "$(cat "$1" && echo .)" = "$(cat "$2" && echo .)" ]
}

# keep PATH: a copy of what stood there, beside any older one
keep() {
    [ -e "$root$1" ] || return 0
    kept=$state/kept$1
    while [ -e "$kept" ]; do
        ! same "$root$1" "$kept" || return 0
        kept=$kept.again
    done
    mkdir -p "${kept%/*}" && cp -p "$root$1" "$kept"
}

# remember PATH: a copy of what stands there now, for undo; the kept one may be older
remember() {
    [ -e "$root$1" ] || return 0
    mkdir -p "$new/before${1%/*}" && cp -p "$root$1" "$new/before$1"
}

# commit: every file lies ready beside its place before the first is renamed, so that a full
# disk or a read-only one changes nothing
commit() {
    check_names
    set_aside_earlier
    : > "$new/todo"
    while read -r path; do
        same "$new/files$path" "$root$path" || printf '%s\n' "$path" >> "$new/todo" ||
            give_up "$path can't be prepared"
    done < "$new/list"
    ! needs_no_check || : > "$new/todo"
    while read -r path; do
        beside=$root${path%/*}/.cobbler-bridge.${path##*/}
        if { is_ours "$path" || keep "$path"; } && remember "$path" && mkdir -p "$root${path%/*}"; then
            cp -pP "$new/files$path" "$beside" && continue
        fi
        give_up "$path can't be written"
    done < "$new/todo"
    while read -r path; do
        if keep "$path" && remember "$path"; then continue; fi
        give_up "$path can't be kept aside"
    done < "$new/aside"
    begin_changes
    while read -r path; do
        mv -f "$root${path%/*}/.cobbler-bridge.${path##*/}" "$root$path" ||
            undo "$path can't be put in place"
        is_ours "$path" || say "wrote $path"
    done < "$new/todo"
    while read -r path; do
        rm -f "$root$path" || undo "$path can't be set aside"
        say "set aside $path"
    done < "$new/aside"
    labels
    if [ -s "$new/todo" ] || [ -s "$new/aside" ]; then
        mv -f "$new/ports" "$new/written" "$state" || say "the ports can't be remembered" >&2
    else
        say "$bridges is set up already"
    fi
    end_changes
    # everything is in place: a leftover here is no failure
    rm -rf "$new" || :
}

# set_aside_earlier: what an earlier run wrote for a device or a route that is not wanted any more
set_aside_earlier() {
    : > "$new/written"
    while read -r path; do
        case $path in
        */network-scripts/* | */system-connections/*)
            printf '%s\n' "$path" >> "$new/written" || leave_alone "nothing can be written below $state"
            ;;
        esac
    done < "$new/list"
    [ -r "$state/written" ] || return 0
    while read -r path; do
        [ -f "$root$path" ] || continue
        will_write "$path" || grep -qxF -- "$path" "$new/aside" || set_aside "$path"
    done < "$state/written"
}

# is_ours PATH: no part of the network configuration
is_ours() {
    case $1 in
    *cobbler-bridge-firstboot* | /usr/libexec/cobbler-bridge/* | /var/lib/cobbler-bridge/*) ;;
    *) return 1 ;;
    esac
}

checked() {
    will_write /var/lib/cobbler-bridge/expected
}

# needs_no_check: what was proved once and does not change needs no first boot
needs_no_check() {
    [ ! -s "$new/aside" ] && checked || return 1
    while read -r path; do
        is_ours "$path" || return 1
    done < "$new/todo"
    [ ! -e "$state/expected" ] && same "$new/files/var/lib/cobbler-bridge/expected" "$state/proved"
}

# begin_changes: what stood there before our first run lies in "before", and "changes" lists it,
# until the first boot has proved the bridge or put it back. As long as "unfinished" is there, a
# machine that is started again is between the old network and the new one.
begin_changes() {
    checked || return 0
    [ -s "$new/todo" ] || [ -s "$new/aside" ] || return 0
    # nobody waits for what is left of an older check
    if [ ! -e "$state/expected" ]; then
        rm -rf "$state/changes" "$state/before" "$state/unfinished" ||
            give_up "nothing can be written below $state"
    fi
    [ -e "$state/changes" ] || printf '' > "$state/changes"
    cat "$state/changes" > "$new/changes" || give_up "nothing can be written below $state"
    for list in todo aside; do
        while read -r path; do
            is_ours "$path" || note "$path" || give_up "$path can't be noted"
        done < "$new/$list"
    done
    if ! mv -f "$new/changes" "$state/changes" || ! printf '' > "$state/unfinished"; then
        give_up "nothing can be written below $state"
    fi
    rm -f "$state/proved"
    to_disk
}

# note PATH: the first run that changes it saw what was there before us
note() {
    ! grep -qxF -e "added $1" -e "had $1" "$new/changes" || return 0
    if [ ! -e "$root$1" ]; then
        printf 'added %s\n' "$1" >> "$new/changes"
        return
    fi
    # the file itself: it leaves its place by a new one that is renamed
    mkdir -p "$state/before${1%/*}" && rm -f "$state/before$1" &&
        { ln "$root$1" "$state/before$1" 2> /dev/null || cp -p "$root$1" "$state/before$1"; } &&
        printf 'had %s\n' "$1" >> "$new/changes"
}

end_changes() {
    [ -e "$state/unfinished" ] || return 0
    to_disk
    rm -f "$state/unfinished"
}

# to_disk: a power loss must not find a name without its content
to_disk() {
    [ -n "$root" ] || sync
}

check_names() {
    for each in $owned; do
        among "$each" "$chosen" || ! is_nic "$each" || leave_alone "another NIC has the name $each"
    done
}

give_up() {
    forget_changes
    while read -r path; do
        rm -f "$root${path%/*}/.cobbler-bridge.${path##*/}"
    done < "$new/todo"
    leave_alone "$1"
}

# undo WHY: puts back what stood there; a file that we added goes
undo() {
    while read -r path; do
        is_ours "$path" || put_back "$path"
    done < "$new/todo"
    while read -r path; do
        put_back "$path"
    done < "$new/aside"
    # last: should this be cut off too, the next boot still knows what to do
    while read -r path; do
        ! is_ours "$path" || put_back "$path"
    done < "$new/todo"
    forget_changes
    leave_alone "$1"
}

# forget_changes: where an earlier run still waits for its check, its changes are noted on
forget_changes() {
    rm -f "$state/unfinished"
    [ -e "$state/expected" ] || rm -rf "$state/changes" "$state/before"
}

# put_back PATH: what stood there before commit, or nothing where nothing did
put_back() {
    before=$new/before$1
    beside=$root${1%/*}/.cobbler-bridge.${1##*/}
    if [ ! -e "$before" ]; then
        rm -f "$root$1"
    elif ! same "$before" "$root$1"; then
        { cp -p "$before" "$beside" && mv -f "$beside" "$root$1"; } ||
            cp -p "$before" "$root$1"
    fi
    rm -f "$beside"
}

# labels: older releases don't label what a chroot writes
labels() {
    [ -z "$root" ] && [ -x /sbin/restorecon ] || return 0
    while read -r path; do
        /sbin/restorecon "$path" 2> /dev/null || :
    done < "$new/todo"
}
