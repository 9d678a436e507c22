# Edits saved rules as iptables-restore reads them: word by word, each table by itself.
# needs: current edit_whole leave_alone runs say awk grep

# iptables_bridged PATH RULE [HOW [SETTINGS]]: the rule, if any, comes before all of FORWARD that could
# reject, once, in a file that is made if HOW is make; rules about a device that is followed hold for its
# bridge too. By SETTINGS the service may save the rules that run over ours, on a machine that runs
iptables_bridged() {
    if [ -f "$root$1" ]; then
        current "$1" > "$new/rules" || leave_alone "$1 can't be read"
    elif [ "${3:-}" = make ]; then
        printf '%s\n' '*filter' ':INPUT ACCEPT [0:0]' ':FORWARD ACCEPT [0:0]' \
            ':OUTPUT ACCEPT [0:0]' COMMIT > "$new/rules" || leave_alone "$1 can't be prepared"
    else
        return 0
    fi
    awk -v rule="$2" -v followed="$followed" -v path="$1" -v named="$new/named" \
        "$followed_awk"'
        # whether word i is this option, which may be shortened; then value is its value, in word i, from
        # valued on
        function option(short, long,  name) {
            name = word[i]
            sub(/=.*/, "", name)
            if (short != "" && index(word[i], short) == 1) value = substr(word[i], 3)
            else if (length(name) > 4 && index(long, name) == 1) value = substr(word[i], length(name) + 2)
            else return 0
            if (value == "") {
                if (word[++i] == "!") no = word[i++]
                value = word[i]
            }
            valued = start[i] + length(word[i]) - length(value)
            gsub(/"/, "", value)
            return 1
        }
        function table_of(text) {
            if (text !~ /^[*]/) return 0
            $0 = text
            table = substr($1, 2)
            return 1
        }
        # what a rule says; a word in quotes is no option
        function read_rule(rest,  count, at) {
            chain = target = place = drops = bridged = narrow = no = ""
            for (faces = at = 0; match(rest, /("([^"\\]|\\.)*"|[^ \t"])+/); at += RSTART + RLENGTH - 1) {
                word[++count] = substr(rest, RSTART, RLENGTH)
                start[count] = at + RSTART
                rest = substr(rest, RSTART + RLENGTH)
            }
            word[count + 1] = word[count + 2] = ""
            for (i = word[1] ~ /^\[/ ? 2 : 1; i <= count; i++) {
                no = word[i] == "!" ? word[i++] : ""
                if (option("-A", "--append")) chain = value
                else if (option("-I", "--insert")) {
                    chain = value
                    place = word[i + 1] ~ /^[0-9]+$/ ? word[++i] : 1
                } else if (option("-D", "--delete") || option("-R", "--replace")) {
                    chain = value
                    drops = 1
                    if (word[i + 1] ~ /^[0-9]+$/) place = ++i
                } else if (option("-F", "--flush")) {
                    chain = value
                    drops = "all"
                } else if (option("-j", "--jump")) target = value
                else if (option("-g", "--goto")) target = "a chain"
                else if (option("-i", "--in-interface") || option("-o", "--out-interface")) {
                    face[++faces] = value
                    begins[faces] = valued
                    ends[faces] = start[i] + length(word[i])
                    negated[faces] = no != ""
                } else if (word[i] == "--physdev-is-bridged" && no == "") bridged = 1
                else if (option("-m", "--match")) narrow = narrow value
                else if (!option("", "--comment")) narrow = "yes"
            }
            gsub(/physdev|comment/, "", narrow)
        }
        # the rule with what it says of devices said of bridge b; how: in its place, beside it, or not at all
        function about(text, b,  n, m, name, its) {
            how = ""
            for (n = faces; n > 0; n--) {
                name = face[n]
                its = ""
                if (!sub(/[+]$/, "", name)) its = bridge[number[name]]
                else for (m = 1; m <= pairs && index(b, name) != 1; m++)
                    if (bridge[m] == b && index(device[m], name) == 1) its = b
                if (its == "") continue
                if (!negated[n] && (name != face[n] || !numbered[table, chain])) how = how == "" ? "beside" : how
                else how = name == face[n] && how != "never" ? "in place" : "never"
                # a guest that speaks to others is not the host
                if (chain == "POSTROUTING" && !negated[n]) its = its " -m physdev ! --physdev-is-bridged"
                text = substr(text, 1, begins[n] - 1) its substr(text, ends[n])
            }
            return text
        }
        function follow(n,  text) {
            at = last
            for (n = 1; n <= pairs; n++) {
                text = about(line[l], bridge[n])
                if (how == "never") print path " has a rule that is not for " bridge[n] ": " line[l] >> named
                else if (how == "in place") out[last] = text
                else if (how != "") add(text)
            }
        }
        END {
            read_followed()
            for (l = 1; l <= NR; l++) {
                table_of(line[l])
                read_rule(line[l])
                # what stands beside another rule would change the numbers
                if (place > 1) numbered[table, chain] = 1
            }
            note = "# cobbler-bridge: guests on a bridge are not filtered here\n"
            for (l = 1; l <= NR; l++) {
                if (table_of(line[l])) met = first = inserts = ""
                if (table == "filter") filtered = 1
                out[++last] = line[l]
                if (line[l] ~ /^[#:*]/) continue
                if (line[l] ~ /^COMMIT/) {
                    if (table != "filter" || met == "ours" || rule == "") continue
                    text = rule
                    if (inserts) sub(/^-A/, "-I", text)
                    before[first && !inserts ? first : last] = note text "\n"
                    continue
                }
                read_rule(line[l])
                if (table == "filter" && drops == "all" && (chain == "" || chain == "FORWARD"))
                    met = first = inserts = ""
                else if (table == "filter" && drops && chain == "FORWARD") {
                    met = ""
                    inserts = 1
                } else if (table == "filter" && chain == "FORWARD") {
                    if (!first) first = last
                    if (place) inserts = 1
                    # what is the first to decide on a bridged frame
                    kind = target !~ /^(|ACCEPT|LOG|ULOG|NFLOG)$/ ? "theirs" : \
                        bridged && narrow == "" && !faces && target == "ACCEPT" && place < 2 ? "ours" : ""
                    if (kind != "" && (met == "" || place)) met = kind
                }
                if (chain != "") follow()
            }
            for (n = 1; n <= last; n++) print before[n] out[n]
            if (!filtered && rule != "") print "*filter\n:FORWARD ACCEPT [0:0]\n" rule "\nCOMMIT"
        }' "$new/rules" > "$new/ruled" || leave_alone "$1 can't be edited"
    edit_whole 600 "$1" < "$new/ruled"
    if [ -n "${4:-}" ] && runs && grep -Eqs '^[[:space:]]*(IP6?TABLES_)?SAVE_ON_(STOP|RESTART)=["'\'']?yes' "$root$4"; then
        say "by $4 the rules that run are saved over $1 when the service is stopped or started again: with no there it stays as it is written"
    fi
}
