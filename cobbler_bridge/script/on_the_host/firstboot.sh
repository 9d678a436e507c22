#!/bin/sh
# Part of cobbler-bridge. Proves at the first boot that the bridge works and tells Cobbler, or puts
# the old network back, and removes itself. What must be proved stands in the file "expected".
# POSIX sh; BRIDGE_ROOT is the root to work on (default: /).

root=${BRIDGE_ROOT:-}
state=$root/var/lib/cobbler-bridge
net=$root/sys/class/net
old_network_seconds=60
telling_seconds=900
readers='network NetworkManager systemd-networkd networking wicked'
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022

say() {
    printf 'cobbler-bridge: %s\n' "$*"
}

there_is() {
    command -v "$1" > /dev/null 2>&1
}

# seconds: sets now, by a clock that nobody sets
seconds() {
    read -r now _ < "$root/proc/uptime"
    now=${now%%.*}
}

# ---- what is expected and what is there

lacks() {
    missing="$missing${missing:+; }$*"
}

settings() {
    url='' timeout=120 rollback=yes bridges='' ports='' devices='' nics=''
    while read -r what value _; do
        case $what in
        url) url=$value ;;
        timeout) timeout=$value ;;
        rollback) rollback=$value ;;
        bridge) bridges="$bridges $value" ;;
        port) ports="$ports $value" ;;
        device) devices="$devices $value" ;;
        nic) nics="$nics $value" ;;
        esac
    done < "$state/expected"
}

# look: sets missing to what is not as it should be, or to nothing
look() {
    missing=
    while read -r what value address gateway; do
        case $what in
        bridge)
            bridge=$value
            [ -d "$net/$bridge/bridge" ] || lacks "there is no bridge $bridge"
            ;;
        port) look_at_port "$value" ;;
        device)
            bridge=$value
            [ -e "$net/$bridge" ] || lacks "there is no $bridge"
            ;;
        ipv4 | ipv6) look_at_address "${what#ipv}" "$value" "$address" "$gateway" ;;
        esac
    done < "$state/expected"
}

has_link() {
    carrier=
    { read -r carrier < "$net/$1/carrier"; } 2> /dev/null
    [ "$carrier" = 1 ]
}

look_at_port() {
    [ -e "$net/$bridge/brif/$1" ] || lacks "$1 is not in $bridge"
    has_link "$1" || lacks "$1 has no link"
}

# addresses VERSION DEVICE: those that others can reach, each as ADDRESS/PREFIX
addresses() {
    ip "-$1" addr show dev "$2" scope global 2> /dev/null | while read -r kind given flags; do
        case "$kind $given $flags" in
        *tentative* | *dadfailed* | 'inet 169.254.'*) ;;
        'inet '* | 'inet6 '*) printf '%s\n' "$given" ;;
        esac
    done
}

# look_at_address VERSION METHOD ADDRESS GATEWAY
look_at_address() {
    [ "$2" != none ] || return 0
    given=$(addresses "$1" "$bridge")
    if [ "$2" = static ]; then
        printf '%s\n' "$given" | grep -qxF -- "$3" || lacks "$bridge has not the address $3"
        router=$4
    else
        [ -n "$given" ] || lacks "$bridge has no IPv$1 address"
        router=$(ip "-$1" route show dev "$bridge" 2> /dev/null | sed -n 's/^default via \([^ ]*\).*/\1/p' | head -n 1)
        # the route comes behind the address, if it comes
        if [ -n "$given" ] && [ -z "$router" ] && [ "$without" -lt 3 ]; then
            without=$((without + 1))
            lacks "$bridge has no default route yet"
        fi
    fi
    # nothing can answer before all else is there
    [ -z "$router" ] || [ -n "$missing" ] || answers "$1" "$router" ||
        lacks "the gateway $router does not answer"
}

# answers VERSION ADDRESS: a neighbour, be it only to the question for its MAC address
answers() {
    if [ "$1" = 6 ] && there_is ping6; then
        ping6 -c 1 -w 1 -I "$bridge" "$2" < /dev/null > /dev/null 2>&1 && return
    elif there_is ping; then
        ping "-$1" -c 1 -w 1 -I "$bridge" "$2" < /dev/null > /dev/null 2>&1 && return
        # older ones know no -4
        [ "$1" = 6 ] || ping -c 1 -w 1 -I "$bridge" "$2" < /dev/null > /dev/null 2>&1 && return
    elif there_is bash; then
        # shellcheck disable=SC2016 # the other shell's
        bash -c ': > "/dev/udp/$0/9"' "$2" 2> /dev/null
    fi
    [ -z "$(ip "-$1" neigh show dev "$bridge" 2> /dev/null | while read -r to state_of; do
        case "$to $state_of" in
        "$2 "*REACHABLE* | "$2 "*PERMANENT*) echo yes ;;
        esac
    done)" ] || return 0
    [ "$1" = 4 ] && there_is arping &&
        arping -c 1 -w 1 -I "$bridge" "$2" < /dev/null > /dev/null 2>&1
}

# prove: waits until all is as expected, as long as it may take
prove() {
    without=0
    seconds
    began=$now
    while
        look
        [ -n "$missing" ]
    do
        seconds
        [ $((now - began)) -lt "$timeout" ] || return 1
        sleep 1
    done
    seconds
}

# ---- telling Cobbler

# fetch URL: prints what it answers
fetch() {
    if there_is curl; then
        curl -g -f -s -S -m 60 "$1"
    elif there_is wget; then
        wget -q -O - -T 60 -t 1 "$1"
    else
        # shellcheck disable=SC2016 # the other shell's
        bash -c '
            rest=${0#http://} host=${rest%%/*} port=80
            case $host in
            *]) ;;
            *:*) port=${host##*:} host=${host%:*} ;;
            esac
            host=${host#\[} host=${host%]}
            exec 3<> "/dev/tcp/$host/$port" || exit
            printf "GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n" "${rest#*/}" "${rest%%/*}" >&3
            read -r -t 60 version status reason <&3
            [ "$status" = 200 ] || { echo "the answer is $status $reason" >&2; exit 1; }
            while read -r -t 60 line <&3 && [ "${line%?}" ]; do :; done
            read -r -t 60 line <&3
            printf "%s\n" "$line"' "$1"
    fi < /dev/null 2>&1
}

# tell: the server may be busy for a while
tell() {
    if [ -z "$url" ]; then
        say "the record in Cobbler stays as it is: no server is known"
        return 0
    fi
    if ! there_is curl && ! there_is wget && ! there_is bash; then
        say "the record in Cobbler stays as it is: there is no curl, wget or bash to tell it with"
        return 0
    fi
    seconds
    until=$((now + telling_seconds)) pause=1
    until answer=$(fetch "$url" | head -n 1) && [ "$answer" = True ]; do
        seconds
        if [ "$now" -ge "$until" ]; then
            say "Cobbler could not be told ($url: $answer); the next boot tries again"
            return 1
        fi
        sleep "$pause"
        [ "$pause" -ge 30 ] || pause=$((pause * 2))
    done
    say "Cobbler was told"
}

# ---- putting the old network back

# copy FROM TO: needs no space on the disk where both are on the same one
copy() {
    mkdir -p "${2%/*}" && rm -f "$2" && { ln "$1" "$2" 2> /dev/null || cp -pP "$1" "$2"; }
}

# take_back: first what we added, which makes room; sets failed to what could not be put back
take_back() {
    failed=
    # those names are the old network's from now on
    rm -f "$state/written"
    [ -r "$state/changes" ] || failed=" what is not noted in $state/changes"
    for round in added had; do
        while read -r what path; do
            [ "$what" = "$round" ] || continue
            if put_back "$what" "$path"; then
                reported "$what: $path"
            else
                failed="$failed $path"
                reported "could not be put back: $path"
            fi
        done < "$state/changes"
    done 2> /dev/null
}

put_back() {
    place=$root$2 before=$state/before$2 beside=$root${2%/*}/.cobbler-bridge.${2##*/}
    rm -f "$beside"
    if [ "$1" = added ]; then
        [ ! -e "$place" ] && [ ! -L "$place" ] || copy "$place" "$state/failed$2" || :
        rm -f "$place"
        return
    fi
    if [ "$place" -ef "$before" ]; then
        return 0
    fi
    [ ! -e "$place" ] || copy "$place" "$state/failed$2" || :
    { copy "$before" "$beside" && mv -f "$beside" "$place"; } || cp -pP "$before" "$place"
}

# all of them, as a failed one may have left devices, and those that a run had stopped which was
# cut off
running_readers() {
    for reader in $readers; do
        if grep -qxF "$reader" "$state/readers" 2> /dev/null; then
            printf '%s\n' "$reader"
        elif there_is systemctl; then
            case $(systemctl is-active "$reader.service" 2> /dev/null) in
            active | activating | failed) printf '%s\n' "$reader" ;;
            esac
        elif [ "$reader" != NetworkManager ] || pidof NetworkManager > /dev/null 2>&1; then
            [ ! -x "$root/etc/rc.d/init.d/$reader" ] || printf '%s\n' "$reader"
        fi
    done
}

init_script() {
    SYSTEMCTL_SKIP_REDIRECT=1 "$root/etc/rc.d/init.d/$1" "$2" < /dev/null
}

# stop_readers: as long as our files are there, each can take down what it has made
stop_readers() {
    used=$(running_readers)
    printf '%s\n' "$used" > "$state/readers"
    for reader in $used; do
        if [ -x "$root/etc/rc.d/init.d/$reader" ]; then
            init_script "$reader" stop
        elif there_is systemctl; then
            systemctl stop "$reader.service"
        fi
    done > /dev/null 2>&1
}

start_readers() {
    for reader in $used; do
        if there_is systemctl; then
            systemctl restart "$reader.service"
        else
            init_script "$reader" start
        fi
    done > /dev/null 2>&1
}

# remove_devices: what the readers left, and the names that the NICs had
remove_devices() {
    for device in $devices; do
        ip link del dev "$device"
    done
    for bridge in $bridges; do
        [ -d "$net/$bridge/bridge" ] || continue
        for port in "$net/$bridge/brif"/*; do
            port=${port##*/}
            [ -e "$net/$port" ] || continue
            ip link set dev "$port" nomaster || brctl delif "$bridge" "$port"
        done
        ip link set dev "$bridge" down
        ip link del dev "$bridge" || brctl delbr "$bridge"
    done
    for port in $ports; do
        case " $nics " in
        *" $port "* | *" ${port#p} "*) ;;
        *) ip link del dev "$port" ;;
        esac
    done
    for nic in $nics; do
        if [ ! -e "$net/$nic" ] && [ -e "$net/p$nic" ]; then
            ip link set dev "p$nic" down
            ip link set dev "p$nic" name "$nic"
        fi
        # of a bond that is no port itself, but has a VLAN that is
        ip link set dev "$nic" nomaster
        ip addr flush dev "$nic"
    done
    # or it takes up again what it made up for a NIC whose profile did not fit
    rm -rf "$root"/run/NetworkManager/devices \
        "$root/run/NetworkManager/system-connections/Wired connection"*
} > /dev/null 2>&1

# old_network: a NIC has an address, itself or what it is in
old_network() {
    for nic in $nics; do
        above=$(readlink "$net/$nic/master" || readlink "$net/$nic/brport/bridge") 2> /dev/null
        for device in $nic ${above##*/}; do
            [ -z "$(addresses 4 "$device")$(addresses 6 "$device")" ] || return 0
        done
    done
    return 1
}

any_link() {
    for nic in $nics; do
        ! has_link "$nic" || return 0
    done
    return 1
}

await_old_network() {
    seconds
    until=$((now + old_network_seconds)) linked=$((now + 10))
    until old_network; do
        seconds
        [ "$now" -lt "$until" ] || return 1
        [ "$now" -lt "$linked" ] || any_link || return 1
        sleep 1
    done
}

roll_back() {
    say "not proved: $missing; putting the old network back"
    printf '%s\n' "$missing" > "$state/unfinished"
    report
    reported "Put back:"
    stop_readers
    take_back
    remove_devices
    start_readers
    if await_old_network; then
        outcome="the old network is back"
    else
        outcome="the old network is put back and has no address"
    fi
    [ -z "$failed" ] || outcome="not all files could be put back"
    reported "" "$outcome:" "$(ip addr 2>&1)" "$(ip route 2>&1)"
    message "was not proved ($missing); $outcome"
    say "$outcome; see ${state#"$root"}/report"
    if [ -n "$failed" ]; then
        say "could not be put back:$failed; the next boot tries again"
        return
    fi
    # a power loss must not find a name without its content when the copies are gone
    sync
    leave
    # where a reader or a name hangs, a start from the beginning helps; there is no second one
    if [ ! -e "$state/expected" ] && any_link && ! old_network; then
        reported "The machine is started again, once."
        say "the machine is started again, once"
        sync
        reboot || systemctl reboot || shutdown -r now
    fi
}

# ---- what stays behind

reported() {
    printf '%s\n' "$@" >> "$state/report"
} 2> /dev/null

last_messages() {
    if there_is journalctl; then
        set --
        for reader in $readers; do
            set -- "$@" -u "$reader"
        done
        journalctl -b --no-pager -n 40 "$@"
    else
        tail -n 40 "$root/var/log/messages"
    fi 2>&1
}

# report: what was expected and what was seen; what stood there before goes
report() {
    printf '' > "$state/report"
    reported "$(date)" "The bridge was not proved: $missing" "" "Expected:" \
        "$(grep -v '^url ' "$state/expected")" "" "Links, ports and addresses:"
    for bridge in $bridges; do
        reported "$(printf 'ports of %s: ' "$bridge"; cd "$net/$bridge/brif" && echo *)"
    done 2> /dev/null
    reported "$(ip addr 2>&1)" "" "Routes and neighbours:" \
        "$(ip route; ip -6 route; ip neigh)" "" "Last messages:" "$(last_messages)" ""
} 2> /dev/null

# message TEXT: where somebody looks who comes to the console; once
message() {
    no_message
    text="cobbler-bridge: the bridge$bridges $1; see ${state#"$root"}/report"
    for kind in issue motd; do
        place=$root/etc/$kind
        if [ -d "$place.d" ]; then
            printf '%s\n' "$text" > "$place.d/cobbler-bridge.$kind"
        else
            printf '%s\n' "$text" >> "$place"
        fi
    done
} 2> /dev/null

no_message() {
    for kind in issue motd; do
        place=$root/etc/$kind
        rm -f "$place.d/cobbler-bridge.$kind"
        ! grep -q '^cobbler-bridge: ' "$place" || sed -i '/^cobbler-bridge: /d' "$place"
    done
} 2> /dev/null

# leave: from what starts us to what we read, so that no start finds half of us
leave() {
    rm -f "$root"/etc/systemd/system/*/cobbler-bridge-firstboot.service \
        "$root"/etc/rc.d/rc?.d/S99cobbler-bridge-firstboot \
        "$root/etc/systemd/system/cobbler-bridge-firstboot.service" \
        "$root/etc/rc.d/init.d/cobbler-bridge-firstboot"
    # and what an installation that was cut off laid ready
    rm -f "$root"/etc/systemd/system/.cobbler-bridge.* "$root"/etc/rc.d/*/.cobbler-bridge.* \
        "$root"/etc/systemd/system/*/.cobbler-bridge.* "$state"/.cobbler-bridge.*
    rm -rf "$root/usr/libexec/cobbler-bridge" "$state/new"
    rm -f "$state/expected"
    forget
    ! there_is systemctl || systemctl daemon-reload > /dev/null 2>&1
}

forget() {
    rm -f "$state/unfinished" "$state/readers"
    rm -rf "$state/changes" "$state/before"
}

# proved WHAT: everything goes, once Cobbler knows
proved() {
    say "$*"
    cp "$state/expected" "$state/proved"
    forget
    rm -rf "$state/failed" "$state/report"
    no_message
    ! tell || leave
}

main() {
    [ -r "$state/expected" ] || exit 0
    settings
    if [ -e "$state/unfinished" ]; then
        missing=$(cat "$state/unfinished")
        missing="${missing:-the files of the bridge were not all put in place} (interrupted)"
        roll_back
    elif [ -e "$state/proved" ]; then
        proved "the bridge$bridges was proved before"
    elif ! there_is ip; then
        say "nothing can be proved and nothing is changed: there is no ip command"
    elif prove; then
        proved "the bridge$bridges is proved after $((now - began)) s"
    elif [ "$rollback" = yes ] && [ -s "$state/changes" ]; then
        roll_back
    else
        say "not proved: $missing; the bridge stays, and the next boot looks again"
        report
        message "was not proved ($missing)"
    fi
}

main "$@"
