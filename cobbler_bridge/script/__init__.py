"""The text of a plan: the script that a host runs, and the shell that stands in it."""
