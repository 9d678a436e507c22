# How each script begins: not beside another one, for these bridges, with what it may need. POSIX
# sh; BRIDGE_ROOT is the root to work on (default: /). Behind its name may stand a word: "look" prints
# the files that it would write or set aside, "diff" what would change in them, and neither changes
# anything; with "apply" its status says whether the bridge is there.
# needs: runs say flock mkdir rm tr

umask 022
PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
# nobody may listen: a file of ours would be opened in their place
(: 3>&2) || exec 2> /dev/null
(: 3>&1) 2> /dev/null || exec > /dev/null

# a signal ends what we do, where it may end, and we see that it has ended
trap : HUP INT TERM PIPE

looks=''
[ "${1:-}" = apply ] || looks=${1:-}
root=${BRIDGE_ROOT:-}
root=${root%/}
state=$root/var/lib/cobbler-bridge
new=$state/new

# tells URL: by which an installation that leaves the network alone tells Cobbler why
tells() {
    told_by=$1
}

leave_alone() {
    say "$*; the network stays as it is" >&2
    rm -rf "$new"
    [ -n "$root$looks" ] || [ -z "${told_by:-}" ] || runs || tell_why "$told_by,rolled-back,$(printf '%.200s' "$*" | tr -cs 'A-Za-z0-9.:-' '_')"
    exit 1
}

tell_why() {
    curl -g -f -s -m 20 "$1" || wget -q -O - -T 20 -t 1 "$1"
} > /dev/null 2>&1 < /dev/null

# need PATH WHY PACKAGE TOOL INSTALL [REFRESH]: without this program nothing is begun; the package tool
# is called with the words INSTALL, where it is there, and with REFRESH before
need() {
    [ -x "$root$1" ] && return
    if [ -z "$root$looks" ] && [ -x "$4" ]; then
        say "there is no $1: ${4##*/} is asked to install $3"
        # shellcheck disable=SC2086 # words
        [ -z "${6:-}" ] || "$4" $6 > /dev/null 9<&- || :
        # shellcheck disable=SC2086 # words
        DEBIAN_FRONTEND=noninteractive "$4" $5 "$3" > /dev/null 9<&- || :
    fi
    [ -x "$root$1" ] || leave_alone "there is no $1: $2"
}

# bridges NAME...: what follows is about these bridges
bridges() {
    bridges=$*
    owned='' chosen='' bonded='' tagged='' gone=''
    alone
    rm -rf "$new"
    mkdir -p "$new/files" || leave_alone "nothing can be written below $state"
    for each in list written aside ports effects layers named; do
        printf '' > "$new/$each" || leave_alone "nothing can be written below $state"
    done
    for each; do own "$each"; done
}

# alone: not beside another run of this script; whatever ends us opens the lock
alone() {
    if ! mkdir -p "$state" || ! command exec 9< "$state"; then
        leave_alone "nothing can be written below $state"
    fi
    flock -n 9 || [ $? -ne 1 ] || {
        say "another run of this script is at work: it goes on, and this one changes nothing" >&2
        exit 1
    }
}

# among WORD LIST: whether the list, with blanks between, has the word
among() {
    case " $2 " in
    *" $1 "*) return 0 ;;
    esac
    return 1
}

# own NAME [bond]: other files about this device would work against ours
own() {
    ! among "$1" "$owned" || leave_alone "there would be two devices $1"
    owned="$owned $1"
    bonded=$bonded${2:-}
}
