"""Express what a stage decides by as conditions, and name the value of the recipe behind each of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from builder.operations.tune.taps import AGREES
from builder.stages.binding.where import LANGUAGE
from builder.stages.identification.columns import SCORE, SHARE
from builder.stages.identification.findings import UNKNOWN_LANGUAGE
from builder.stages.identification.limits import DEFAULT, Limits
from builder.stages.quality.rules import LIMIT_ENDS, WEIGHT, WHERE, Condition, read_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.recipe import Recipe
    from builder.stages.filter import Filter
    from builder.stages.language import Language
    from builder.stages.quality.rules import Alternatives

BOUND = "{bound}"
"""The place of the bound in a setting."""


def stage_setting(recipe: Recipe, number: int) -> str:
    """Return how a setting names the stage with a number among the entries of ``stages``.

    A stage that no name selects is selected by its number.
    """
    entries: Sequence[Mapping[str, Any]] = recipe.document.get("stages") or []
    ((kind, options),) = entries[number].items()
    name = options.get("name") if isinstance(options, dict) else None
    kinds = Counter(next(iter(one)) for one in entries)
    names = Counter(_name(one) for one in entries)
    if isinstance(name, str) and names[name] == 1 and "." not in name and not name.isdigit():
        return f"stages.{name}"
    return f"stages.{kind}" if kinds[kind] == 1 and name is None else f"stages.{number}.{kind}"


def _name(entry: Mapping[str, Any]) -> str | None:
    options = next(iter(entry.values()))
    return options.get("name") if isinstance(options, dict) else None


# -- filter ----------------------------------------------------------------------------------------


def filter_settings(stage: Filter, *, place: str, written: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return for each condition of the stage the settings that change its bound.

    A rule of the recipe replaces the rule of a preset as a whole, so all limits of such a rule are set.

    Args:
        place: how a setting names the stage.
        written: the options of the stage in the recipe.
    """
    named, _ = read_rules(stage.named_rules)
    found = [_of_rule(one, stage, place=place, written=written) for one in named]
    return found + [()] * (len(stage.conditions) - len(found))


def _of_rule(
    one: Condition | Alternatives, stage: Filter, *, place: str, written: Mapping[str, Any]
) -> tuple[str, ...]:
    if not isinstance(one, Condition) or one.limit not in ("min", "max") or "." in one.name:
        return ()
    for path, rules in ((f"{place}.limits", written.get("limits")), (place, written)):
        if isinstance(rules, dict) and isinstance(rules.get(one.name), dict):
            return (f"{path}.{one.name}.{one.limit}={BOUND}",)
    rule = stage.named_rules[one.name]
    if not isinstance(rule, dict) or set(rule) & {WHERE, WEIGHT} or one.name in written:
        return ()
    ends = [end for end in LIMIT_ENDS if rule.get(end) is not None]
    if set(ends) - {"min", "max"}:
        return ()
    return tuple(f"{place}.{one.name}.{end}={BOUND if end == one.limit else rule[end]}" for end in ends)


# -- language --------------------------------------------------------------------------------------


def language_conditions(stage: Language) -> list[Condition]:
    """Return the limits of the stage, as rules about the columns that it writes."""
    limits = Limits.of(stage)
    found = []
    if limits.keep is not None:
        found.append(Condition(name=LANGUAGE, limit="in", bound=(*limits.keep, UNKNOWN_LANGUAGE)))
    if limits.drops_unknown:
        found.append(Condition(name=LANGUAGE, limit="not_in", bound=(UNKNOWN_LANGUAGE,)))
    named = [name for name in limits.min_scores if name != DEFAULT]
    for name in named:
        only = Condition(name=LANGUAGE, limit="in", bound=(name,))
        found.append(Condition(name=SCORE, limit="min", bound=limits.min_scores[name], where=(only,)))
    others = (Condition(name=LANGUAGE, limit="not_in", bound=tuple(named)),) if named else ()
    found.append(Condition(name=SCORE, limit="min", bound=limits.min_scores[DEFAULT], where=others))
    if stage.by == "paragraph" and stage.keep is not None:
        found.append(Condition(name=SHARE, limit="min", bound=limits.min_share))
    if stage.agree:
        found.append(Condition(name=AGREES, limit="not_in", bound=("differs",)))
    return found


def language_settings(
    conditions: Sequence[Condition], *, place: str, written: Mapping[str, Any]
) -> list[tuple[str, ...]]:
    """Return for each condition the setting that changes its bound."""
    by_language = isinstance(written.get("min_score"), dict)
    found: list[tuple[str, ...]] = []
    for one in conditions:
        if one.name == SHARE:
            found.append((f"{place}.min_share={BOUND}",))
        elif one.name == SCORE:
            only = next((c for c in one.where if isinstance(c, Condition) and c.limit == "in"), None)
            end = f".{only.bound[0] if only else DEFAULT}" if by_language else ""
            found.append((f"{place}.min_score{end}={BOUND}",))
        else:
            found.append(())
    return found
