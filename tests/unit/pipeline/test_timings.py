"""What a build took."""

from __future__ import annotations

from pathlib import Path

from builder.pipeline.timings import PhaseTimer


class Still:
    """An engine of which nothing is known."""

    workers = 1


def test_time_goes_to_the_phase_that_spoke_last(tmp_path: Path) -> None:
    """Each phase has its seconds, and they add up; what is said is handed on."""
    heard: list[str] = []
    timer = PhaseTimer(lambda phase, **_: heard.append(phase))
    for phase in ("read", "records", "read", "write"):
        timer(phase, done=0, total=1, unit="bytes")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "part").write_bytes(b"12345")
    took = timer.took(Still(), tmp_path)  # type: ignore[arg-type]
    assert heard == ["read", "records", "read", "write"]
    assert list(took["phases"]) == ["prepare", "read", "write"]
    assert abs(sum(took["phases"].values()) - took["seconds"]) < 0.01
    assert (took["disk_bytes"], took["memory_bytes"]) == (5, 0)
