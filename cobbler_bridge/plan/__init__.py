"""Everything to be written on one target: from a description to files and calls. Pure."""
