"""Which line of a TOML file is wrong, and what was expected there?"""

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
