"""Show what other thresholds of a recipe would remove, and help to choose one."""

from builder.operations.tune.near import NearFacts
from builder.operations.tune.rule_facts import RuleFacts
from builder.operations.tune.run import Tuning, tune

__all__ = ["NearFacts", "RuleFacts", "Tuning", "tune"]
