# Proves at the first boot that the bridge works, or puts the old network back, and tells Cobbler
# which. What must be proved stands in the file "expected", which is "rolled-back" from when the old
# network is back until the script is run again.
# Before it stand parts of "firstboot": the one of what starts services here, which has the same functions for
# every init system, and for each reader of the network's files that may be here its name and what is special about it, which is called by name:
# stop_READER stops it in place of its service; free_READER frees the NICs of what it leaves on
# them, so that it is stopped before a host that runs is switched, or where there is a holds_READER, if
# that finds something that it would hold; clear_READER takes away what it
# would go on with when the old network is put back; started_READER does what starting leaves out;
# make_READER makes of its files what others read; restart_READER is for a switch, in place of its
# service; longer_READER gives a switch more time; units_READER prints what else has messages. In these names systemd-networkd is networkd: no
# shell function's has a hyphen. POSIX sh; BRIDGE_ROOT is the root (default: /).
# shellcheck disable=SC2329 # each_change calls by name

root=${BRIDGE_ROOT:-}
state=$root/var/lib/cobbler-bridge
net=$root/sys/class/net
old_network_seconds=60
# the number of the rule and of the routes by which old addresses are kept
old_table=7760
telling_seconds=900
script_seconds=600
undoing='' waited=0 switched='' leaving='' moved='' since='' used='' bonds='' into='' status=0
# in which all hosts look at their bridges
watch_seconds=7200
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C
umask 022
# who reads what we say may have ended
trap '' PIPE

# interruptible: a signal ends us with a status that has us started again
interruptible() {
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# uninterruptible: what was begun is ended, also by the commands that we call
uninterruptible() {
    trap '' HUP INT TERM
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

# settings FILE: sets damaged where the file is not whole or has a line that it can't have; what can be
# read is used for putting back
settings() {
    wanted=$1 url='' described='' watch=yes timeout=120 always='' rollback=yes bridges='' ports='' devices='' nics='' damaged=yes
    nics_before=$(sed -n 's/^nic //p' "$state/proved.before" 2> /dev/null | tr '\n' ' ')
    last='' wrong='' count=0
    while read -r what value more; do
        is_setting || wrong=yes
        count=$((count + 1))
    done < "$1"
    # read sets nothing behind a last line that is whole
    [ "$last" != end ] || [ -n "$wrong$what" ] || [ -z "$bridges" ] || damaged=
}

# is_setting: takes one line of "expected"
is_setting() {
    [ "$last" != end ] || return
    last=$what
    case $what in
    bridge | port | device | nic)
        is_name "$value" && [ -z "$more" ] && eval "${what}s=\"\$${what}s \$value\""
        ;;
    description)
        case $value$more in '' | *[!0-9a-f-]*) return 1 ;; *) described=$value ;; esac
        ;;
    watch) [ "$value$more" = no ] && watch=no ;;
    timeout) [ -z "${more#always}" ] && is_number "$value" && timeout=$value always=$more ;;
    rollback) [ "$value$more" = yes ] || { [ "$value$more" = no ] && rollback=no; } ;;
    url)
        case $value in
        *[!!-~]*) return 1 ;;
        http://?*/?*) url=$value ;;
        *) return 1 ;;
        esac
        ;;
    ipv4 | ipv6)
        case "$value $more" in
        'none ' | 'any ') ;;
        'static '?*) is_address "$more" ;;
        *) return 1 ;;
        esac
        ;;
    mtu | was) is_name "$value" && is_number "$more" ;;
    end) [ "$value" = "$count" ] && [ -z "$more" ] ;;
    *) return 1 ;;
    esac
}

# is_address "ADDRESS/PREFIX [GATEWAY]"
is_address() {
    case $1 in
    *[!0-9a-f:./\ ]* | *' '*' '*) return 1 ;;
    *[0-9a-f:]/[0-9]*) ;;
    *) return 1 ;;
    esac
}

is_name() {
    case $1 in
    '' | . | .. | -* | *[!!-~]* | */*) return 1 ;;
    esac
    [ "${#1}" -le 15 ]
}

is_number() {
    case $1 in
    '' | *[!0-9]* | ??????*) return 1 ;;
    esac
}

# look: sets missing to what is not as it should be, or to nothing
look() {
    missing='' idle='' linked='' unlinked='' unfit=''
    if [ -n "$damaged" ]; then
        look_for_anybody
        return
    fi
    for port in $leaving; do
        [ ! -e "$net/$port/brport" ] || lacks "$port is still in a bridge"
    done
    while read -r what value address gateway; do
        case $what in
        bridge)
            bridge=$value
            [ -d "$net/$bridge/bridge" ] || lacks "there is no bridge $bridge"
            ;;
        port) if has_link "$value"; then linked="$linked $value"; else unlinked="$unlinked $value"; fi ;;
        device)
            bridge=$value
            [ -e "$net/$bridge" ] || lacks "there is no $bridge"
            ;;
        ipv4 | ipv6)
            look_at_ports
            look_at_address "${what#ipv}" "$value" "$address" "$gateway"
            ;;
        mtu) grep -qsxF "$address" "$net/$value/mtu" || unfit="$unfit $value" ;;
        esac
    done < "$wanted"
}

# look_for_anybody: where it is not known what is wanted, the network is let be if a gateway answers
look_for_anybody() {
    for version in 4 6; do
        routes=$(ip "-$version" route show 2> /dev/null |
            sed -n 's/^default via \([^ ]*\) dev \([^ ]*\).*/\1 \2/p')
        # shellcheck disable=SC2086
        set -- $routes
        while [ $# -gt 1 ]; do
            bridge=$2
            ! answers "$version" "$1" || return 0
            shift 2
        done
    done
    lacks "no gateway answers"
}

# look_at_ports: where one has a link, another one may have none, and NetworkManager leaves that out
look_at_ports() {
    # it may come a moment later
    [ -z "$linked" ] || [ "$waited" -lt 3 ] || { idle="$idle$unlinked" && unlinked=''; }
    for port in $linked $unlinked; do
        [ -e "$net/$bridge/brif/$port" ] || lacks "$port is not in $bridge"
    done
    for port in $unlinked; do lacks "$port has no link"; done
    linked='' unlinked=''
}

# addresses VERSION DEVICE: those that others can reach, each as ADDRESS/PREFIX
addresses() {
    ip "-$1" addr show dev "$2" scope global 2> /dev/null | while read -r kind given flags; do
        case "$kind $given $flags" in
        *tentative* | *dadfailed* | 'inet 169.254.'*) ;;
        'inet '* | 'inet6 '*) is_old "$given" || printf '%s\n' "$given" ;;
        esac
    done
}

# is_old ADDRESS/PREFIX: whether it is there because of keep_addresses
is_old() {
    grep -qsxF -e "address 4 ${1%/32}" -e "address 6 ${1%/128}" "$state/addresses"
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
        if [ -n "$given" ] && [ -z "$router" ] && [ "$waited" -lt "$((${without:=$waited} + 3))" ]; then
            lacks "$bridge has no default route yet"
        fi
    fi
    # nothing can answer before all else is there
    [ -z "$router" ] || [ -n "$missing" ] || answers "$1" "$router" || lacks "$silent"
}

# answers VERSION ADDRESS: a gateway; sets silent to what does not answer. One that answers nothing
# but the question for its MAC address may be the neighbour of a host that nobody can reach.
answers() {
    # one that is known from before the switch is asked anew
    ! ip "-$1" neigh show dev "$bridge" 2> /dev/null | grep -q "^$2 .*STALE" ||
        ip "-$1" neigh del "$2" dev "$bridge" 2> /dev/null
    ! pings "$1" "$2" || return 0
    silent="the gateway $2 does not answer"
    neighbour "$1" "$2" || return
    silent="the gateway $2 answers no ping, and the server nothing over $bridge"
    [ -n "$heard" ] || [ -z "$url" ] || ! can_ask || server_answers || rules_let_in || return
    heard=yes
}

pings() {
    if [ "$1" = 6 ] && there_is ping6; then
        ping6 -c 1 -w 1 -I "$bridge" "$2"
    elif there_is ping; then
        # older ones know no -4; with 1 it has waited already
        ping "-$1" -c 1 -w 1 -I "$bridge" "$2" || { [ $? -ne 1 ] && [ "$1" = 4 ] && ping -c 1 -w 1 -I "$bridge" "$2"; }
    else
        return 1
    fi
} < /dev/null > /dev/null 2>&1

neighbour() {
    # a packet must go out: nobody asks for a neighbour that is only connected to
    # shellcheck disable=SC2016 # the other shell's
    there_is ping || ! there_is bash || bash -c 'echo > "/dev/udp/$0/9"' "$2" 2> /dev/null
    [ -z "$(ip "-$1" neigh show dev "$bridge" 2> /dev/null | while read -r to state_of; do
        case "$to $state_of" in
        "$2 "*REACHABLE* | "$2 "*PERMANENT*) echo yes ;;
        esac
    done)" ] || return 0
    [ "$1" = 4 ] && there_is arping &&
        arping -c 1 -w 1 -I "$bridge" "$2" < /dev/null > /dev/null 2>&1
}

# server_answers: Cobbler's, whatever it says; where another way leads to it there is nothing to ask
server_answers() {
    server=${url#http://}
    server=${server%%/*}
    case $server in
    \[*) server=${server#?} server=${server%%\]*} ;;
    *) server=${server%:*} ;;
    esac
    case $server in
    *:*) ;;
    *[!0-9.]*) server=$(getent hosts "$server" | sed 's/ .*//;q') ;;
    esac
    way=$(ip route get "$server")
    case $way in
    *" dev $bridge "* | '') ;;
    *) return 0 ;;
    esac
    ask=${url%%/op/trig/*}/op/index
    if there_is curl; then
        curl -g -s -m 10 --interface "$bridge" "$ask"
    else
        [ -n "$way" ] && fetch "$ask"
    fi
} < /dev/null > /dev/null 2>&1

# rules_let_in: others, over the bridge; rules that know no answers keep them out, as they did before
rules_let_in() {
    { iptables-save; nft list ruleset; } |
        grep -q -e "^-A .*-i $bridge .*-j ACCEPT" -e "iifname.*\"$bridge\".* accept"
} 2> /dev/null

# prove: waits until all is as expected, as long as it may take; where a host that runs was switched it
# must be so for a second, for a reader may be half way between the old network and the new one
prove() {
    without='' heard='' waited=0 steady=''
    seconds
    began=${since:-$now}
    while
        plug_in
        keep_addresses
        bare_ports
        seconds
        waited=$((now - began))
        look
        [ -n "$missing" ] || [ -n "$switched" ]
    do
        if [ -z "$missing" ]; then
            [ -z "$steady" ] || break
            steady=yes
            sleep 1
            continue
        fi
        steady=
        # a look takes seconds where a gateway is silent
        seconds
        [ "$((now - began))" -lt "$timeout" ] || return 1
        nap
    done
    seconds
}

# ---- telling Cobbler

# fetch URL: prints what it answers; a server that answers for ever, or slowly, is left
fetch() {
    if there_is curl; then
        curl -g -f -s -S -m 60 "$1"
    elif there_is wget && there_is timeout; then
        timeout 60 wget -q -O - -T 60 -t 1 "$1"
    elif there_is bash; then
        fetch_with_bash "$1"
    else
        wget -q -O - -T 60 -t 1 "$1"
    fi < /dev/null 2>&1
}

fetch_with_bash() {
    # shellcheck disable=SC2016 # the other shell's
    bash -c '
        rest=${0#http://} host=${rest%%/*} port=80
        case $host in
        *]) ;;
        *:*) port=${host##*:} host=${host%:*} ;;
        esac
        host=${host#\[} host=${host%]}
        line() { [ "$SECONDS" -lt 60 ] && read -r -n 2000 -t $((60 - SECONDS)) line <&3; }
        exec 3<> "/dev/tcp/$host/$port" || exit
        printf "GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n" "${rest#*/}" "${rest%%/*}" >&3
        line
        case $line in
        "HTTP/1."[01]" 200"*) ;;
        *) echo "the answer is ${line#HTTP/1.[01] }"; exit ;;
        esac
        while line && [ "${line%?}" ]; do :; done
        line
        printf "%s\n" "$line"' "$1"
}

# asked URL: the first line of the answer, as it may be printed
asked() {
    cr=$(printf '\r')
    fetch "$1" | head -c 300 | head -n 1 | sed "s/$cr\$//" |
        tr '\000-\011\013-\037\177-\377' '?'
} 2> /dev/null

can_ask() {
    there_is curl || there_is wget || there_is bash
}

# word TEXT: as it may stand in a URL
word() {
    printf '%.200s' "$(printf '%s' "$1" | tr -cs 'A-Za-z0-9.:-' '_')"
}

# tell [MORE]: what stands behind our name; the server may be busy for a while
tell() {
    why=
    can_ask || why="there is no curl, wget or bash to tell it with"
    [ -n "$url" ] || why="no server is known"
    [ -z "$why" ] || { say "the record in Cobbler stays as it is: $why"; return 0; }
    seconds
    until=$((now + telling_seconds)) pause=1
    until answer=$(asked "$url${1:-}") && [ "$answer" = True ]; do
        seconds
        [ "$now" -lt "$until" ] || {
            say "Cobbler could not be told ($url: $answer); the next boot tries again"
            return 1
        }
        sleep "$pause"
        [ "$pause" -ge 30 ] || pause=$((pause * 2))
    done
    say "Cobbler was told"
}

# ---- putting the old network back

# each_change FUNCTION [added|had]: for each change sets place, and ready and ours, which are beside
# it: the old file, and what the script put there; ends with the first that fails
each_change() {
    while read -r what path; do
        place=$root$path beside=$root${path%/*}/.cobbler-bridge
        ready=$beside.old.${path##*/} ours=$beside.ours.${path##*/}
        case $what,${2:-$what} in
        added,added | had,had) "$1" || { failed=$path; return 1; } ;;
        esac
    done < "$state/changes"
} 2> /dev/null

# changes_are_whole: a part of the old network is none
changes_are_whole() {
    what='' last='' count=0
    while read -r what path; do
        case "$last,$what $path" in
        end,*) return 1 ;;
        *",added /"* | *",had /"*) count=$((count + 1)) ;;
        *",end $count") ;;
        *) return 1 ;;
        esac
        last=$what
    done < "$state/changes"
    [ "$last" = end ] && [ -z "$what" ] && [ "$count" -gt 0 ]
} 2> /dev/null

# lay_ready: the old file, and what it takes to go back from there
lay_ready() {
    # into a folder mv would put it
    [ -L "$place" ] || [ ! -d "$place" ] || return
    gone "$beside.${path##*/}"
    if [ "$what" = had ]; then
        is_there "$state/before$path" && mkdir -p "${place%/*}" && copy "$state/before$path" "$ready" || return
        [ -L "$ready" ] || cat "$ready" > /dev/null || return
    fi
    # an earlier run that was cut off knew what was ours, if something was
    [ ! -e "$state/laid" ] || return 0
    gone "$ours" || return
    ! is_there "$place" || { copy "$place" "$ours.put" && mv -f "$ours.put" "$ours"; }
}

put_old() {
    put "$ready" "$place" && is_there "$place"
}

take_away() {
    gone "$place" && ! is_there "$place"
}

put_ours() {
    if is_there "$ours"; then
        put "$ours" "$place" && is_there "$place"
    else
        take_away
    fi
}

# clear_up: what was ours is kept for somebody to look at; nothing beside any place is left
clear_up() {
    if [ -z "$failed" ] && is_there "$ours" && ! same "$state/before$path" "$ours"; then
        mkdir -p "$state/failed${path%/*}" && copy "$ours" "$state/failed$path"
    fi
    rm -f "$ready" "$ours" "$ready.put" "$ours.put"
    [ -n "$failed" ] || reported "$what: $path"
    return 0
}

# take_back: all of the old files, and then none of ours; where one can't be put back, all of ours.
# Sets failed to the file that can't be put back, and half where it is neither
take_back() {
    half=
    if each_change put_old had && each_change take_away added; then
        # those names are the old network's from now on
        rm -f "$state/written"
        return
    fi
    ours_again
    return 1
}

# ours_again: sets half where not even ours are there
ours_again() {
    stuck=$failed
    each_change put_ours || half=$failed
    failed=$stuck
}

# put_files_back: as long as our files are there, what reads them can take down what it has made
put_files_back() {
    printf '' > "$state/laid"
    note_guests
    drop_addresses
    stop_readers
    other_mtu "$state/expected" "$state/proved.before"
    # one that runs is started by what becomes of its devices
    ! take_back || { each_reader "$readers" make; remove_devices; load_rules; }
    start_readers start
    [ -n "$failed" ] || printf '' > "$state/back"
} 2> /dev/null

# running_readers: all of them, those that a run had stopped which was cut off, and those that somebody has
# stopped since we used them
running_readers() {
    for reader in $readers; do
        ! { printf '%s\n' "$used" | cat - "$state/readers" 2> /dev/null | grep -qxF "$reader" || is_up "$reader"; } || printf '%s\n' "$reader"
    done
}

# each_reader NAMES FUNCTION: has each of these readers do what it has of this kind
each_reader() {
    for reader in $1; do
        reader=${reader#systemd-}
        ! there_is "$2_$reader" || "$2_$reader"
    done
}

# load_rules: what the files say that were changed
load_rules() {
    loaded=
    each_change load_rule
}

load_rule() {
    case $path in
    /etc/sysconfig/ip*tables) unit=${path##*/} ;;
    /etc/iptables/rules.v[46]) unit=netfilter-persistent ;;
    /etc/sysconfig/nftables.conf | /etc/nftables*) unit=nftables ;;
    /etc/firewalld/*) unit=firewalld ;;
    *)
        [ "${path#/etc/sysctl}" = "$path" ] || sysctl -e -q -p "$place"
        return 0
        ;;
    esac
    case " $loaded " in
    *" $unit "*) return 0 ;;
    esac
    loaded="$loaded $unit"
    reload "$unit" || :
} < /dev/null > /dev/null 2>&1

# note_readers: those that run are ours to start, whatever ends us
note_readers() {
    used=$(running_readers)
    # none runs: those that a boot starts
    [ -n "$used" ] || { printf '' > "$state/readers" && used=$(running_readers); }
    printf '%s\n' "$used" > "$state/readers"
} 2> /dev/null

stop_readers() {
    note_readers
    for reader in $used; do stop_reader "$reader"; done > /dev/null 2>&1
}

# start_readers start|restart
start_readers() {
    each_reader "$readers" make > /dev/null 2>&1
    for reader in $used; do start_reader "$reader" "$1"; done > /dev/null 2>&1
    rm -f "$state/readers"
}

# resume: starts what a run had stopped that was cut off
resume() {
    [ -e "$state/readers" ] || return 0
    used=$(running_readers)
    start_readers start
}

# switch_over: on a host that runs, the script leaves it to us to make its files the network
switch_over() {
    say "the network is started again, with the bridge$bridges"
    uninterruptible
    switched=yes
    note_guests
    note_leaving
    # a switch that was cut off knows them, and they are there no more
    [ -e "$state/noted" ] || { note_addresses; old_network || printf '' > "$state/unaddressed"; printf '' > "$state/noted"; }
    load_rules
    note_readers
    other_mtu "$state/proved.before" "$state/expected"
    first=$gone
    for reader in $used; do
        reader=${reader#systemd-}
        if there_is "holds_$reader"; then
            ! "holds_$reader" || first=yes
        elif there_is "free_$reader"; then
            first=yes
        fi
    done
    if [ -n "$first" ]; then
        stop_readers
        # one that runs is started by what becomes of its devices
        each_reader "$readers" make > /dev/null 2>&1
        {
            each_reader "$used" free
            leave_ports
            for device in $nics $ports; do ip addr flush dev "$device"; done
            # no file is left that a reader could take them down by
            for device in $gone; do
                ip link set dev "$device" down
                ip link del dev "$device" || brctl delbr "$device"
            done
        } > /dev/null 2>&1
        start_readers start
    else
        leave_ports
        start_readers restart
    fi
    # by now it is the bridge that has them, and what proves it goes by its own routes
    drop_addresses same
    interruptible
}

# other_mtu FROM TO: a reader leaves that of a device which it knows already. Where none is described any
# more, it is that of before, and a bridge that we made has its NIC's; once, for a NIC may lose its link by it
other_mtu() {
    of_nic=$(sed -n '/^was /{s/.* //p;q;}' "$1")
    {
        sed -n 's/^mtu //p' "$2"
        sed -n 's/^was //p' "$1"
        sed -n "s/^mtu \([^ ]*\) .*/\1 ${of_nic:-1500}/p" "$1"
    } | awk '!seen[$1]++' | while read -r device size; do ip link set dev "$device" mtu "$size"; done
} > /dev/null 2>&1

# note_guests: what is plugged into the bridges and is none of ours; putting back deletes them, and
# readers take out what they don't know
note_guests() {
    for port in "$net"/*/brport; do
        port=${port%/brport}
        [ ! -e "$port/device" ] || continue
        bridge=$(readlink "$port/brport/bridge")
        port=${port##*/}
        case " $ports $nics $devices $nics_before " in *" $port "*) continue ;; esac
        # made of another device, which knows it
        set -- "$net/$port"/lower_*
        [ -e "$1" ] || grep -qs "^$port ${bridge##*/} " "$state/guests" ||
            printf '%s\n' "$port ${bridge##*/} $(cat "$net/$port/brport/isolated")" >> "$state/guests"
    done
} 2> /dev/null

# note_leaving: what has been a port by the old files, and is to be none; sets moved to the bridges that it was in
note_leaving() {
    for bridge in $bridges; do
        for port in "$net/$bridge/brif"/*; do
            port=${port##*/}
            case " $ports " in *" $port "*) continue ;; esac
            set -- "$net/$port"/lower_*
            [ -e "$net/$port/device" ] || [ -e "$1" ] || case " $nics_before" in *" $port "*) ;; *) continue ;; esac
            leaving="$leaving $port" moved="$moved $bridge"
        done
    done
}

# leave_ports: a reader may leave them where they are, and the lease of the network that they were in
leave_ports() {
    for port in $leaving; do ip link set dev "$port" nomaster; done
    for bridge in $moved; do ip addr flush dev "$bridge" dynamic; done
} > /dev/null 2>&1

# bare_ports: on a host that was switched the kernel may leave routes on what is a port by now: that of a static IPv6
# address where there was one by router advertisements too, and a router's that is not the only one
bare_ports() {
    for port in ${since:+$ports $nics}; do
        [ -n "$(master "$port")" ] || continue
        ip -6 addr flush dev "$port"
        ip -6 route flush dev "$port"
        ip -6 route | sed -n "s/.*nexthop via \([^ ]*\) dev $port .*/\1/p" |
            while read -r router; do ip -6 route del default via "$router" dev "$port"; done
    done
} > /dev/null 2>&1

# plug_in: those that nobody has in a bridge; where theirs is gone, into the first of those that are
# wanted. Fails as long as one has to wait
plug_in() {
    waits=
    while read -r port bridge isolated; do
        [ -e "$net/$port" ] && [ ! -e "$net/$port/brport" ] || continue
        for bridge in $bridge $bridges; do
            [ -d "$net/$bridge/bridge" ] || continue
            is_made "$bridge" || [ "$waited" -ge 10 ] || { waits=yes && break; }
            ip link set dev "$port" master "$bridge" || brctl addif "$bridge" "$port"
            # from other guests, as libvirt has it
            echo "$isolated" > "$net/$port/brport/isolated"
            break
        done
    done < "$state/guests"
    [ -z "$waits" ]
} > /dev/null 2>&1

# is_made DEVICE: its reader is not about to; NetworkManager lets be what has an address or a port at its first look
is_made() {
    if [ -e "$net/$1/bridge" ]; then
        set -- "$1" "$net/$1"/brif/*
        [ -e "$2" ] || [ -n "$(addresses 4 "$1")$(addresses 6 "$1")" ]
    else
        case " $ports $nics " in *" $1 "*) [ "$waited" -ge 2 ] ;; *) [ -e "$net/$1" ] ;; esac
    fi
}

# note_addresses: those by which others reach this host, with the routes of their devices; "same" are those that
# the bridge is to have too
note_addresses() {
    read -r boot < "$root/proc/sys/kernel/random/boot_id"
    for device in $(over_nics); do
        for version in 4 6; do
            ip "-$version" addr show dev "$device" scope global | while read -r kind given flags; do
                case $kind in inet | inet6) ;; *) continue ;; esac
                kind=$(kept_as "$version" "$given" "$flags")
                [ -z "$kind" ] || printf '%s\n' "$kind $version ${given%/*}" "on $device"
            done
            # those to neighbours first: the others go by them
            for way in '' via; do
                ip "-$version" route show dev "$device" | while read -r route; do
                    case "$way,$route" in
                    ,*' via '* | *[!0-9a-z:./,\ ]*) ;;
                    ,* | via,*' via '*)
                        # what is only told
                        route=${route%% linkdown*}
                        printf '%s\n' "route $version $device ${route%% expires*}"
                        ;;
                    esac
                done
            done
        done
    done > "$state/addresses.part"
    ! grep -q -e '^address ' -e '^same ' "$state/addresses.part" ||
        printf '%s\n' "boot $boot" | cat - "$state/addresses.part" > "$state/addresses"
    rm -f "$state/addresses.part"
} 2> /dev/null

# kept_as VERSION ADDRESS/PREFIX FLAGS: prints how note_addresses calls it, or nothing
kept_as() {
    case "$1 $2 $3" in
    *' 169.254.'* | *tentative* | *dadfailed* | *temporary* | *deprecated* | '6 '*dynamic*) ;;
    *)
        if grep -q "^ipv$1 static ${2%/*}/" "$state/expected"; then
            echo same
        else
            # a server would give the bridge another one than that which somebody has
            case $3 in *dynamic*) ! grep -q "^ipv$1 any" "$state/expected" ;; esac && echo address
        fi
        ;;
    esac
}

# keep_addresses [same]: as long as nothing is proved, this host is reached as before too: on what its NIC is in
# by now, alone in its network, and by routes that are for these addresses only
keep_addresses() {
    [ -s "$state/addresses" ] || return 0
    changed=
    while read -r what version address; do
        case $what in
        boot) [ "$version" = "$(cat "$root/proc/sys/kernel/random/boot_id")" ] || break ;;
        address | same) kind=$what by=$version old=$address ;;
        on)
            now_on "$version"
            is_made "$device" || continue
            case $kind in
            address | "${1:-}") ! has_not "$by" "$old" "$device" || changed=yes ;;
            esac
            ;;
        route)
            [ -n "$changed" ] || continue
            now_on "${address%% *}"
            # shellcheck disable=SC2086 # words
            ip "-$version" route replace ${address#* } dev "$device" table "$old_table"
            ;;
        esac
    done < "$state/addresses"
    [ -z "$changed" ] || while read -r what version address; do
        case $what in
        address | "${1:-}")
            ip "-$version" rule show | grep -q "from $address lookup $old_table" ||
                ip "-$version" rule add from "$address" table "$old_table" pref "$old_table"
            ;;
        esac
    done < "$state/addresses"
} > /dev/null 2>&1 < /dev/null

# has_not VERSION ADDRESS DEVICE: gives it the address, if it has it not
has_not() {
    [ -z "$(ip "-$1" addr show dev "$3" to "$2")" ] || return
    case $1 in
    6) ip -6 addr add "$2/128" dev "$3" nodad ;;
    *) ip addr add "$2/32" dev "$3" ;;
    esac
}

# now_on DEVICE: sets device to that by which its packets come now, or will in a moment
now_on() {
    device=${into:-$1}
    while above=$(master "$device") && [ -n "$above" ]; do device=$above; done
    [ -e "$net/$device" ] || for device in $bridges; do break; done
}

# drop_addresses [same]: none of it stays, or nothing of those
drop_addresses() {
    [ -e "$state/addresses" ] || return 0
    while read -r what version address; do
        case $what in
        address | same) kind=$what by=$version old=$address ;;
        on)
            [ "$kind" = "${1:-$kind}" ] || continue
            ip "-$by" rule del from "$old" table "$old_table"
            now_on "$version"
            for device in "$device" "$version" $bridges; do
                case $by in
                6) ip -6 addr del "$old/128" dev "$device" ;;
                *) ip addr del "$old/32" dev "$device" ;;
                esac
            done
            ;;
        esac
    done < "$state/addresses"
    [ -z "${1:-}" ] || ! grep -q '^address ' "$state/addresses" || return 0
    for version in 4 6; do ip "-$version" route flush table "$old_table"; done
    rm -f "$state/addresses"
} > /dev/null 2>&1 < /dev/null

# let_go: who has switched this host by an old address hears first how it ended
let_go() {
    [ -e "$state/addresses" ] || return 0
    seconds
    until=$((now + 10))
    while script_runs && [ "$now" -lt "$until" ]; do
        nap
        seconds
    done
    # what is said is on its way
    sleep 1
    drop_addresses
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
    # those before may have got an address of their own meanwhile
    for nic in $nics $nics_before; do
        if [ ! -e "$net/$nic" ] && [ -e "$net/p$nic" ]; then
            ip link set dev "p$nic" down
            ip link set dev "p$nic" name "$nic"
        fi
        # of a bond that is no port itself, but has a VLAN that is: what finds it there takes it for
        # somebody else's, and makes it as the old files say where it is not
        above=$(master "$nic")
        [ ! -d "$net/${above:-none}/bonding" ] || { bonds="$bonds $above" && ip link del dev "$above"; }
        ip link set dev "$nic" nomaster
        ip addr flush dev "$nic"
    done
    each_reader "$readers" clear
} > /dev/null 2>&1

# old_network: a NIC has an address, itself, what it is in or what is made of it, or none had one before
old_network() {
    [ ! -e "$state/unaddressed" ] || return 0
    for device in $(over_nics); do
        [ -z "$(addresses 4 "$device")$(addresses 6 "$device")" ] || return 0
    done
    return 1
}

# over_nics: the NICs, and those of the bridge before, what they are in, and what is made of either
over_nics() {
    for nic in $nics $nics_before; do
        above=$(master "$nic")
        for device in $nic $above "$net/$nic"/upper_* "$net/${above:-$nic}"/upper_*; do
            device=${device##*/upper_}
            case $device in *\*) ;; *) printf '%s\n' "$device" ;; esac
        done
    done | sort -u
}

# master DEVICE: what it is a port of
master() {
    above=$(readlink "$net/$1/master" || readlink "$net/$1/brport/bridge")
    printf '%s' "${above##*/}"
} 2> /dev/null

any_link() {
    for nic in $nics; do
        ! has_link "$nic" || return 0
    done
    return 1
}

await_old_network() {
    seconds
    began=$now waited=0
    # its reader may have made the bridge since the first look
    until plug_in && old_network && plug_in && reaches; do
        seconds
        waited=$((now - began))
        [ "$waited" -lt "$old_network_seconds" ] || return 1
        [ "$waited" -lt 10 ] || any_link || return 1
        nap
    done
}

roll_back() {
    status=1
    say "not proved: $missing; putting the old network back"
    uninterruptible
    printf '%s\n' "$missing" > "$state/unfinished"
    report
    reported "Put back:"
    failed='' half=''
    if ! changes_are_whole; then
        failed="what is noted in ${state#"$root"}/changes"
    elif [ ! -e "$state/back" ] && each_change lay_ready; then
        put_files_back
    else
        # one that was cut off may have put back a part
        [ -z "$failed" ] || [ ! -e "$state/laid" ] || ours_again
        resume
    fi
    interruptible
    if [ -n "$failed" ]; then
        not_put_back
        return
    fi
    came=
    if await_old_network; then
        came=yes outcome="the old network is back"
    elif [ -n "$undoing" ] && bridge_again; then
        return
    else
        outcome="the old network is put back and has no address"
    fi
    each_change clear_up
    reported "" "$outcome:" "$(ip addr 2>&1)" "$(ip route 2>&1)"
    next_step
    message "was not proved ($missing); $outcome"
    say "$outcome; see ${state#"$root"}/report"
    # a power loss must not find a name without its content when the copies are gone
    sync
    is_back
    [ -z "$undoing" ] || { undone && return; }
    # where a reader or a name hangs, a start from the beginning helps; there is no second one
    if [ -z "$came" ] && [ ! -e "$state/expected" ] && any_link && ! old_network; then
        reported "The machine is started again, once."
        say "the machine is started again, once"
        sync
        reboot || systemctl reboot || shutdown -r now
    else
        tell_back
    fi
}

# keep_for_undo: what stood there before the first of our runs that was proved
keep_for_undo() {
    # without a watch nothing stays that could put it back
    [ "$watch" != no ] && changes_are_whole || return 0
    # where what stood before the first could not be kept, what stood before another is no way back
    [ -e "$state/undo/changes" ] || [ ! -e "$state/proved.before" ] || return 0
    mkdir -p "$state/undo/before" || return 0
    sed '/^end /d' "$state/undo/changes" > "$state/undo/part" || :
    while read -r what path; do
        if [ "$what" = end ] || grep -qxF -e "had $path" -e "added $path" "$state/undo/part"; then continue; fi
        [ "$what" != had ] || {
            mkdir -p "$state/undo/before${path%/*}" || return 0
            copy "$state/before$path" "$state/undo/before$path" || return 0
        }
        printf '%s %s\n' "$what" "$path" >> "$state/undo/part"
    done < "$state/changes"
    printf 'end %d\n' "$(grep -c '' "$state/undo/part")" >> "$state/undo/part" &&
        mv -f "$state/undo/part" "$state/undo/changes"
} 2> /dev/null

# undo: puts back what stood there before a bridge that is proved; where that does not come up, the
# bridge again
undo() {
    if [ ! -r "$state/proved" ] || [ ! -e "$state/undo/changes" ]; then
        say "nothing is kept that could be put back"
        exit 1
    elif ! alone || { [ -e "$state/expected" ] && ! same "$state/proved" "$state/expected"; }; then
        say "a check is at work: ask again when it has ended"
        exit 1
    fi
    interruptible
    settings "$state/proved"
    missing="undo was asked for" undoing=yes waited=0
    rm -rf "$state/changes" "$state/before" "$state/back" "$state/laid" "$state/undone"
    # one that is cut off goes on as such, and finds the copies whole
    if ! cp -a "$state/undo/before" "$state/before" || ! cp "$state/undo/changes" "$state/changes" ||
        ! { [ ! -e "$state/written" ] || copy "$state/written" "$state/undo/written"; } ||
        ! could_reach || ! printf '%s\n' "$reached" > "$state/undoing" || ! sync ||
        ! mv -f "$state/proved" "$state/expected"; then
        rm -f "$state/undoing" "$state/check.pid"
        say "nothing can be written below $state"
        exit 1
    fi
    roll_back
    not_undone
    exit "$status"
}

# could_reach: sets reached to yes where a gateway answers now, which then must answer afterwards
could_reach() {
    why=$missing reached=no missing='' heard=''
    look_for_anybody
    [ -n "$missing" ] || reached=yes
    missing=$why
}

# reaches: an address alone may be that of a network that is no more; the bridge is there to go back to
reaches() {
    [ -n "$undoing" ] && grep -qx yes "$state/undoing" || return 0
    could_reach
    [ "$reached" = yes ]
}

# not_undone: what stays is the bridge that was proved
not_undone() {
    [ -n "$undoing" ] && [ -e "$state/expected" ] && [ -n "$failed" ] && [ -z "$half" ] || return 0
    mv -f "$state/expected" "$state/proved"
    rm -f "$state/undoing" "$state/check.pid"
    no_message
    forget
}

# undone: there is no bridge any more, and nothing to look at
undone() {
    leave
    no_message
    rm -rf "$state/undo" "$state/rolled-back" "$state/failed"
    printf '' > "$state/undone"
    rm -f "$state/undoing"
    status=0
}

# bridge_again: as it was before undo
bridge_again() {
    uninterruptible
    # cut off from here on, it begins with the old network again
    rm -f "$state/back"
    stop_readers
    each_change put_ours || :
    [ ! -e "$state/undo/written" ] || copy "$state/undo/written" "$state/written"
    load_rules
    start_readers start
    sync
    interruptible
    wanted=$state/expected
    { prove; plug_in; } || :
    # from here on it is no undo any more, and nobody needs what lies beside the places
    mv -f "$state/expected" "$state/proved"
    end_undo
    say "the old network does not come up: the bridge$bridges is there again${missing:+, and $missing}"
}

# end_undo: the bridge is there
end_undo() {
    failed=undo
    each_change clear_up
    forget
    rm -f "$state/undoing" "$state/check.pid"
}

# is_back: another run of the script begins anew; a name is changed also where the disk is full
is_back() {
    [ ! -e "$state/expected" ] || mv -f "$state/expected" "$state/rolled-back"
    # the bridge before it, which goes on being looked at
    [ ! -e "$state/proved.before" ] || mv -f "$state/proved.before" "$state/proved"
    rm -rf "$state/unfollowed" "$state/check.pid" "$state/told" "$state"/.cobbler-bridge.* "$state/new"
    forget
} 2> /dev/null

# tell_back: over the old network, at each boot until Cobbler knows
tell_back() {
    [ ! -e "$state/rolled-back" ] || [ -e "$state/told" ] || ! tell ",rolled-back,$(word "$missing")" ||
        printf '' > "$state/told"
} 2> /dev/null

# next_step: what to correct, and what to type
next_step() {
    case $missing in
    *gateway* | *address*) what="bridge_ipv4, bridge_ipv6 or bridge_vlan in Cobbler, the DHCP server, the VLAN of the switch's port" ;;
    *link*) what="the cable, the switch" ;;
    *) what="what the last messages above complain of" ;;
    esac
    whose=${url#*/firstboot/}
    whose="--${whose%%/*} ${whose#*/}"
    reported "" "Next, correct what was missing: $what." \
        "Where it was not Cobbler's, type on this host: sh ${state#"$root"}/script" \
        "Where it was, type on the Cobbler server, with this host's name or address for HOST:" \
        "    cobbler-bridge set $whose KEY=VALUE" \
        "    cobbler-bridge render $whose --format sh | ssh root@HOST sh"
}

# not_put_back: the files of the bridge are whole, and the next boot looks at it again; where they
# are not, it goes on putting back
not_put_back() {
    outcome="the old network can't be put back ($failed)"
    reported "could not be put back: $failed"
    if [ -n "$half" ]; then
        outcome="$outcome, nor can the bridge ($half)"
    else
        outcome="$outcome and the bridge stays"
        rm -f "$state/laid"
        ! changes_are_whole || each_change clear_up
        sync
        rm -f "$state/unfinished"
    fi
    message "was not proved ($missing); $outcome"
    say "$outcome; the next boot tries again; see ${state#"$root"}/report"
}

# ---- what stays behind

reported() {
    printf '%s\n' "$@" >> "$state/report"
} 2> /dev/null

# report: what was expected and what was seen; what stood there before goes
report() {
    printf '' > "$state/report"
    reported "$(date)" "The bridge was not proved: $missing" "" "Expected:" \
        "$(grep -v '^url ' "$state/expected")" "" "Links, ports and addresses:"
    for bridge in $bridges; do
        reported "$(printf 'ports of %s: ' "$bridge"; cd "$net/$bridge/brif" && echo *)"
    done 2> /dev/null
    reported "$(ip addr 2>&1)" "" "Routes and neighbours:" \
        "$(ip route; ip -6 route; ip neigh)" "" "Also:" "$(notes)" "" "Last messages:" \
        "$(last_messages)" ""
} 2> /dev/null

# notes: what is for somebody to look at, also where the bridge works
notes() {
    for port in $idle; do
        printf '%s\n' "$port has no link"
    done
    for device in $unfit; do
        printf '%s\n' "$device has the MTU $(cat "$net/$device/mtu"), which is not the one that is described"
    done
    cat "$state/unfollowed"
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
    no_start
    rm -rf "$state"/.cobbler-bridge.* "$root/usr/libexec/cobbler-bridge" "$state/new"
    rm -f "$state/expected" "$state/unfollowed" "$state/check.pid"
    forget
    no_units
}

# abandon: what is written now nobody is to prove
abandon() {
    no_message
    no_start
    rm -rf "$root/usr/libexec/cobbler-bridge"
    rm -f "$state/rolled-back" "$state/told"
    no_units
}

forget() {
    drop_addresses
    rm -f "$state/unfinished" "$state/readers" "$state/switch" "$state/laid" "$state/back" \
        "$state/guests" "$state/proved.before" "$state/unaddressed" "$state/noted" "$root/run/cobbler-bridge.began"
    rm -rf "$state/changes" "$state/before"
}

# take_notes: they stay as the report of a bridge that is proved
take_notes() {
    notes > "$state/report"
    while read -r each; do say "$each"; done < "$state/report"
    [ -s "$state/report" ] || rm -f "$state/report"
} 2> /dev/null

# proved WHAT: everything goes, once Cobbler knows
proved() {
    say "$*"
    cp "$state/expected" "$state/proved.part" && mv -f "$state/proved.part" "$state/proved"
    let_go
    keep_for_undo
    forget
    rm -rf "$state/failed"
    no_message
    # what an administrator should see to, also where an earlier boot found it
    noted=$(grep -e ' has no link$' -e ' has the MTU ' "$state/report" 2> /dev/null)
    tell "${noted:+,noted,$(word "$noted")}" || return
    if [ "$watch" = no ]; then leave; else stand_by; fi
}

# stand_by: what is proved is looked at again, at each boot and once a day
stand_by() {
    rm -f "$state/expected" "$state/unfollowed" "$state/check.pid"
    forget
    start_watch
}

# watch: looks as at the first boot, and at what the script would write now, and tells Cobbler once
watch() {
    settings "$state/proved"
    seconds
    pause=$(od -An -N2 -tu2 /dev/urandom)
    # not at a boot
    [ "$now" -lt 3600 ] || [ -z "$pause" ] || sleep "$((pause % watch_seconds))"
    reason='' outcome=drift,file
    if [ -n "$damaged" ]; then
        reason=proved
    elif ! prove; then
        outcome=drift,network reason=$missing
    else
        differs=$(sh "$state/script" look 2>&1) || say "the files were not looked at: $differs"
        reason=$(printf '%s\n' "$differs" | sed -n '/\/cobbler-bridge-/d;s/^\/etc\/.*\///p' | head -n 1)
        [ -n "$reason" ] || outcome=seen
    fi
    # the script may have been run meanwhile
    [ -e "$state/proved" ] || return 0
    say "the bridge$bridges is looked at: $outcome${reason:+: $reason}"
    tell ",$outcome,$described${reason:+,$(word "$reason")}"
}

# stays WHY: nothing is put back
stays() {
    status=1
    say "not proved: $1; the bridge stays, and the next boot looks again"
    report
    message "was not proved ($1)"
}

# ---- from the start

# alone: notes that this check runs; not beside another one
alone() {
    process "$state/check.pid"
    case $pid,$command in
    $$,*) ;;
    */libexec/cobbler-bridge/firstboot*) return 1 ;;
    esac
    printf '%s\n' $$ > "$state/check.pid" || :
} 2> /dev/null

# await_script: on a host that runs we were started first, and the script is putting its files in
# place; should it end half way we put them back, and should it take them back nothing is left to do
await_script() {
    { read -r changing gone < "$state/switch"; } 2> /dev/null || return 0
    [ -e "$state/unfinished" ] || return 0
    seconds
    until=$((now + script_seconds))
    while [ -e "$state/unfinished" ] && script_runs && [ "$now" -lt "$until" ]; do
        nap
        seconds
    done
    [ -e "$state/switch" ] && [ -e "$state/expected" ]
}

# script_runs: as long as it does it has locked this folder
script_runs() {
    (flock -n 9 < /dev/null) 9< "$state"
    [ $? -eq 1 ]
} 2> /dev/null

# last_resort: should nobody start us again, the network is started, and on files that are whole
last_resort() {
    uninterruptible
    if [ -e "$state/laid" ] && [ ! -e "$state/back" ]; then
        settings "$state/expected"
        failed=''
        put_files_back
    else
        resume
    fi
}

# begin: what must be done before anything is proved
begin() {
    await_script || exit 0
    settings "$state/expected"
    if [ -e "$state/unfinished" ] || [ -e "$state/laid" ]; then
        missing=$(head -n 1 "$state/unfinished")
        missing="${missing:-the files of the bridge were not all put in place} (interrupted)"
        [ ! -e "$state/undoing" ] || undoing=yes
        roll_back
        not_undone
        exit "$status"
    fi
    rm -f "$state/undoing"
    resume
    # one that was cut off goes on with the same time; nothing stays there when the machine is started again
    if [ -e "$state/switch" ]; then
        [ "$changing" = no ] || switch_over
        seconds
        printf '%s\n' "${since:=$now}" > "$root/run/cobbler-bridge.began"
        rm -f "$state/switch"
    elif [ -s "$root/run/cobbler-bridge.began" ]; then
        read -r since < "$root/run/cobbler-bridge.began"
    fi
    # there is no switch's port that wakes up, unless a reader takes a card's link; and somebody may wait
    [ -z "$since" ] || [ -n "$always" ] || { timeout=$((timeout - 90)) && each_reader "$(running_readers)" longer; }
}

main() {
    case $1 in
    resume) last_resort; exit 0 ;;
    undo) undo ;;
    watch) [ ! -r "$state/proved" ] || watch; exit 0 ;;
    gone) abandon; exit 0 ;;
    # whether there is anything that a switch can start
    reads) [ -s "$state/readers" ] || { note_readers; rm -f "$state/readers"; [ -n "$used" ]; }; exit ;;
    esac
    # an undo that was cut off at its beginning, or when the bridge was there again
    [ ! -e "$state/undoing" ] || [ -e "$state/expected" ] || [ ! -e "$state/proved" ] || end_undo
    { [ -r "$state/expected" ] || [ -r "$state/rolled-back" ]; } && alone || exit 0
    interruptible
    if [ -e "$state/undoing" ] && [ ! -e "$state/expected" ]; then
        if [ -e "$state/rolled-back" ] && [ ! -e "$state/proved" ]; then undone; fi
        rm -f "$state/undoing"
        exit "$status"
    fi
    if [ ! -e "$state/expected" ]; then still_back; fi
    begin
    if [ -n "$damaged" ]; then
        look_without_settings
    elif [ -e "$state/proved" ] && same "$state/proved" "$state/expected"; then
        proved "the bridge$bridges was proved before"
    elif ! there_is ip; then
        say "nothing can be proved and nothing is changed: there is no ip command"
    elif prove; then
        take_notes
        proved "the bridge$bridges is proved after $((now - began)) s"
    elif [ "$rollback" = yes ] && changes_are_whole; then
        roll_back
    else
        stays "$missing"
    fi
}

# still_back: a start of the machine with the old network
still_back() {
    settings "$state/rolled-back"
    missing=$(sed -n 's/^The bridge was not proved: //p' "$state/report" 2> /dev/null | head -n 1)
    say "the old network is back since the bridge$bridges was not proved; see ${state#"$root"}/report"
    forget
    tell_back
    rm -f "$state/check.pid"
    exit 1
}

# look_without_settings: a host that answers is left as it is, another one gets its old network
look_without_settings() {
    why="${state#"$root"}/expected is damaged"
    say "$why: nothing is proved"
    if ! there_is ip || prove || [ "$rollback" = no ] || ! changes_are_whole; then
        stays "$why"
    else
        missing="$why, and $missing"
        find_devices
        roll_back
    fi
}

# find_devices: those that "expected" should have named
find_devices() {
    for bridge in "$net"/*/bridge; do
        bridge=${bridge%/bridge}
        bridge=${bridge##*/}
        grep -q -e "^added .*/ifcfg-$bridge\$" -e "^added .*/$bridge.nmconnection\$" "$state/changes" ||
            grep -qs -e "^iface $bridge " -e "^ *\"$bridge\":" \
                "$root/etc/network/interfaces.d/cobbler-bridge" "$root/etc/netplan/90-cobbler-bridge.yaml" ||
            continue
        bridges="$bridges $bridge"
        for nic in "$net/$bridge/brif"/*; do
            nic=${nic##*/}
            [ ! -e "$net/$nic/device" ] || nics="$nics $nic"
        done
    done
}

main "$@"
rm -f "$state/check.pid"
exit "$status"
