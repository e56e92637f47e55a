"""Share the options for values among the sources whose files contain records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.domain.contract.instant_forms import EPOCHS, InstantForms, zone_of
from builder.domain.contract.value_forms import ValueForms
from builder.errors import Fault, RecipeError
from builder.io.reading.file_source import PLAIN_CHUNK_BYTES, FileSource, guarded_chunks
from builder.io.reading.page_bytes import BYTES_REASONS
from builder.io.streams.codecs import MAX_ZSTD_LONG, ZSTD_LONG
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.io.streams.content import FileContent
    from builder.io.streams.paths import Found
    from builder.io.streams.streams import StreamFault
    from builder.protocols import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSource(FileSource):
    """A source whose files contain records with named values."""

    rename: dict[str, str] = option(  # noqa: RUF009 - it makes a field
        {}, help="New names for fields: dotted path -> column."
    )
    timezone: str = option(
        "UTC", help="Time zone of instants without one: an IANA name or an offset such as `+02:00`."
    )
    epoch: str = option(
        "auto",
        help="Unit of instants that are numbers; `auto` chooses it by the size of each number.",
        choices=EPOCHS,
    )
    unwrap_lists: bool = option(
        False, help="Read a list of one element as that element, where the contract has no list."
    )

    zstd_long: int = option(
        ZSTD_LONG,
        help="Largest window of zstd files, as in `zstd --long=31`, which needs 2 GiB of memory a worker.",
        minimum=10,
    )
    base64: list[str] = option(  # noqa: RUF009
        [], help="Columns whose HTML or text is base64; the names after `rename`."
    )

    def __init_subclass__(cls) -> None:
        """Add the reasons that every source of records gives."""
        super(RecordSource, cls).__init_subclass__()
        if "reasons" in cls.__dict__:
            cls.reasons = {**cls.reasons, **BYTES_REASONS}
            cls.unreadable = cls.unreadable | {"not_text"}

    @property
    def value_forms(self) -> ValueForms:
        """How the files write values; ``validate`` reads them as the contract asks."""
        return ValueForms(
            instants=InstantForms(timezone=self.timezone, epoch=self.epoch), unwrap_lists=self.unwrap_lists
        )

    def refusal(self, content: FileContent) -> str | None:
        """Refuse a file whose first bytes are of a format without text, such as 7z or PDF."""
        return content.refused

    def _chunks(
        self,
        found: Found,
        guard: Guard,
        *,
        units: Iterator[int] | None = None,
        start: int = 0,
        plain_bytes: int = PLAIN_CHUNK_BYTES,
    ) -> Iterator[bytes | StreamFault]:
        """Read a file in chunks, as ``guarded_chunks`` does."""
        return guarded_chunks(
            found,
            stage=self.kind,
            guard=guard,
            units=units,
            start=start,
            zstd_long=self.zstd_long,
            plain_bytes=plain_bytes,
        )

    def value_faults(self) -> list[Fault]:
        """Return the faults of the options for values."""
        if self.zstd_long > MAX_ZSTD_LONG:
            what = f"{self.zstd_long} is more than {MAX_ZSTD_LONG}, the largest window of zstd"
            return [Fault(where="zstd_long", what=what, advice=f"set it to {MAX_ZSTD_LONG} or less")]
        try:
            zone_of(self.timezone)
        except ValueError as error:
            advice = "set it to an IANA name such as Europe/Berlin, or to an offset such as +02:00"
            return [Fault(where="timezone", what=str(error), advice=advice)]
        return []

    def check_values(self) -> None:
        """Check the options for values.

        Raises:
            RecipeError: if one cannot be used.
        """
        if faults := self.value_faults():
            raise RecipeError(*faults)
