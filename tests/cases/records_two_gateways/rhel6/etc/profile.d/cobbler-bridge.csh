setenv COBBLER_BRIDGE br0,br1,br2
