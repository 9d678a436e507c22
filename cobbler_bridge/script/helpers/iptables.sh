# Lets bridged frames pass the saved rules of iptables.

# iptables_bridged PATH RULE [make]: the rule comes before any of FORWARD that could reject, once
iptables_bridged() {
    if [ -f "$root$1" ]; then
        cat "$root$1" > "$new/rules" || leave_alone "$1 can't be read"
    elif [ "${3:-}" = make ]; then
        printf '%s\n' '*filter' ':INPUT ACCEPT [0:0]' ':FORWARD ACCEPT [0:0]' \
            ':OUTPUT ACCEPT [0:0]' COMMIT > "$new/rules"
    else
        return 0
    fi
    awk -v rule="$2" '
        function forward(line) {
            sub(/^\[[0-9]+:[0-9]+\] */, "", line)
            return line ~ /^-[AI] FORWARD / ? line : ""
        }
        { lines[NR] = $0 }
        /^\*/ { table = $1 }
        table == "*filter" && forward($0) != "" {
            if (!first) first = NR
            if (forward($0) ~ /--physdev-is-bridged.* -j ACCEPT/ && \
                forward($0) !~ /! --physdev-is-bridged/ && !rejecting) ours = 1
            if (forward($0) !~ / -j (ACCEPT|LOG)( |$)/) rejecting = 1
        }
        table == "*filter" && /^COMMIT/ { if (!first) first = NR; table = "" }
        END {
            for (n = 1; n <= NR; n++) {
                if (n == first && !ours) {
                    print "# cobbler-bridge: guests on a bridge are not filtered here"
                    print rule
                }
                print lines[n]
            }
            if (!first) {
                print "*filter"
                print ":FORWARD ACCEPT [0:0]"
                print rule
                print "COMMIT"
            }
        }' "$new/rules" > "$new/ruled" || leave_alone "$1 can't be edited"
    write_file 600 "$1" < "$new/ruled"
}
