"""The functions `match` and `search` of JSONPath (RFC 9535 sections 2.4.6 and 2.4.7), in linear time."""

from __future__ import annotations

from typing import Final

from jsonpath import JSONPathError
from jsonpath.function_extensions import ExpressionType, FilterFunction

from probekit.probes._support.comparing import LONGEST_PATTERN, matches


class _Pattern(FilterFunction):
    """Match a text with RE2; the library's own functions backtrack, for hours with a hostile text."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  # the library's interface
    return_type = ExpressionType.LOGICAL

    def __init__(self, form: str) -> None:
        self._form = form

    def __call__(self, value: object, pattern: object) -> bool:
        """Return whether the text matches; an invalid pattern raises, or `exists = false` would always hold."""
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        try:
            if len(pattern) > LONGEST_PATTERN:
                raise ValueError("the pattern is too long")  # noqa: TRY301  # one way out
            return matches(value, self._form % pattern)
        except ValueError as error:
            raise JSONPathError(str(error), token=None) from error


FUNCTIONS: Final = {"match": _Pattern(r"\A(?:%s)\z"), "search": _Pattern("(?:%s)")}
