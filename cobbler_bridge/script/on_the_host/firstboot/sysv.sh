# Part of the check, where scripts of init start services.
# needs: init_script
readers=

# is_up READER: what is installed is what runs, but for NetworkManager
is_up() {
    [ -x "$root/etc/rc.d/init.d/$1" ] || return
    [ "$1" != NetworkManager ] || pidof NetworkManager > /dev/null 2>&1
}

# stop_service NAME
stop_service() {
    init_script "$1" stop
}

# start_service NAME
start_service() {
    init_script "$1" start
}

# restart_service NAME
restart_service() {
    init_script "$1" restart
}

# stop_reader READER
stop_reader() {
    init_script "$1" stop
}

# start_reader READER start|restart
start_reader() {
    init_script "$1" "$2"
}

# reload UNIT: if it runs
reload() {
    init_script "$1" condrestart
}

last_messages() {
    tail -n 40 "$root/var/log/messages" 2>&1
}

# no_start: nothing starts us, nor what an installation that was cut off laid ready
no_start() {
    rm -f "$root"/etc/rc.d/rc?.d/S99cobbler-bridge-firstboot \
        "$root/etc/rc.d/init.d/cobbler-bridge-firstboot" "$root"/etc/rc.d/*/.cobbler-bridge.* \
        "$root/etc/cron.daily/cobbler-bridge-firstboot" "$root"/etc/cron.daily/.cobbler-bridge.*
}

# no_units: init keeps none
no_units() {
    :
}

# start_watch: cron does it
start_watch() {
    :
}
