"""Storage commitment (PS3.4, J): the archive is asked to take responsibility; its answer comes to the listener."""

from collections.abc import Sequence
from typing import Final

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from bridge.archive.association import association
from bridge.config.archive import RemoteEntity
from bridge.refusals import ArchiveRefusedError, ArchiveUnreachableError

_REQUEST: Final = 1
_SUCCESS: Final = 0x0000


def request_commitment(entity: RemoteEntity, own_title: str, instances: Sequence[tuple[str, str]]) -> None:
    """N-ACTION; the answer follows later, on an association of its own.

    Args:
        instances: SOP class and SOP instance UIDs.

    Raises:
        ArchiveUnreachableError: no answer.
        ArchiveRefusedError: the entity offers no storage commitment, or refuses.
    """
    wanted = Dataset()
    wanted.TransactionUID = generate_uid(prefix=None)
    wanted.ReferencedSOPSequence = []
    for sop_class, sop_instance in instances:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_instance
        wanted.ReferencedSOPSequence.append(item)
    syntaxes = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    with association(entity, own_title, [(StorageCommitmentPushModel, syntaxes)]) as opened:
        try:
            status, _ = opened.send_n_action(
                wanted, _REQUEST, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
        except ValueError:
            raise ArchiveRefusedError(f"{entity.ae_title} offers no storage commitment") from None
    code = status.get("Status")
    if code is None:
        raise ArchiveUnreachableError("storage commitment: no answer")
    if code != _SUCCESS:
        raise ArchiveRefusedError(f"storage commitment: the archive answers {code:04X}H")
