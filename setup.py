"""Packaging of cobbler-bridge; see pyproject.toml for the tools' settings."""

import re

from setuptools import find_packages, setup

with open("README.md", encoding="utf-8") as file:
    README = file.read()
with open("cobbler_bridge/__init__.py", encoding="utf-8") as file:
    VERSION = re.findall(r'__version__ = "(.*)"', file.read())[0]

# what is shipped as data: beside the package, and in it for hosts
BESIDE = ("providers", "scripts", "snippets", "triggers")
SHELL = ("script.helpers", "script.on_the_host", "script.on_the_host.firstboot")

setup(
    name="cobbler-bridge",
    version=VERSION,
    description="A working bridge on every virtualization host that Cobbler installs",
    long_description=README,
    long_description_content_type="text/markdown",
    license="GPL-2.0-or-later",
    python_requires=">=3.6",
    # Cobbler itself is not named here: it comes as a package of the system, not from PyPI
    install_requires=["PyYAML"],
    packages=find_packages(include=["cobbler_bridge", "cobbler_bridge.*"])
    + ["cobbler_bridge." + folder for folder in BESIDE + SHELL],
    # Cobbler finds them where "cobbler-bridge install" puts them
    package_dir={"cobbler_bridge." + folder: folder for folder in BESIDE},
    package_data={
        "cobbler_bridge.show": ["page.html"],
        **{"cobbler_bridge." + folder: ["*"] for folder in ("scripts", "snippets", *SHELL)},
    },
    entry_points={"console_scripts": ["cobbler-bridge = cobbler_bridge.__main__:run"]},
    classifiers=[
        "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Topic :: System :: Installation/Setup",
    ],
)
