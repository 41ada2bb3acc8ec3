"""Associations that the bridge opens."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import build_role

from bridge.config.archive import RemoteEntity
from bridge.refusals import ArchiveUnreachableError
from eigenwarp.errors import OptionInvalidError


@contextmanager
def association(
    entity: RemoteEntity,
    own_title: str,
    contexts: Sequence[tuple[str, Sequence[str]]],
    handlers: Sequence[tuple[evt.EventType, object]] = (),
    *,
    receive: Sequence[str] = (),
) -> Iterator[Association]:
    """An association for the time of a block, released at its end.

    Args:
        contexts: abstract syntaxes with their transfer syntaxes; 128 at most.
        receive: abstract syntaxes that the peer is to send by, as for C-GET.

    Raises:
        ArchiveUnreachableError: no answer, or the peer does not want us.
    """
    own = AE(ae_title=own_title)
    own.acse_timeout = own.dimse_timeout = own.network_timeout = own.connection_timeout = entity.timeout_seconds
    for abstract, transfer in contexts:
        own.add_requested_context(abstract, [UID(syntax) for syntax in transfer])
    roles: list[SCP_SCU_RoleSelectionNegotiation] = [build_role(UID(one), scp_role=True) for one in receive]
    opened = own.associate(
        entity.host,
        entity.port,
        ae_title=entity.ae_title,
        ext_neg=list(roles),
        evt_handlers=[(evt.EVT_CONN_OPEN, without_delay), *handlers],  # type: ignore[list-item]
        tls_args=_tls(entity),
    )
    if not opened.is_established:
        what = "refuses the association" if opened.is_rejected else "does not answer"
        raise ArchiveUnreachableError(f"{entity.ae_title} {what}")
    try:
        yield opened
    finally:
        if opened.is_established:
            opened.release()


def _tls(entity: RemoteEntity) -> tuple[ssl.SSLContext, str] | None:
    if entity.authority is None:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(entity.authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if entity.certificate is not None:
            context.load_cert_chain(entity.certificate, entity.key)
    except (OSError, ssl.SSLError) as error:
        raise OptionInvalidError(f"{entity.ae_title}: TLS: {error.strerror or type(error).__name__}") from None
    return context, entity.host


def without_delay(event: evt.Event) -> None:
    """Of ``EVT_CONN_OPEN``: otherwise each message waits for the other side's delayed acknowledgement, 40 ms."""
    own = event.assoc.dul.socket
    if own is not None and own.socket is not None:
        with suppress(OSError):
            own.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
