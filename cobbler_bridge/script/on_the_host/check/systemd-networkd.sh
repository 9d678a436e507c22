# Part of the check, where systemd-networkd may read the network's files.
readers="$readers systemd-networkd"
