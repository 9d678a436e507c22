# Part of cobbler-bridge: what the script and the check at the first boot share.
# needs: cat cp ln mv readlink rm sleep

say() {
    # who reads what we say may have ended
    printf 'cobbler-bridge: %s\n' "$*" 2> /dev/null || :
}

# nap: a moment; an older sleep counts whole seconds
nap() {
    sleep 0.2 2> /dev/null || sleep 1
}

is_there() {
    [ -e "$1" ] || [ -L "$1" ]
}

# gone FILE: as rm -f, which is not started where there is nothing
gone() {
    ! is_there "$1" || rm -f "$1"
}

# alike FILE PATH: the same is in it, be it behind a link
alike() {
    [ -f "$2" ] && { [ "$1" -ef "$2" ] || [ "$(cat "$1" && echo .)" = "$(cat "$2" && echo .)" ]; }
}

same() {
    if [ -L "$1" ] || [ -L "$2" ]; then
        [ -L "$1" ] && [ -L "$2" ] && [ "$(readlink "$1")" = "$(readlink "$2")" ]
    else
        alike "$1" "$2"
    fi
}

# copy FROM TO: needs no space on the disk where both are on the same one; whole, or not there
copy() {
    gone "$2" || return
    ln "$1" "$2" 2> /dev/null && return
    cp -pP "$1" "$2" && return
    rm -f "$2"
    return 1
}

# put FROM TO: leaves FROM
put() {
    if same "$1" "$2"; then return 0; fi
    # renamed, the file is there at any moment
    copy "$1" "$1.put" && mv -f "$1.put" "$2" && return
    rm -f "$1.put"
    # where one way does not work, another one may
    rm -f "$2" && { ln "$1" "$2" 2> /dev/null || cp -pP "$1" "$2"; }
}

has_link() {
    carrier=
    { read -r carrier < "$root/sys/class/net/$1/carrier"; } 2> /dev/null || :
    [ "$carrier" = 1 ]
}

# process FILE: sets pid to the number in it, and command to what runs by it
process() {
    pid='' command=''
    [ ! -r "$1" ] || read -r pid < "$1" || :
    case $pid in
    '' | *[!0-9]*) pid= ;;
    # by the shell itself: a program that looked might have got that number, and find itself
    *) { read -r command < "$root/proc/$pid/cmdline"; } 2> /dev/null || : ;;
    esac
}
