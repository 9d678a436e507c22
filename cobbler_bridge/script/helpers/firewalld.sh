# Looks at what firewalld has on this machine.
# needs: say

# zone_there ZONE: says so where it has none of this name
zone_there() {
    for each in /etc /usr/lib; do
        [ ! -f "$root$each/firewalld/zones/$1.xml" ] || return 0
    done
    say "firewalld has no zone $1 here: until it has, $bridges will be in its default zone"
}
