"""The processes of a service on this machine, and the memory they hold. Linux only."""

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
