# Tells the check at the first boot what only this machine knows.

# firstboot_nics: the name of each NIC before it was ever a port
firstboot_nics() {
    expected=/var/lib/cobbler-bridge/expected
    for each in $chosen; do
        name=$each
        for known in "$state/expected" "$state/proved"; do
            ! grep -qxF "nic ${each#p}" "$known" 2> /dev/null || name=${each#p}
        done
        printf 'nic %s\n' "$name" >> "$new/files$expected" ||
            leave_alone "$expected can't be prepared"
    done
}
