"""A working bridge on every virtualization host that Cobbler installs."""

__version__ = "0.1.0"
