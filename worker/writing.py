"""A job's files, into the object store."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from eigenwarp.stores.database import Artefact, Claim
from eigenwarp.stores.objects import ObjectStore
from worker.outcome import Result
from worker.patience import Patience

# Packing and putting release the interpreter, and on S3 each file waits for an answer.
_THREADS = 4


def attempt_prefix(claim: Claim) -> str:
    """Where an attempt puts its files. The token in it keeps a stale worker from overwriting its successor's."""
    return f"jobs/{claim.job.id}/{claim.token}/"


def write_results(
    objects: ObjectStore, claim: Claim, results: Sequence[Result], patience: Patience
) -> tuple[Artefact, ...]:
    """Make and put all files, several at a time.

    Raises:
        EigenwarpError: a file cannot be made, or the store stays away.
    """

    def write(result: Result) -> Artefact:
        content = result.content()
        key = attempt_prefix(claim) + result.filename
        if result.keep_as is not None:
            kept = result.keep_as
            patience(lambda: objects.put(kept, content, result.content_type))
        patience(lambda: objects.put(key, content, result.content_type))
        return Artefact(
            name=result.name,
            key=key,
            content_type=result.content_type,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            filename=result.filename,
        )

    if len(results) < 2:
        return tuple(write(result) for result in results)
    with ThreadPoolExecutor(_THREADS) as pool:
        return tuple(pool.map(write, results))
