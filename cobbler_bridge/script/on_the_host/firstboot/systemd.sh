# Part of the check, where systemd starts services.
readers=

# is_up READER: it runs, or has failed: then it may have left devices; where the disk was too full
# to note those that were stopped, all that a boot starts
is_up() {
    case $(systemctl is-active "$1.service" 2> /dev/null) in
    active | activating | failed) return 0 ;;
    esac
    [ -e "$state/readers" ] && [ ! -s "$state/readers" ] &&
        systemctl -q is-enabled "$1.service" 2> /dev/null
}

# stop_service NAME
stop_service() {
    systemctl stop "$1.service"
}

# start_service NAME
start_service() {
    systemctl start "$1.service"
}

# restart_service NAME
restart_service() {
    systemctl restart "$1.service"
}

# stop_reader READER
stop_reader() {
    if there_is "stop_$1"; then "stop_$1"; else stop_service "$1"; fi
}

# start_reader READER start|restart
start_reader() {
    if [ "$2" = restart ] && there_is "restart_$1"; then
        "restart_$1"
        return
    fi
    restart_service "$1"
    ! there_is "started_$1" || "started_$1"
}

# reload UNIT: if it runs
reload() {
    systemctl try-restart "$1.service"
}

last_messages() {
    set --
    for unit in $readers $(each_reader "$readers" units); do
        set -- "$@" -u "$unit"
    done
    journalctl -b --no-pager -n 40 "$@" 2>&1
}

# no_start: nothing starts us, nor what an installation that was cut off laid ready
no_start() {
    rm -f "$root"/etc/systemd/system/*/cobbler-bridge-* "$root"/etc/systemd/system/cobbler-bridge-* \
        "$root"/etc/systemd/system/.cobbler-bridge.* "$root"/etc/systemd/system/*/.cobbler-bridge.*
}

# no_units: nor is anything left of one that has failed
no_units() {
    systemctl daemon-reload && systemctl reset-failed "cobbler-bridge-*"
} > /dev/null 2>&1

# start_watch: on a host that runs nothing has
start_watch() {
    systemctl start cobbler-bridge-watch.timer
} > /dev/null 2>&1
