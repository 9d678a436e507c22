# Keeps bridged frames away from the IP firewalls by the kernel's bridge-nf-call settings.
# needs: current edit_whole leave_alone say will_not_write awk grep

# sysctl_conf PATH: the last value of each setting is 0; what we add stands at the end, once
sysctl_conf() {
    : > "$new/settings"
    [ ! -f "$root$1" ] || current "$1" > "$new/settings" || leave_alone "$1 can't be read"
    awk '
        BEGIN {
            mark = "# cobbler-bridge: guests on a bridge are not filtered here"
            count = split("iptables ip6tables arptables", names, " ")
            for (n = 1; n <= count; n++) {
                names[n] = "net.bridge.bridge-nf-call-" names[n]
                added[names[n] " = 0"] = 1
            }
        }
        {
            lines[NR] = $0
            setting = $0
            gsub(/[ \t]/, "", setting)
            gsub("/", ".", setting)
            at = index(setting, "=")
            if (at) value[substr(setting, 1, at - 1)] = substr(setting, at + 1)
        }
        END {
            for (n = 1; n <= count; n++) if (value[names[n]] != "0") missing = 1
            for (n = 1; n <= NR; n++) {
                ours = lines[n] == mark || (ours && lines[n] in added)
                if (!missing || !ours) print lines[n]
            }
            if (missing) print mark
            for (n = 1; n <= count; n++) if (missing) print names[n] " = 0"
        }' "$new/settings" > "$new/set" || leave_alone "$1 can't be edited"
    edit_whole 644 "$1" < "$new/set"
}

# sysctl_where SETTINGS RULE ENABLED UNIT...: without one of these units enabled, by a link in one of the
# folders ENABLED, the two files go again.
# They lie ready; the same where the administrator wants bridged frames filtered
sysctl_where() {
    settings=$1
    rule=$2
    folders=$3
    shift 3
    enabled=
    for unit; do
        for link in "$root"$folders/"$unit"; do
            [ -e "$link" ] || [ -L "$link" ] || continue
            # its package enables the service, and the administrator this
            [ "$unit" != ufw.service ] || grep -qsx 'ENABLED=yes' "$root/etc/ufw/ufw.conf" || continue
            enabled=$unit
        done
    done
    if [ -n "$enabled" ]; then
        filtering_wanted || return 0
        say "$wanted has bridged frames filtered and is left as it is: $enabled may reject the guests"
    fi
    will_not_write "$settings"
    will_not_write "$rule"
}

# forwards BRIDGE...: out of a bridge without a port only a host leads that forwards
forwards() {
    grep -qs '^[[:space:]]*net[./]ipv4[./]ip_forward[[:space:]]*=[[:space:]]*1' "$root"/etc/sysctl.conf \
        "$root"/etc/sysctl.d/*.conf "$root"/usr/lib/sysctl.d/*.conf ||
        say "$* has no port: its guests get out only where the host forwards; net.ipv4.ip_forward is not 1 in /etc/sysctl.conf"
}

# filtering_wanted: a file switches it on; sets wanted
filtering_wanted() {
    for each in "$root"/etc/sysctl.conf "$root"/etc/sysctl.d/*.conf "$root"/etc/ufw/sysctl.conf; do
        wanted=${each#"$root"}
        [ ! -f "$each" ] || ! grep -q '^[[:space:]]*net[./]bridge[./]bridge-nf-call-[a-z0-9]*tables[[:space:]]*=[[:space:]]*1' "$each" ||
            return 0
    done
    return 1
}
