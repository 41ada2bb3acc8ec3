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

from bridge.archive.handshakes import HandshakeWatch, handshake_failure
from bridge.config.archive import RemoteEntity
from bridge.refusals import ArchiveUnreachableError
from bridge.tls import client_context
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
    try:
        context = tls_of(entity)
    except OptionInvalidError as error:
        # Read at every association, so that a renewed certificate is taken; the old one was good when the bridge began.
        raise ArchiveUnreachableError(error.detail) from None
    watch = None if context is None else HandshakeWatch(context)
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
        tls_args=None if context is None else (context, entity.host),
    )
    if not opened.is_established:
        if watch is not None and watch.failure is not None:
            failure = handshake_failure(watch.failure, entity.authority, entity.certificate)
            raise ArchiveUnreachableError(f"{entity.ae_title}: {failure}")
        what = "refuses the association" if opened.is_rejected else "does not answer"
        raise ArchiveUnreachableError(f"{entity.ae_title} {what}")
    try:
        yield opened
    finally:
        if opened.is_established:
            opened.release()


def tls_of(entity: RemoteEntity) -> ssl.SSLContext | None:
    """The context for calls to an entity; None where it is called without TLS.

    Raises:
        OptionInvalidError: a file does not serve; it is named.
    """
    if entity.authority is None:
        return None
    return client_context(entity.ae_title, entity.authority, entity.certificate, entity.key)


def without_delay(event: evt.Event) -> None:
    """Of ``EVT_CONN_OPEN``: otherwise each message waits for the other side's delayed acknowledgement, 40 ms."""
    own = event.assoc.dul.socket
    if own is not None and own.socket is not None:
        with suppress(OSError):
            own.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
