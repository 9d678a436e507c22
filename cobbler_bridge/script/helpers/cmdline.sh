# What the kernel's command line says of the NIC that the machine was installed through.
# needs: among find_mac leave_alone nics_below only awk tr

# find_boot_nic: sets nic where one of these words names a single one
find_boot_nic() {
    nic=
    boot_words > "$new/boot" || leave_alone "nothing can be written below $state"
    while read -r words; do
        those=
        for word in $words; do
            [ "$word" != ibft ] || read -r word < "$root/sys/firmware/ibft/ethernet0/mac" || continue
            case $word in
            *:*) find_mac "$word" ;;
            *) only "$(nics_below "$word")" ;;
            esac
            among "${nic:-none}" "$those" || those="$those ${nic:-none}"
        done 2> /dev/null
        only "$those"
        if [ "$nic" = none ]; then nic=; fi
        [ -z "$nic" ] || return 0
    done < "$new/boot"
}

# boot_words: a line for each word that names NICs, with their names, addresses or "ibft": what the
# installer was told comes before BOOTIF, which only says how it was started. See dracut.cmdline(7)
boot_words() {
    tr ' ' '\n' < "$root/proc/cmdline" | awk '
        # BOOTIF has the type of its hardware before the address: 01 is Ethernet
        function mac(text) {
            text = tolower(text)
            gsub(/-/, ":", text)
            if (length(text) == 20) sub(/^01:/, "", text)
            return length(text) == 17 && text ~ /^([0-9a-f][0-9a-f]:)+[0-9a-f][0-9a-f]$/ ? text : ""
        }
        # what the installer made a device of, which may be gone by now
        function below(names, depth,    parts, count, said) {
            for (count = split(names, parts, /[ ,]+/); count; count--)
                said = (depth < 9 && parts[count] in made ? below(made[parts[count]], depth + 1) : \
                    mac(parts[count]) ? mac(parts[count]) : parts[count]) " " said
            return said
        }
        { gsub(/"/, "") }
        !/^[][A-Za-z0-9_.:,\/-]+=[][A-Za-z0-9_.:,=-]+$/ { next }
        { key = value = $0; sub(/=.*/, "", key); sub(/^[^=]*=/, "", value) }
        key ~ /^((inst\.)?ks\.?device|(netcfg\/choose_)?interface)$/ && value !~ /^(link|bootif|auto)$/ { asked = asked " " value }
        tolower(key) == "bootdev" { first = value }
        tolower(key) == "bootif" && !bootif { bootif = mac(value) }
        key == "rd.bootif" && value == 0 { unasked = 1 }
        key == "ip" {
            gsub(/\[[^]]*\]/, "6", value)
            count = split(value, part, ":")
            if (count > 1 && part[2] ~ /^(dhcp6?|on|any|auto6?|either6|link6|link-local|ibft|off|none|single-dhcp)$/)
                value = part[1]
            else value = count > 5 ? part[6] : value == "ibft" ? value : ""
            ip = ip " " value
        }
        key ~ /^(ifname|vlan|bond|bridge|team)$/ {
            name = value
            sub(/:.*/, "", name)
            value = substr(value, length(name) + 2)
            if (key != "ifname") sub(/:.*/, "", value)
            if (value != "") made[name] = value
        }
        END {
            print below(asked, 0)
            print below(first, 0)
            print below(ip, 0)
            print unasked ? "" : bootif
        }'
}
