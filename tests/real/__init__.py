"""Tests on the real Cobbler 3.3.10 and Koan 3.0.1, each in namespaces of its own."""
