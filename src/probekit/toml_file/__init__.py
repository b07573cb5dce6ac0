"""Read TOML files; report each mistake with its line, what was found and what was expected."""

from probekit.toml_file.lines import Keys, line_of
from probekit.toml_file.mistakes import Mistake, mistakes
from probekit.toml_file.problem import ConfigError, FileProblem, nearest
from probekit.toml_file.text import parse, read, text_of

__all__ = [
    "ConfigError",
    "FileProblem",
    "Keys",
    "Mistake",
    "line_of",
    "mistakes",
    "nearest",
    "parse",
    "read",
    "text_of",
]
