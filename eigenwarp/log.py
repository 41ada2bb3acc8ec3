"""Structured logs on stderr: one JSON object a line, with the request's and the job's id, and no patient data.

Our own loggers and those of the libraries (uvicorn, Celery, SQLAlchemy) go through the same processors. What is bound
by ``log_context`` is in every line of the thread or task that is inside it.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor

from eigenwarp.settings import Settings

_HIDDEN = "***"
_SECRET_NAME = re.compile(r"password|passwd|secret|authorization|cookie|credential|api_?key|access_key|bearer", re.I)
_SECRET_TEXT = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@"), rf"\1:{_HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
    (re.compile(r"\b(ew_[0-9a-f]{12})_[\w-]+"), rf"\1_{_HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), _HIDDEN),
    (re.compile(r"(?i)(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"']+"), rf"\1{_HIDDEN}"),
)
# Their INFO tells of every connection, with whole URLs; SQLAlchemy's holds the rows.
_QUIET = ("alembic", "httpcore", "httpx", "kombu", "sqlalchemy", "urllib3")
_SHORTEST_SECRET = 6


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: ``log.info("what happened", key=value)``, with constant texts so that they can be counted."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def log_context(**ids: str) -> AbstractContextManager[None]:
    """While inside, every line carries these: ``request_id``, ``job_id``. Opaque ids only."""
    return structlog.contextvars.bound_contextvars(**ids)


def configure_logging(settings: Settings) -> None:
    """Take over the process's logging; may be called again.

    Servers must be started without a configuration of their own (uvicorn: ``log_config=None``).
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        Redactor(_secrets(settings)),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    logging.captureWarnings(True)
    _take_over_libraries()


class Redactor:
    """A structlog processor that puts ``***`` in place of secrets, by the names that they stand under, by the shapes
    that they have (passwords in URLs, API keys, tokens, signed URLs) and by their very values.

    Args:
        secrets: values that must not be seen.
    """

    def __init__(self, secrets: frozenset[str]) -> None:
        self._secrets = sorted(secrets, key=len, reverse=True)

    def __call__(self, logger: object, method: str, event: EventDict) -> EventDict:
        return {name: self._clean(name, value) for name, value in event.items()}

    def _clean(self, name: str, value: Any) -> Any:
        if isinstance(value, SecretStr):
            return _HIDDEN
        if isinstance(value, (str, bytes)):
            text = value if isinstance(value, str) else value.decode(errors="replace")
            return _HIDDEN if _SECRET_NAME.search(name) else self._clean_text(text)
        if isinstance(value, MutableMapping):
            return {key: self._clean(str(key), inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(name, inner) for inner in value]
        if value is None or isinstance(value, (bool, int, float)) or name.startswith("_"):
            return value
        return self._clean(name, str(value))

    def _clean_text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for shape, hidden in _SECRET_TEXT:
            text = shape.sub(hidden, text)
        return text


def _secrets(settings: Settings) -> frozenset[str]:
    """The values of all secret settings, and of the passwords in those that are URLs."""
    values: set[str] = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            values.add(urlsplit(text).password or "" if "://" in text else text)
    return frozenset(value for value in values if len(value) >= _SHORTEST_SECRET)


def _take_over_libraries() -> None:
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi", "celery", "celery.task", "celery.redirected"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    access = logging.getLogger("uvicorn.access")
    # The web side logs each request itself, with its id and without its query.
    access.handlers.clear()
    access.propagate = False
    access.disabled = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
