"""Runs a command that is asked to end when its parent does: ``python end_with_parent.py PARENT COMMAND…``.

A program of its own, started without the site packages: what is set here outlives the exec, and a supervisor that is
killed outright can do nothing any more. Linux only; elsewhere the command runs as it is.
"""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # It may have ended before this was set.
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
