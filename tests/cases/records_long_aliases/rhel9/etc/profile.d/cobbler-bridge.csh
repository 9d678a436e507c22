setenv COBBLER_BRIDGE br-lan_guest.1
