#!/bin/sh
# koan-bridge: runs koan, with this host's bridge for each NIC that has none of its own in Cobbler.
# Takes what koan takes; a --virt-bridge that is given stays. Says which bridge it is and why; what
# can't be found out is left to koan. Part of cobbler-bridge.

for file in cobbler-bridge cobbler; do
    case $file in
    cobbler) known=${COBBLER_SERVER:-} ;;
    *) known=${COBBLER_BRIDGE:-} ;;
    esac
    # shellcheck disable=SC1090 # the login environment, where this is no login
    [ -n "$known" ] || [ ! -r "/etc/profile.d/$file.sh" ] || . "/etc/profile.d/$file.sh"
done
export COBBLER_BRIDGE COBBLER_SERVER

koan=$(command -v koan) || {
    echo 'koan-bridge: koan is not installed' >&2
    exit 127
}
first=
read -r first < "$koan" || :
case $first in
'#!'*python*) python=${first#??} ;;
*) python=$(command -v python3 || command -v python) ;;
esac

# for Koan's own Python: which bridges it is to be given
program=${0%/*}/../lib/cobbler-bridge/koan_bridge.py
# shellcheck disable=SC2086 # the first line of a script may have an argument
bridge=$([ -z "$python" ] || [ ! -r "$program" ] || $python "$program" "$@") || bridge=
[ -z "$bridge" ] || set -- "--virt-bridge=$bridge" "$@"
exec "$koan" "$@"
