"""``python -m tests.fuzz``: mutated files, then made-up calls, each for half of the time."""

import argparse
import sys

from tests.fuzz import fuzz_http, fuzz_nifti

_PARTS = {"nifti": fuzz_nifti.main, "http": fuzz_http.main}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long to go on, in all")
    parser.add_argument("--seed", type=int, default=None, help="of what is made up; drawn where not given")
    parser.add_argument("--only", choices=_PARTS, help="this part for the whole time")
    options = parser.parse_args()
    parts = [options.only] if options.only else list(_PARTS)
    arguments = ["--seconds", str(options.seconds // len(parts))]
    if options.seed is not None:
        arguments += ["--seed", str(options.seed)]
    # What one part finds keeps the other from nothing.
    return max([_PARTS[part](arguments) for part in parts])


if __name__ == "__main__":
    sys.exit(main())
