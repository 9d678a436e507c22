setenv COBBLER_BRIDGE lan-br.7
