# Finds out what reads the network of a SUSE machine, whatever Cobbler calls it.
# needs: leave_alone say readlink

# suse_reader: a release of theirs is called suse15 or tumbleweed, and what reads its network comes to
# it: suse15/wicked
suse_reader() {
    case $release in
    sles11* | sled11* | opensuse11* | opensuse12* | opensuse13.1)
        leave_alone "the release is $release, whose network scripts are of another kind: SLES 12 and later can have a bridge"
        ;;
    sles1[2-9]* | sled1[2-9]* | sle_*1[2-9]* | sles_sap1[2-9]* | opensuse-leap1[2-9]*) major=${release%%.*} major=suse${major#"${major%??}"} ;;
    # which is built from SLE 12
    opensuse42* | opensuse-leap42* | opensuse13.2) major=suse12 ;;
    opensuse-tumbleweed*) major=tumbleweed ;;
    *) return 0 ;;
    esac
    [ -d "$root/sys/class/net" ] ||
        leave_alone "/sys is not there: a chroot-script with chrooted=true has it, a plain chroot has not"
    # what network.service is, else what of its own is enabled, else what is there
    reader=$(readlink "$root/etc/systemd/system/network.service") || reader=
    reader=${reader##*/} reader=${reader%.service}
    for each in NetworkManager wicked systemd-networkd; do
        for link in "$root"/etc/systemd/system/*.wants/"$each.service"; do
            if [ -z "$reader" ] && { [ -e "$link" ] || [ -L "$link" ]; }; then reader=$each; fi
        done
    done
    for each in wicked NetworkManager; do
        if [ -z "$reader" ] && [ -x "$root/usr/sbin/$each" ]; then reader=$each; fi
    done
    case $major,$reader in
    *,wicked | suse1[5-9],NetworkManager | tumbleweed,NetworkManager) ;;
    *) leave_alone "what reads the network here is ${reader:-nothing}, for which nothing can be written: wicked is known, and NetworkManager from SUSE 15 on" ;;
    esac
    release=$major/$reader
    say "what reads the network here is $reader"
}
