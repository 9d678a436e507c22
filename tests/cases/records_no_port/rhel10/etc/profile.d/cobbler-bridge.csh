setenv COBBLER_BRIDGE inner,lan
