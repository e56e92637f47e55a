"""Judge whether a value meets a schema, and list all its faults, without fetching anything.

jsonschema-rs judges values and explains faults. jsonschema, the reference implementation, checks the schemas.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from builder.domain.contract.contract import ROOT_URI
from builder.domain.contract.dialect import DRAFTS, LATEST_DRAFT, draft_of
from builder.domain.contract.fault_path import FaultPaths
from builder.domain.fault_order import pointer_of, sort_faults
from builder.domain.json.pruning import prune
from builder.domain.json.text import MAX_DEPTH, depth_of
from builder.domain.json.writer import preview
from builder.domain.rejection import MAX_VALUE_CHARS, ContractFault
from builder.errors import ContractError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.domain.contract.contract import Contract

MAX_FAULTS = 1_000
"""Faults of one record that are kept, at most; a record can have as many as it has values."""

MAX_MESSAGE_CHARS = 500

SHOWN_LEVELS = 200
"""Levels to keep of a value that is too deep for jsonschema-rs to show or compare (over 255)."""

BACKTRACK_LIMIT = 1_000_000
"""Backtracking steps of a pattern with lookaround or backreferences on one string (about 15 ms), at most."""

REASONS = {
    "type": "The value has the wrong type.",
    "enum": "The value is not one of the listed values.",
    "const": "The value is not the required value.",
    "required": "A required property is missing (also one that another property requires).",
    "min_length": "The string is too short.",
    "max_length": "The string is too long.",
    "pattern": "The string does not match the pattern.",
    "pattern_too_hard": "A pattern with lookaround or backreferences takes too many steps on the string.",
    "format": "The string does not have the required format.",
    "minimum": "The number is too small.",
    "maximum": "The number is too large.",
    "exclusive_minimum": "The number is too small or equal to the bound.",
    "exclusive_maximum": "The number is too large or equal to the bound.",
    "multiple_of": "The number is not a multiple of the required divisor.",
    "min_items": "The array has too few items.",
    "max_items": "The array has too many items.",
    "unique_items": "Two items of the array are equal.",
    "contains": "Too few or too many items of the array match the required schema.",
    "additional_items": "The array has items after the last one that is allowed.",
    "unevaluated_items": "The array has items that no part of the contract allows.",
    "min_properties": "The object has too few properties.",
    "max_properties": "The object has too many properties.",
    "property_names": "The name of a property is not allowed.",
    "additional_properties": "The object has undeclared properties.",
    "unevaluated_properties": "The object has properties that no part of the contract allows.",
    "any_of": "The value matches none of the alternatives.",
    "one_of": "The value matches none of the alternatives, or more than one.",
    "not": "The value matches a schema that it must not match.",
    "false_schema": "No value is allowed at this place.",
    "content_encoding": "The string does not have the required encoding.",
    "content_media_type": "The content of the string does not have the required media type.",
}
"""The reasons of a rejection by a contract: schema keywords in lower_snake_case."""

_NO_LIMIT = frozenset(
    (
        "any_of",
        "one_of",
        "not",
        "property_names",
        "false_schema",
        "contains",
        "unique_items",
        "pattern_too_hard",
    )
)


class Judge:
    """A compiled schema, which judges values."""

    def __init__(self, schema: Any, documents: Mapping[str, Any]) -> None:
        """Compile a schema; every document that it refers to must be given.

        A reference in a part that the schema does not use need not resolve.

        Raises:
            ContractError: if it cannot be compiled.
        """
        import jsonschema_rs as rs

        drafts = dict(zip(DRAFTS.values(), _numbers(), strict=True))
        draft = drafts[draft_of(schema, documents) or LATEST_DRAFT]
        try:
            registry = None
            if documents:
                registry = rs.Registry([*documents.items()], draft=draft, retriever=_unused)
            self._validator = rs.validator_for(
                schema,
                retriever=_unused,
                base_uri=ROOT_URI,
                registry=registry,
                mask="the value",
                validate_formats=True,
                pattern_options=rs.FancyRegexOptions(backtrack_limit=BACKTRACK_LIMIT),
            )
        except (rs.ValidationError, rs.ReferencingError, ValueError) as error:
            raise _not_compiled(error) from error

    def accepts(self, value: Any) -> bool:
        """Return whether a value meets the schema; the value must not nest deeper than 1,024 levels.

        False if the schema compares values that are too deep to compare.
        """
        try:
            return bool(self._validator.is_valid(value))
        except ValueError:
            return False

    def explain(self, value: Any) -> tuple[ContractFault, ...]:
        """Return all faults of a value, in order; none if it is valid.

        A value that nests too deeply (a parsed one cannot) does not reach the validator: it would crash the
        process.
        """
        if depth_of(value) > MAX_DEPTH:
            message = f"nests deeper than {MAX_DEPTH:,} levels"
            return (ContractFault(pointer="", keyword="too_deep", message=message),)
        try:
            return self._explain(value)
        except ValueError:  # the validator copies what it shows or compares, down to 255 levels
            faults = self._explain(prune(value, levels=SHOWN_LEVELS), shown=value, levels=SHOWN_LEVELS)
        message = f"nests too deeply for what the contract asks of it (over {SHOWN_LEVELS} levels)"
        return faults or (ContractFault(pointer="", keyword="too_deep", message=message),)

    def _explain(
        self, value: Any, *, shown: Any = None, levels: int | None = None
    ) -> tuple[ContractFault, ...]:
        """Return the faults of a value.

        Args:
            shown: with ``levels``, the value to show in the faults; it equals ``value`` down to ``levels``.
        """
        faults = []
        paths = FaultPaths(value)
        for error in self._validator.iter_errors(value):
            path = paths.of(error)
            if levels is not None and len(path) >= levels:
                continue
            faults.append((path, _fault(error, value if levels is None else shown, path)))
            if len(faults) == MAX_FAULTS:
                break
        return sort_faults(value, faults)


@lru_cache(maxsize=16)
def judge_of(contract: Contract) -> Judge:
    """Return the judge of a contract; each process compiles it once."""
    return Judge(contract.schema, contract.documents)


def check_schema(
    schema: Any, documents: Mapping[str, Any], *, where: str = "", default: str = LATEST_DRAFT
) -> None:
    """Check that a schema is valid, with the reference implementation.

    ``Judge`` checks the patterns, because it knows the dialect of JSON Schema; the reference implementation
    knows only that of Python.

    Args:
        default: the draft of a schema that does not name one.

    Raises:
        ContractError: with all faults.
    """
    import jsonschema.validators as reference

    from builder.domain.contract.dialect import registry_of

    draft = draft_of(schema, documents, default=default)
    if draft is None:
        known = ", ".join(DRAFTS)
        what = f"$schema names an unknown draft: {preview(schema['$schema'], chars=100)}"
        raise ContractError(Fault(where=f"{where}/$schema", what=what, advice=f"use one of {known}"))
    uri = next(uri for uri, name in DRAFTS.items() if name == draft)
    dialect = schema["$schema"].removesuffix("#") if isinstance(schema, dict) and "$schema" in schema else uri
    judge = reference.validator_for({"$schema": uri})
    metaschema = documents.get(dialect, judge.META_SCHEMA)
    registry = registry_of(documents, default=draft)
    try:
        errors = list(judge(metaschema, registry=registry).iter_errors(schema))
    except RecursionError:
        raise ContractError(Fault(where=where, what="the schema nests too deeply")) from None
    if errors:
        found = [(where + pointer_of(e.absolute_path), e.message[:MAX_MESSAGE_CHARS]) for e in errors]
        raise ContractError(*(Fault(where=place, what=what) for place, what in dict.fromkeys(found)))


def _numbers() -> tuple[int, ...]:
    import jsonschema_rs as rs

    return rs.Draft202012, rs.Draft201909, rs.Draft7, rs.Draft6, rs.Draft4


def _unused(uri: str) -> Any:  # noqa: ARG001 - the signature of a retriever
    """Return a schema that accepts nothing, for a document that is not given. Nothing is fetched.

    jsonschema-rs asks for every document that is named anywhere, and ``follow_references`` has refused a
    schema that needs one of them.
    """
    return False


def _not_compiled(error: Exception) -> ContractError:
    where = pointer_of(getattr(error, "instance_path", ()))
    message = getattr(error, "message", "") or str(error)
    return ContractError(Fault(where=where, what=f"not a valid schema: {message[:MAX_MESSAGE_CHARS]}"))


def _fault(error: Any, value: Any, path: tuple[str | int, ...]) -> ContractFault:
    kind = error.kind
    keyword = _keyword(type(kind).__name__, kind.name)
    shown, limit = _shown(keyword, kind, value, path)
    message = "matching was given up" if keyword == "pattern_too_hard" else error.message[:MAX_MESSAGE_CHARS]
    return ContractFault(pointer=pointer_of(path), keyword=keyword, value=shown, limit=limit, message=message)


def _keyword(kind: str, name: str) -> str:
    """Convert a schema keyword to a reason code.

    >>> _keyword("MinLength", "minLength")
    'min_length'
    """
    if kind in ("BacktrackLimitExceeded", "RegexEngineFailure"):
        return "pattern_too_hard"
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def _shown(keyword: str, kind: Any, value: Any, path: tuple[str | int, ...]) -> tuple[str | None, str | None]:
    """Return the start of the offending value, and the limit that it breaks."""
    if keyword in ("additional_properties", "unevaluated_properties", "unevaluated_items"):
        return preview(kind.unexpected, chars=MAX_VALUE_CHARS), None
    limit = None
    if keyword not in _NO_LIMIT:
        limit = kind.value if isinstance(kind.value, str) else preview(kind.value, chars=MAX_VALUE_CHARS + 1)
    if keyword == "required":  # a missing property has no value
        return None, limit
    for step in path:
        value = value[step]
    return preview(value, chars=MAX_VALUE_CHARS + 1), limit
