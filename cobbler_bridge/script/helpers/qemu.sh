# Lets qemu's bridge helper put guests on a bridge.
# needs: leave_alone rewrite_file say text_of awk

# qemu_allow BRIDGE FOLDER...: in the bridge.conf of each folder that is there, once
qemu_allow() {
    allowed=$1
    shift
    # Debian's has no folder, and no rights
    helper=/usr/lib/qemu/qemu-bridge-helper
    for folder; do
        if [ -d "$root$folder" ] || { [ "$folder" = /etc/qemu ] && [ -x "$root$helper" ]; }; then
            qemu_allow_in "$folder/bridge.conf"
        fi
    done
    if [ -x "$root$helper" ] && [ ! -u "$root$helper" ]; then
        say "only root can put guests on $allowed by $helper until somebody says 'chmod u+s $helper'"
    fi
}

# qemu_allow_in PATH: a deny wins over every allow, wherever it stands
qemu_allow_in() {
    : > "$new/text"
    if [ -f "$root$1" ]; then text_of "$1"; fi
    LC_ALL=C awk -v bridge="$allowed" '
        { print }
        NF == 2 && ($2 == "all" || $2 == bridge) { said[$1] = 1 }
        END {
            if (said["deny"]) exit 3
            if (said["allow"]) exit 0
            print "# cobbler-bridge: guests may have the bridge of this host"
            print "allow " bridge
        }' "$new/text" > "$new/edited" || {
        [ $? -eq 3 ] || leave_alone "$1 can't be edited"
        say "$1 denies $allowed and is left as it is"
        return 0
    }
    rewrite_file "$1" < "$new/edited"
}
