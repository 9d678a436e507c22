"""Hosts that run are given what Cobbler describes: by ssh, in waves."""
