"""A script on a host that runs, over the site's own ssh.

OpenSSH's client and its configuration do all of it: nothing here knows a key or a password, and
where one would be asked for it is an error.
"""

import re
import shlex
import subprocess
from typing import NamedTuple, Sequence

# of ssh(1): what ends it, for the command's own status is below
NO_SESSION = 255
_OPTIONS = ("BatchMode=yes", "ConnectTimeout=15", "ServerAliveInterval=5", "ServerAliveCountMax=6")
# a name or an address, and no option, user or URL
_TARGET = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,252}\Z")
# of what a host says
_CHARACTERS = 100000

# what became of a host that was cut off from us
OUTCOME = """\
state=/var/lib/cobbler-bridge
until [ ! -e $state/expected ] || [ -e $state/proved ]; do sleep 1; done
[ ! -e $state/proved ] || [ -e $state/rolled-back ] || exit 0
sed -n 's/^The bridge was not proved: //p' $state/report
exit 1
"""


class Answer(NamedTuple):
    """What came of a script: its ``status``, ``NO_SESSION`` where ssh did not get there or was cut
    off, and the lines that it said."""

    status: int
    said: Sequence[str]

    @property
    def last(self) -> str:
        """The last line, without our own name before it."""
        return self.said[-1].replace("cobbler-bridge: ", "", 1) if self.said else ""


def is_target(text: str) -> bool:
    """Whether this can be the name of a machine for ssh, and nothing else."""
    return _TARGET.match(text) is not None


def run(target: str, user: str, program: str, words: Sequence[str], timeout: float) -> Answer:
    """Have a shell on a host run a program of POSIX shell, with these words behind its name.

    A user that isn't root has ``sudo``. ``timeout`` is in seconds: what takes longer is
    ``NO_SESSION``.
    """
    shell = ["sh", "-s", "--", *words]
    if user != "root":
        shell = ["sudo", "-n", *shell]
    options = [part for option in _OPTIONS for part in ("-o", option)]
    command = ["ssh", "-T", *options, "-l", user, "--", target]
    command.append(" ".join(map(shlex.quote, shell)))
    try:
        done = subprocess.run(
            command,
            input=program.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
            # Ctrl-C is for us to hear: what a host has begun it ends
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return Answer(NO_SESSION, ["no answer within %d s" % timeout])
    except OSError as error:
        return Answer(NO_SESSION, ["ssh: %s" % error.strerror])
    said = done.stdout[-_CHARACTERS:].decode("utf-8", "replace")
    return Answer(done.returncode, [line for line in said.splitlines() if line.strip()])
