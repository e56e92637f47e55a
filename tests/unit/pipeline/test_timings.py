"""Tests of the measurement of phases."""

from __future__ import annotations

from pathlib import Path

from builder.pipeline.timings import PhaseTimer


class Still:
    """An engine without measurements."""

    workers = 1


def test_time_counts_for_the_phase_that_reported_last(tmp_path: Path) -> None:
    """The seconds of all phases add up to the whole; progress is forwarded unchanged."""
    forwarded: list[str] = []
    timer = PhaseTimer(lambda phase, **_: forwarded.append(phase))
    for phase in ("read", "records", "read", "write"):
        timer(phase, done=0, total=1, unit="bytes")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "part").write_bytes(b"12345")
    took = timer.took(Still(), tmp_path)  # type: ignore[arg-type]
    assert forwarded == ["read", "records", "read", "write"]
    assert list(took["phases"]) == ["prepare", "read", "write"]
    assert abs(sum(took["phases"].values()) - took["seconds"]) < 0.01
    assert (took["disk_bytes"], took["memory_bytes"]) == (5, 0)
