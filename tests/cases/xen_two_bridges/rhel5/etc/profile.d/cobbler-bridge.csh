setenv COBBLER_BRIDGE xenbr0,xenbr1
