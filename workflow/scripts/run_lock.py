"""Let a lock on files end with the run that holds it, so that after a kill the same command goes on.

Snakemake 9 writes down which files a run reads and makes, and refuses to start another that concerns them. The list
outlives a run that was killed, until somebody says `--unlock`. Here the operating system holds a lock on that list,
which ends with its process however that ends: a list that nobody holds is of a killed run, and counts no more. Where
the file system has no locks, no list counts: a killed run keeps nobody out, and neither does a living one.

Without the private names that this replaces (another version of Snakemake) all is as before: after a hard kill,
Snakemake asks for `--unlock`.
"""

import errno
import fcntl
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from snakemake.persistence.file import FilePersistence


def enable() -> None:
    if all(hasattr(FilePersistence, name) for name in ("lock", "locked", "_read_locks")):
        FilePersistence.lock = lock
        FilePersistence._read_locks = held_elsewhere


def place(persistence: Any) -> Path:
    folder = Path(persistence.path) / "locks"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def lock(persistence: Any) -> Iterator[None]:
    """Keep other runs from this one's files. Ends this run with a message where another is at them."""
    folder = place(persistence)
    mine = folder / f"{platform.node()}-{os.getpid()}.lock"
    # One at a time looks for other lists and adds its own: of two runs started at once, the second sees the first.
    with (folder.parent / "lock-of-locks").open("a") as turn:
        take(turn, fcntl.LOCK_EX)
        if persistence.locked:
            # Not an error of Snakemake's, which would be shown with lines of this file.
            sys.exit(
                "\nAnother snakemake is making files of this study in this folder"
                f" ({persistence.held_by}, as HOST-PROCESS). Wait for its end, or end it, and start this again.\n"
            )
        held = mine.open("w")
        take(held, fcntl.LOCK_EX)
        for kind, files in (("input", persistence.all_inputfiles()), ("output", persistence.all_outputfiles())):
            held.writelines(f"{kind}\t{file}\n" for file in files)
        held.flush()
    try:
        yield
    finally:
        mine.unlink(missing_ok=True)
        held.close()


def take(file: IO[str], how: int) -> None:
    """Lock `file`, where the file system can."""
    try:
        fcntl.lockf(file, how)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS):
            raise


def held_elsewhere(persistence: Any) -> Iterator[tuple[str, str]]:
    """Takes the place of `FilePersistence._read_locks`: kind and name of each file that a living run has locked."""
    for path in sorted(place(persistence).glob("*.lock")):
        with suppress(FileNotFoundError), path.open("r+") as file:
            try:
                take(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):  # which of the two says `held` depends on the system
                persistence.held_by = path.stem
                for line in file:
                    kind, _, name = line.rstrip("\n").partition("\t")
                    yield kind, name
            else:
                # Where locks end at their host, the run of another may be alive: its list is for that host to clear.
                if path.name.rpartition("-")[0] == platform.node():
                    path.unlink()
