"""Lock file lines from pip's installation report: ``pip install --dry-run --report - … | python lock_lines.py``."""

import json
import sys


def lock_lines(report: str) -> list[str]:
    """``name==version``, sorted, without the project itself and without a local build's mark (``+cpu``)."""
    packages = [
        entry["metadata"] for entry in json.loads(report)["install"] if "dir_info" not in entry["download_info"]
    ]
    return sorted((f"{package['name']}=={package['version'].partition('+')[0]}" for package in packages), key=str.lower)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in lock_lines(sys.stdin.read())))
