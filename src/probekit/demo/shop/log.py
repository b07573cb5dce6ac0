"""The shop's log: one JSON object a line."""

import datetime as dt
import json
import logging
from pathlib import Path


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object with its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for one record."""
        entry: dict[str, object] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def log_to(file: Path) -> None:
    """Write all records from INFO on to a file."""
    handler = logging.FileHandler(file)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
