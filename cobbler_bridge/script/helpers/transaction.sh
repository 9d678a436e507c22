# Puts the files in place all together, or leaves the machine as it is and says why.
# needs: alike check_names copy folder gone is_there leave_alone put runs same say set_aside will_write
# needs: cat cp grep mv rm sed sync

# keep PATH: a copy of what stood there, beside any older one; what we wrote is not the first
keep() {
    [ -e "$root$1" ] || return 0
    kept=$state/kept$1
    [ ! -r "$state/written" ] || ! grep -qxF -- "$1" "$state/written" || kept=$kept.again
    while [ -e "$kept" ]; do
        ! same "$root$1" "$kept" || return 0
        kept=$kept.again
    done
    folder "${kept%/*}" && cp -p "$root$1" "$kept"
}

# remember PATH: what stands there now lies ready beside it, for undo; the kept one may be older
remember() {
    old=$root${1%/*}/.cobbler-bridge.old.${1##*/}
    if is_there "$root$1"; then copy "$root$1" "$old"; else gone "$old"; fi
}

# commit FUNCTION: puts all files in place, or none; FUNCTION hears how far this is.
# Every file lies ready beside its place before the first is renamed, and so does the one that it
# replaces, so that a full disk or a read-only one changes nothing. The check comes first, for where
# the machine runs it must be at work before the network's files change.
commit() {
    now_at=$1
    check_names
    set_aside_earlier
    : > "$new/todo"
    for whose in is_ours is_not_ours; do
        while read -r path; do
            "$whose" "$path" || continue
            same "$new/files$path" "$root$path" || is_alike "$path" || printf '%s\n' "$path" >> "$new/todo" ||
                give_up "$path can't be prepared"
        done < "$new/list"
    done
    "$now_at" listed
    [ -z "$looks" ] || would_change
    if [ ! -s "$new/todo" ] && [ ! -s "$new/aside" ]; then
        say "$bridges is set up already"
        no_old
        rm -rf "$new" || :
        return 0
    fi
    ! runs || [ ! -d "$root/mnt/sysimage/etc" ] ||
        leave_alone "this is the installer and not what it installs: it belongs in a %post without --nochroot"
    "$now_at" wanted
    # nor does the end of the session from which we were called leave half of us
    trap '' HUP INT TERM PIPE
    lay_ready
    "$now_at" ready
    while read -r path; do
        is_ours "$path" || "$now_at" begun
        mv -f "$root${path%/*}/.cobbler-bridge.${path##*/}" "$root$path" ||
            undo "$path can't be put in place"
        is_ours "$path" || say "wrote $path"
    done < "$new/todo"
    "$now_at" begun
    while read -r path; do
        rm -f "$root$path" || undo "$path can't be set aside"
        is_ours "$path" || say "set aside $path"
    done < "$new/aside"
    labels
    mv -f "$new/ports" "$new/written" "$state" || say "the ports can't be remembered" >&2
    "$now_at" ended
    # everything is in place: a leftover here is no failure
    no_old
    rm -rf "$new" || :
}

# would_change: ends here with what a run would change
would_change() {
    if [ "$looks" = diff ]; then
        command -v diff > /dev/null || leave_alone "there is no diff to show it with"
        while read -r path; do is_ours "$path" || differs "$path" "$new/files$path"; done < "$new/todo"
        while read -r path; do is_ours "$path" || differs "$path" /dev/null; done < "$new/aside"
    else
        cat "$new/todo" "$new/aside"
    fi
    # what would keep a run from it
    [ ! -s "$new/todo" ] && [ ! -s "$new/aside" ] || "$now_at" wanted
    rm -rf "$new"
    exit 0
}

# differs PATH FILE: what would be another line
differs() {
    had=$root$1
    [ -e "$had" ] || had=/dev/null
    diff -u "$had" "$2" | sed -e "1s|.*|--- $1|" -e "2s|.*|+++ $1|"
}

# is_alike PATH: a link to what would be written there may stay
is_alike() {
    [ ! -L "$new/files$1" ] && alike "$new/files$1" "$root$1"
}

lay_ready() {
    while read -r path; do
        beside=$root${path%/*}/.cobbler-bridge.${path##*/}
        if { is_ours "$path" || keep "$path"; } && folder "$root${path%/*}" && remember "$path"; then
            cp -pP "$new/files$path" "$beside" && continue
        fi
        give_up "$path can't be written"
    done < "$new/todo"
    while read -r path; do
        if { is_ours "$path" || keep "$path"; } && remember "$path"; then continue; fi
        give_up "$path can't be kept aside"
    done < "$new/aside"
}

# no_old: nothing beside any place is left, also of a run that lost its power; but what a check lays ready
no_old() {
    [ ! -e "$state/laid" ] || return 0
    cat "$new/list" "$new/aside" | while read -r path; do
        for old in "$root${path%/*}"/.cobbler-bridge.*; do
            gone "$old" || gone "$old" || :
        done
    done
} 2> /dev/null

# set_aside_earlier: what was an earlier run's own, and is not wanted any more
set_aside_earlier() {
    [ -r "$state/written" ] || return 0
    while read -r path; do
        [ -f "$root$path" ] || [ -L "$root$path" ] || continue
        will_write "$path" || grep -qxF -- "$path" "$new/aside" || set_aside "$path"
    done < "$state/written"
}

# is_ours PATH: no part of the network configuration
is_ours() {
    case $1 in
    *cobbler-bridge-firstboot* | *cobbler-bridge-watch* | /usr/libexec/cobbler-bridge/* | /var/lib/cobbler-bridge/*) ;;
    *) return 1 ;;
    esac
}

is_not_ours() {
    ! is_ours "$1"
}

# to_disk: a power loss must not find a name without its content
to_disk() {
    [ -n "$root" ] || sync
}

give_up() {
    "$now_at" taken_back
    no_old
    leave_alone "$1"
}

# undo WHY: puts back what stood there, and then takes away what we added. What can't be put back
# is said, and the next boot tries again.
undo() {
    stuck=
    # ours last: should this be cut off too, the next boot still knows what to do
    for whose in is_not_ours is_ours; do
        for what in put_back take_away; do
            for list in todo aside; do
                while read -r path; do
                    ! "$whose" "$path" || "$what" "$path" || stuck="$stuck $path"
                done < "$new/$list"
            done
        done
        [ -z "$stuck" ] || break
    done
    while read -r path; do
        rm -f "$root${path%/*}/.cobbler-bridge.${path##*/}"
    done < "$new/todo"
    if [ -n "$stuck" ]; then
        say "$1, and what stood there can't be put back:$stuck; the next boot tries again" >&2
        exit 1
    fi
    no_old
    "$now_at" taken_back
    leave_alone "$1"
}

# put_back PATH: what stood there before commit, if something did
put_back() {
    old=$root${1%/*}/.cobbler-bridge.old.${1##*/}
    ! is_there "$old" || put "$old" "$root$1"
}

# take_away PATH: where nothing stood before commit
take_away() {
    old=$root${1%/*}/.cobbler-bridge.old.${1##*/}
    is_there "$old" || rm -f "$root$1"
}

# labels: older releases don't label what a chroot writes
labels() {
    [ -z "$root" ] && [ -x /sbin/restorecon ] || return 0
    while read -r path; do
        /sbin/restorecon "$path" 2> /dev/null || :
    done < "$new/todo"
}
