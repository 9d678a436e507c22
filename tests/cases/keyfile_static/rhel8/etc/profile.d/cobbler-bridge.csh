setenv COBBLER_BRIDGE br-lan
