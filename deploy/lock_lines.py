"""Lock file lines from pip's installation report: ``pip install --dry-run --report - … | python lock_lines.py``."""

import json
import sys

# What torch's CUDA build brings along. Which build it is is the machine's choice, and these come with it.
_OF_CUDA = ("cuda-", "nvidia-", "triton")


def lock_lines(report: str) -> list[str]:
    """``name==version``, sorted, without the project itself, a local build's mark (``+cpu``) and CUDA's libraries."""
    entries = json.loads(report)["install"]
    packages = [entry["metadata"] for entry in entries if "dir_info" not in entry["download_info"]]
    lines = [f"{package['name']}=={package['version'].partition('+')[0]}" for package in packages]
    return sorted((line for line in lines if not line.startswith(_OF_CUDA)), key=str.lower)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in lock_lines(sys.stdin.read())))
