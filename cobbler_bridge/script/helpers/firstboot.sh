# What proves the network: it hears what only this machine knows, and what this run changes.
# needs: copy folder give_up gone is_ours leave_alone nap process runs same say to_disk undo write_file
# needs: cat grep head mv rm sed

# firstboot_nics: the name of each NIC before it was ever a port, and on a machine that runs the MTU of each
# device before one was described
firstboot_nics() {
    expected=/var/lib/cobbler-bridge/expected
    for each in $chosen; do
        name=$each
        for known in "$state/expected" "$state/proved"; do
            ! grep -qxF "nic ${each#p}" "$known" 2> /dev/null || name=${each#p}
        done
        printf 'nic %s\n' "$name" >> "$new/files$expected" || leave_alone "$expected can't be prepared"
    done
    sed -n 's/^mtu \([^ ]*\) .*/\1/p' "$new/files$expected" | while read -r each; do
        grep -hs "^was $each " "$state/expected" "$state/proved" | head -n 1 | grep . ||
            grep -qs "^mtu $each " "$state/expected" "$state/proved" || ! runs ||
            sed "s/^/was $each /" "$root/sys/class/net/$each/mtu" 2> /dev/null || :
    done > "$new/was"
    cat "$new/was" >> "$new/files$expected" || leave_alone "$expected can't be prepared"
    # a file that is cut off has no such line
    printf 'end %d\n' "$(grep -c '' "$new/files$expected")" >> "$new/files$expected" || leave_alone "$expected can't be prepared"
}

# keep_script PATH: what is run stays on the host, to be looked at and to be run again
keep_script() {
    if command -v whole > /dev/null; then whole; else cat "$0"; fi > "$new/program" || leave_alone "$1 can't be prepared"
    write_file 600 "$1" < "$new/program"
}

# by_check: what the transaction does for the check that will prove it
by_check() {
    case $1 in
    listed)
        ! needs_no_check || : > "$new/todo"
        # on a machine that runs, what waits to be proved isn't set up
        [ -s "$new/todo" ] || [ ! -e "$state/expected" ] || same "$state/expected" "$state/proved" || ! runs || echo /var/lib/cobbler-bridge/expected > "$new/todo"
        ;;
    wanted) can_begin ;;
    ready) begin_changes ;;
    begun) start_check ;;
    ended)
        end_changes
        if runs; then
            say "it takes effect now: it is proved, or the old network put back; the system's log says how it ends"
            await_check
        elif grep -q '^/etc/' "$new/todo" "$new/aside"; then
            say "it takes effect at the next boot, which proves it or puts the old network back"
        fi
        ;;
    taken_back) forget_changes ;;
    esac
}

# needs_no_check: what was proved once and does not change needs no first boot
needs_no_check() {
    [ ! -s "$new/aside" ] || return 1
    while read -r path; do
        is_ours "$path" || return 1
    done < "$new/todo"
    [ ! -e "$state/expected" ] && [ ! -e "$state/rolled-back" ] &&
        same "$new/files/var/lib/cobbler-bridge/expected" "$state/proved"
}

# begin_changes: what stood there before our first run lies in "before", and "changes" lists it,
# until the first boot has proved the bridge or put it back. As long as "unfinished" is there, a
# machine that is started again is between the old network and the new one.
begin_changes() {
    # nobody waits for what is left of an older check
    if [ ! -e "$state/expected" ]; then
        rm -rf "$state/changes" "$state/before" "$state/unfinished" "$state/laid" "$state/back" \
            "$state/rolled-back" "$state/told" "$state/guests" "$state/undoing" "$state/undone" ||
            give_up "nothing can be written below $state"
    fi
    [ -e "$state/changes" ] || printf '' > "$state/changes"
    sed '/^end /d' "$state/changes" > "$new/changes" || give_up "nothing can be written below $state"
    # the check of an earlier run may have been ended before it was begun
    { read -r changing _ < "$state/switch"; } 2> /dev/null || changing=no
    for list in todo aside; do
        while read -r path; do
            is_ours "$path" && continue
            changing=yes
            note "$path" || give_up "$path can't be noted"
        done < "$new/$list"
    done
    # a list that is cut off has no such line
    printf 'end %d\n' "$(grep -c '' "$new/changes")" >> "$new/changes" || give_up "nothing can be written below $state"
    ! runs || { rm -f "$state/noted" && printf '%s\n' "$changing$gone" > "$state/switch"; } || give_up "nothing can be written below $state"
    if ! mv -f "$new/changes" "$state/changes" || ! printf '' > "$state/unfinished"; then
        give_up "nothing can be written below $state"
    fi
    [ ! -e "$state/proved" ] || mv -f "$state/proved" "$state/proved.before"
    to_disk
}

# note PATH: the first run that changes it saw what was there before us
note() {
    ! grep -qxF -e "added $1" -e "had $1" "$new/changes" || return 0
    # or what the old network would have had there at its next start
    if [ -e "$root$1" ]; then stood=$root$1; else stood=$new/stood$1; fi
    if [ ! -e "$stood" ]; then
        printf 'added %s\n' "$1" >> "$new/changes"
        return
    fi
    # the file itself: it leaves its place by a new one that is renamed
    folder "$state/before${1%/*}" && copy "$stood" "$state/before$1" &&
        printf 'had %s\n' "$1" >> "$new/changes"
}

end_changes() {
    [ -e "$state/unfinished" ] || return 0
    # what a check that was cut off laid ready belongs to another time
    while read -r what path; do
        gone "$root${path%/*}/.cobbler-bridge.old.${path##*/}"
        gone "$root${path%/*}/.cobbler-bridge.ours.${path##*/}"
    done < "$state/changes"
    to_disk
    rm -f "$state/unfinished"
}

# forget_changes: where an earlier run still waits for its check, its changes are noted on
forget_changes() {
    # in this order: a check that waits for us must not see the one without the other
    rm -f "$state/switch" "$state/unfinished"
    [ -e "$state/expected" ] || rm -rf "$state/changes" "$state/before"
    [ ! -e "$state/proved.before" ] || mv -f "$state/proved.before" "$state/proved"
}

# can_begin: ends here where a machine that runs can't be switched
can_begin() {
    runs || return 0
    while read -r number mac left; do
        old='' name=''
        eval "old=\$nic$number name=\$port$number"
        [ "$old" = "$name" ] || [ -n "$left" ] ||
            leave_alone "$old would be renamed $name, which a machine that runs can't do: install it anew, or give the bridge another name"
    done < "$new/ports"
    has_module bridge
    [ -z "$bonded" ] || has_module bonding
    [ -z "$tagged" ] || has_module 8021q
    [ ! -e "$state/laid" ] ||
        leave_alone "the check of an earlier run was putting the network back: start the machine again first"
    process "$state/check.pid"
    case $command in */libexec/cobbler-bridge/firstboot*) leave_alone "the check of an earlier run is at work: run this again when it has ended" ;; esac
    sh "$new/files/usr/libexec/cobbler-bridge/firstboot" reads < /dev/null || leave_alone "nothing that reads these files runs, nor does a start of the machine start it: start it first, or install the machine anew"
    say_how_long
}

# say_how_long: by what network-scripts do: they ask twice whether somebody has a static address, and wait
# for a lease
say_how_long() {
    # where only the check is another one nothing is taken down
    grep -qs '^yes' "$state/switch" || ! cat "$new/todo" "$new/aside" | { while read -r path; do is_ours "$path" || return; done; } || return 0
    [ -x "$root/etc/rc.d/init.d/network" ] && ! cat "$root"/proc/[0-9]*/stat 2> /dev/null | grep -q '(NetworkManager)' || return 0
    most="for about 4 s an address, and for 30 s more where its switch has spanning tree without PortFast"
    ! grep -q '^ipv[46] any' "$new/files/var/lib/cobbler-bridge/expected" ||
        most="until a DHCP server has answered, or for up to 100 s where none does"
    say "network-scripts take the network down first: nobody reaches this host $most"
}

# has_module NAME: a kernel that was replaced by a newer one may have none any more
has_module() {
    [ -d "$root/sys/module/$1" ] || ! command -v modprobe > /dev/null || modprobe -n "$1" > /dev/null 2>&1 ||
        leave_alone "the kernel that runs has no module $1: start the machine again first"
}

# start_check: once, on a machine that runs; it waits for us, and should we be cut off it puts back
# what we did
start_check() {
    [ -z "${starting:-}" ] && runs || return 0
    starting=yes
    rm -f "$state/check.pid"
    begin_check > /dev/null 2>&1 < /dev/null 9<&- || undo "the check can't be started"
    turns=0
    until [ -s "$state/check.pid" ]; do
        turns=$((turns + 1))
        [ "$turns" -le 50 ] || undo "the check does not start"
        nap
    done
}

# await_check: says how it ends; our own end, and that of the session, change nothing for it
await_check() {
    ended=0
    until [ ! -e "$state/expected" ] || [ -e "$state/proved" ] || [ ! -e "$state/check.pid" ] || [ "$ended" -gt 150 ]; do
        nap
        process "$state/check.pid"
        case $command in
        */libexec/cobbler-bridge/firstboot*) ended=0 ;;
        # where it was killed it leaves its number, and is started again when the network is
        *) ended=$((ended + 1)) ;;
        esac
    done
    if [ -e "$state/proved" ] && [ ! -e "$state/rolled-back" ]; then
        say "$bridges is proved"
    elif [ -e "$state/rolled-back" ]; then
        say "the old network is back: $(sed -n 's/^The bridge was not proved: //p' "$state/report")" >&2
        exit 1
    else
        say "$bridges is not proved; the system's log says more" >&2
        exit 1
    fi
}

# check_starts COMMAND: by this the check begins on a machine that runs
check_starts() {
    check_start=$1
}

begin_check() {
    eval "$check_start"
}
