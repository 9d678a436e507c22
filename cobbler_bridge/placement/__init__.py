"""Which bridge a guest gets, and what is recorded of a host."""
