"""A script on a host that runs, over the site's own ssh.

OpenSSH's client and its configuration do all of it: nothing here knows a key or a password, and
where one would be asked for it is an error.
"""

import os
import re
import shlex
import signal
import subprocess
from typing import NamedTuple, Sequence

from cobbler_bridge.problem import line

# of ssh(1): what ends it, for the command's own status is below
NO_SESSION = 255
_OPTIONS = (
    "BatchMode=yes",
    "ConnectTimeout=15",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=6",
    # a session of its own, which ends, and by which nobody there reaches anything here
    "ControlMaster=no",
    "ControlPath=none",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
)
# a name or an address, and no option, user or URL
_TARGET = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,252}\Z")
_ITSELF = re.compile(r"(?i)(localhost(\..*)?|127\..*|::1|0+(\.0+)*)\Z")
# of what a host says
_CHARACTERS = 100000

# what became of a host that was cut off from us; 0 also where it was never begun
OUTCOME = """\
state=/var/lib/cobbler-bridge turns=0
# a script that is at work has locked it
[ ! -d $state ] || flock -w 60 $state true
until [ ! -e $state/expected ] || [ -e $state/proved ] || [ $turns -ge 50 ]; do
    sleep 1
    turns=$((turns + 1))
done
[ ! -e $state/rolled-back ] || {
    sed -n 's/^The bridge was not proved: //p' $state/report
    exit 1
}
[ -e $state/expected ] && [ ! -e $state/proved ] || exit 0
echo "nothing has proved the bridge yet"
exit 2
"""
# the same care for the way back: it goes on by itself where the session is lost
UNDO = """\
state=/var/lib/cobbler-bridge check=/usr/libexec/cobbler-bridge/firstboot turns=0
say() { printf 'cobbler-bridge: %s\\n' "$*"; }
is_undone() { [ -e $state/undone ] && [ ! -e $state/proved ]; }
grep -sqxE "url [^ ]*/(system|profile)/($1)" $state/proved || is_undone ||
    { say "there is no proved bridge of this system"; exit 1; }
[ -x $check ] || {
    ! is_undone || { say "the old network is back"; exit 0; }
    say "nothing is here that could put the old network back"
    exit 1
}
rm -f $state/undo.status || exit 1
run="$check undo > $state/undo.log 2>&1; was=\\$?"
# killed, it is called again, as a boot would
run="$run; [ \\$was -le 128 ] || { $check >> $state/undo.log 2>&1; was=\\$?; }"
run="$run; echo \\$was > $state/undo.status"
if command -v systemd-run > /dev/null; then
    systemctl reset-failed cobbler-bridge-undo.service 2> /dev/null
    systemd-run --quiet --unit=cobbler-bridge-undo sh -c "$run" || exit 1
else
    setsid sh -c "$run" < /dev/null > /dev/null 2>&1 &
fi
until [ -s $state/undo.status ]; do
    turns=$((turns + 1))
    [ $turns -lt 280 ] || exit 255
    sleep 1
done
tail -n 1 $state/undo.log
status=$(cat $state/undo.status)
[ "$status" != 0 ] || is_undone || status=1
exit "$status"
"""


class Answer(NamedTuple):
    """What came of a script: its ``status``, ``NO_SESSION`` where ssh did not get there or was cut
    off, and the lines that it said."""

    status: int
    said: Sequence[str]

    @property
    def last(self) -> str:
        """The last line, without our own name before it, as it may be printed."""
        return line(self.said[-1].replace("cobbler-bridge: ", "", 1)) if self.said else ""


def is_target(text: str) -> bool:
    """Whether this can be the name of another machine for ssh, and nothing else."""
    return _TARGET.match(text) is not None and _ITSELF.match(text) is None


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
        # Ctrl-C is for us to hear: what a host has begun it ends
        ssh = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return Answer(NO_SESSION, ["ssh: %s" % error.strerror])
    with ssh:
        try:
            output, _ = ssh.communicate(program.encode(), timeout)
        except BaseException as error:
            # with its ProxyCommand, which has our end of the pipe too
            os.killpg(ssh.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return Answer(NO_SESSION, ["no answer within %d s" % timeout])
    said = output[-_CHARACTERS:].decode("utf-8", "replace")
    return Answer(ssh.returncode, [each for each in said.splitlines() if each.strip()])
