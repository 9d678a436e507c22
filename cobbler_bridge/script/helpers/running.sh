# On a machine that runs: its network must not change before the check is at work.
# needs: say grep

# runs: whether this is a machine that runs, and neither an installer's chroot nor a copy
runs() {
    [ "${root:-/}" -ef "$root/proc/1/root/" ] &&
        grep -q -e '^Name:[[:space:]]*systemd$' -e '^Name:[[:space:]]*init$' "$root/proc/1/status"
} 2> /dev/null

# unproved: says what the files wait for, where no check does; one that has put back what it could not
# prove has nothing more to say
unproved() {
    case $1 in
    listed) [ ! -s "$new/todo" ] && [ ! -s "$new/aside" ] || return 0 ;;
    ended) ;;
    *) return 0 ;;
    esac
    [ ! -e "$state/rolled-back" ] || sh "$root/usr/libexec/cobbler-bridge/firstboot" gone < /dev/null || :
    [ "$1" = ended ] && grep -q '^/etc/' "$new/todo" "$new/aside" || return 0
    starts='' more=''
    while read -r folder what; do
        grep -q "^$folder" "$new/todo" "$new/aside" || continue
        case "$starts$more,$what" in
        *"$what"*,*) ;;
        *,with*) more="$more, and $what" ;;
        *) starts="$starts$what or " ;;
        esac
    done < "$new/effects"
    say "nothing proves this: it takes effect when ${starts}the machine is started again$more"
}
