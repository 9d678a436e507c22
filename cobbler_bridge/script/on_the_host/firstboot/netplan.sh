# Part of the check, where netplan makes of its files what networkd or NetworkManager reads.
readers="$readers netplan"

# make_netplan: what it has to say is for the report
make_netplan() {
    warned=$(netplan generate 2>&1) && [ -z "$warned" ] || reported "netplan: $warned"
}
