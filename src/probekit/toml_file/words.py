"""Messages for the errors of pydantic. No text of pydantic is shown.

Each error type is in one of three tables: `DUE` (a value of another type), `OTHER` (any other mistake of a document) or
`NOT_IN_TOML` (an error that no TOML document can cause, with the reason).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final, NamedTuple

from probekit.toml_file.problem import nearest

_READABLE: Final = 20  # characters of a pattern; a description takes the place of a longer one
_SHOWN: Final = 30  # characters of a written word that a message repeats


class Finding(NamedTuple):
    """What was found, what was expected (empty where the first is enough), and what to do."""

    found: str
    expected: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One error of pydantic with the description and the keys of its place."""

    type: str
    written: object
    context: Mapping[str, Any]
    name: str  # the last key
    description: str  # of the setting, may be empty
    known: Sequence[str]  # the keys of its table

    @property
    def meant(self) -> str:
        """The first sentence of the setting's description in parentheses, to follow what was expected."""
        sentence, end, _ = self.description.partition(". ")
        return f" ({sentence if end else self.description.removesuffix('.')})" if self.description else ""


def finding(wrong: Wrong) -> Finding:
    """The message for an error; a general one for a type that is in no table."""
    if wrong.context.get("class_name") == "SecretRef" and not isinstance(wrong.written, dict):
        return Finding('secrets are not written here: use { env = "NAME" }', "")
    if due := DUE.get(wrong.type):
        return Finding(shown(wrong.written) if "number" in due else kind_of(wrong.written), due + wrong.meant)
    return OTHER.get(wrong.type, _not_accepted)(wrong)


def kind_of(value: object) -> str:
    """The type of a TOML value, in words."""
    kinds: Iterable[tuple[type | tuple[type, ...], str]] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "a text"),
        (list, "a list"),
        (dict, "a table"),
        ((date, time), "a date or time"),
    )
    return next((word for type_, word in kinds if isinstance(value, type_)), "something else")


def shown(value: object, *, is_word: bool = False) -> str:
    """The value itself where it cannot be a secret: a number, or a word in place of another word; else its type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return f"'{value}'" if is_word else kind_of(value)


def _not_accepted(wrong: Wrong) -> Finding:
    return Finding(f"{kind_of(wrong.written)} is not accepted here{wrong.meant}", "")


def _unknown_key(wrong: Wrong) -> Finding:
    close = nearest(wrong.name, wrong.known)
    return Finding("unknown key", "" if close else f"one of {', '.join(wrong.known)}", close)


def _missing(wrong: Wrong) -> Finding:
    return Finding("missing", "", f"this setting is required{wrong.meant}")


def _pattern(wrong: Wrong) -> Finding:
    pattern = f" that matches {wrong.context['pattern']}"
    is_long = wrong.description and len(wrong.context["pattern"]) > _READABLE
    return Finding("wrong format", f"a text{'' if is_long else pattern}{wrong.meant}")


def _one_of_few(wrong: Wrong) -> Finding:
    expected = wrong.context["expected"]
    few = re.findall(r"'([^']*)'", expected)
    is_word = isinstance(wrong.written, str) and len(wrong.written) <= _SHOWN
    return Finding(shown(wrong.written, is_word=is_word), expected, nearest(str(wrong.written), few) if is_word else "")


def _own(wrong: Wrong) -> Finding:
    """The message of a validator of probekit."""
    return Finding(str(wrong.context["error"]), "")


def _bound(word: str, name: str) -> Callable[[Wrong], Finding]:
    return lambda wrong: Finding(shown(wrong.written), f"{word} {wrong.context[name]:g}{wrong.meant}")


def _other(expected: str, *names: str) -> Callable[[Wrong], Finding]:
    """A value of the right type with another content; `{}` is replaced by the values of the context."""
    return lambda wrong: Finding(
        kind_of(wrong.written), expected.format(*(wrong.context[name] for name in names)) + wrong.meant
    )


def _short(one: str, several: str) -> Callable[[Wrong], Finding]:
    def finding_of(wrong: Wrong) -> Finding:
        least = wrong.context["min_length"]
        things = one if least == 1 else several
        return Finding("too short", f"at least {least} {things}{wrong.meant}")

    return finding_of


def _long(wrong: Wrong) -> Finding:
    """A text or a list that is too long."""
    written, most = wrong.written, wrong.context["max_length"]
    things = ("character", "characters") if isinstance(written, str) else ("entry", "entries")
    length = len(written) if isinstance(written, str) else wrong.context.get("actual_length")
    of = f" of {length} {things[1]}" if length else " too long"
    return Finding(f"{kind_of(written)}{of}", f"at most {most} {things[most != 1]}{wrong.meant}")


DUE: Final = {
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), "a number"),
    **dict.fromkeys(("complex_type", "complex_str_parsing", "fraction_type", "fraction_parsing"), "a number"),
    "finite_number": "a finite number",
    **dict.fromkeys(("string_type", "string_unicode", "bytes_type"), "a text"),
    "path_type": "a path",
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), "a date"
    ),
    **dict.fromkeys(("time_type", "time_parsing"), "a time"),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing"), "a date and time"),
    "datetime_object_invalid": "a date and time",
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), "a duration"),
    **dict.fromkeys(
        ("list_type", "tuple_type", "set_type", "frozen_set_type", "deque_type", "iterable_type"), "a list"
    ),
    **dict.fromkeys(("dict_type", "frozen_dict_type", "ordered_dict_type", "counter_type", "mapping_type"), "a table"),
    **dict.fromkeys(("model_type", "dataclass_type", "named_tuple_type"), "a table"),
    **dict.fromkeys(("url_type", "url_parsing", "url_syntax_violation"), "a URL"),
    **dict.fromkeys(("uuid_type", "uuid_parsing"), "a UUID"),
}

OTHER: Final[Mapping[str, Callable[[Wrong], Finding]]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "string_pattern_mismatch": _pattern,
    "literal_error": _one_of_few,
    "enum": _one_of_few,
    "value_error": _own,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "multiple_of": _bound("a multiple of", "multiple_of"),
    "too_short": _short("entry", "entries"),
    "string_too_short": _short("character", "characters"),
    "bytes_too_short": _short("byte", "bytes"),
    **dict.fromkeys(("too_long", "string_too_long", "bytes_too_long", "url_too_long"), _long),
    "string_not_ascii": _other("a text of ASCII characters"),
    "bytes_invalid_encoding": _other("a text in {}", "encoding"),
    "set_item_not_hashable": _other("a text or a number"),
    "none_required": _other("no value: remove this key"),
    "date_past": _other("a date in the past"),
    "date_future": _other("a date in the future"),
    "datetime_past": _other("a date and time in the past"),
    "datetime_future": _other("a date and time in the future"),
    "timezone_naive": _other("a date and time without a time zone"),
    "timezone_aware": _other("a date and time with a time zone, such as 2026-11-23T10:00:00Z"),
    "timezone_offset": _other("a time zone {} s ahead of UTC", "tz_expected"),
    "union_tag_invalid": _other("a table whose {} is one of {}", "discriminator", "expected_tags"),
    "union_tag_not_found": _other("a table with the key {}", "discriminator"),
    "url_scheme": _other("a URL that begins with {}", "expected_schemes"),
    "uuid_version": _other("a UUID of version {}", "expected_version"),
    "decimal_max_digits": _other("at most {} digits", "max_digits"),
    "decimal_max_places": _other("at most {} digits after the point", "decimal_places"),
    "decimal_whole_digits": _other("at most {} digits before the point", "whole_digits"),
    "recursion_depth_exceeded": lambda _wrong: Finding("nested too deeply", "fewer nested tables"),
}

_NO_OBJECT: Final = "tables are read as tables, not as Python objects"
_NO_JSON: Final = "TOML is read, not JSON"
_NO_CALL: Final = "no function is called with the content of a file"
NOT_IN_TOML: Final = {
    **dict.fromkeys(("no_such_attribute", "get_attribute_error", "model_attributes_type"), _NO_OBJECT),
    **dict.fromkeys(("dataclass_exact_type", "is_instance_of", "is_subclass_of", "callable_type"), _NO_OBJECT),
    **dict.fromkeys(("json_invalid", "json_type", "needs_python_object"), _NO_JSON),
    **dict.fromkeys(("arguments_type", "missing_argument", "unexpected_keyword_argument"), _NO_CALL),
    **dict.fromkeys(("missing_keyword_only_argument", "unexpected_positional_argument"), _NO_CALL),
    **dict.fromkeys(("missing_positional_only_argument", "multiple_argument_values"), _NO_CALL),
    "recursion_loop": "a TOML document has no references, so it cannot be recursive",
    "iteration_error": "reading a list of TOML cannot fail",
    "invalid_key": "keys of TOML are texts",
    "string_sub_type": "texts of TOML are plain str",
    **dict.fromkeys(("frozen_field", "frozen_instance"), "settings are not changed after they were read"),
    "default_factory_not_called": "no default depends on other settings",
    "assertion_error": "validators raise ValueError",
    **dict.fromkeys(("missing_sentinel_error", "ellipsis_error"), "no setting has a Python sentinel as its value"),
}
