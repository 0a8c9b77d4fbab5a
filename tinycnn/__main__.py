"""The program ``tinycnn``, and ``python -m tinycnn``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run one command and give its exit code; Ctrl-C is met while what it needs is loaded, too."""
    try:
        from tinycnn import cli

        return cli.main()
    except KeyboardInterrupt:
        print("tinycnn: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
