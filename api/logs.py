"""Logs: one JSON object a line, on standard output. No names, biometrics, secrets or inputs."""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record with its extra fields; of an exception its kind and place, never its message."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {k: v for k, v in vars(record).items() if k not in _OWN and k != "color_message"}
        if record.exc_info and record.exc_info[0] is not None:
            said["error"] = record.exc_info[0].__name__
            place = record.exc_info[2]
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            if place is not None:
                said["where"] = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
        return json.dumps(said, ensure_ascii=False, default=str)


CONFIG: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "api.logs.JsonLines"}},
    "handlers": {
        "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}
    },
    "root": {"level": "WARNING", "handlers": ["out"]},
    "loggers": {
        "visavox": {"level": "INFO"},
        "uvicorn": {"level": "INFO"},
        "uvicorn.access": {"level": "ERROR"},
    },
}
"""For `logging.config.dictConfig`; uvicorn applies it in every worker."""
