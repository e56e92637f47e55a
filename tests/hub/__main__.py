"""Start the stand-in Hub; it prints its address and serves until it is stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hub.server import Hub


def main() -> None:
    """Parse the arguments, start the server, and serve."""
    parser = argparse.ArgumentParser(prog="hub", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--xet", action="store_true")
    parser.add_argument("--page-size", type=int, default=1000)
    asked = parser.parse_args()
    hub = Hub(asked.folder.resolve(), port=asked.port, xet=asked.xet, page_size=asked.page_size)
    sys.stdout.write(f"{hub.url}\n")
    sys.stdout.flush()
    hub.serve_forever()


if __name__ == "__main__":
    main()
