"""The command: one module for each of its calls, and what these have in common."""
