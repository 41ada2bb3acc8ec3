"""The processes of a service on this machine, the memory they hold and the time they compute. Linux only."""

import os
from pathlib import Path


def service_processes(home: Path, command: str) -> list[int]:
    """Ids of the processes that run ``eigenwarp <command>`` with this data folder."""
    setting = f"EIGENWARP_HOME={home.resolve()}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The command itself rather than what guards or supervises it.
            words = (folder / "cmdline").read_bytes().split(b"\0")
            runs = b"eigenwarp_cli" in words and command.encode() in words and b"up" not in words
            if runs and setting in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return sorted(found)


def resident_mib(processes: list[int]) -> float:
    """Memory that the largest of these processes holds, MiB."""
    sizes = [0.0]
    for process in processes:
        try:
            for line in Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    sizes.append(float(line.split()[1]) / 1024)
        except OSError:
            continue
    return max(sizes)


def computed_seconds(processes: list[int]) -> float:
    """Time that these processes, all their threads together, have had on a core; to a hundredth of a second."""
    ticks = 0
    for process in processes:
        try:
            # After the name, which may hold anything, come 11 fields, then the time in the program and in the kernel.
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")
