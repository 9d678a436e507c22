# Part of the check: a service that a script of init starts.

# init_script NAME VERB: what it starts must hear signals; where it is killed itself it is called again
init_script() {
    for _ in 1 2 3; do
        (
            trap - HUP INT TERM PIPE
            SYSTEMCTL_SKIP_REDIRECT=1 exec "$root/etc/rc.d/init.d/$1" "$2" < /dev/null
        )
        [ $? -gt 128 ] || return 0
    done
}
