"""What the commands' parsers share."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

from tinycnn.validation import check_int


class Parser(argparse.ArgumentParser):
    """A parser that takes what begins like a negative number for a value: ``--at -1,0,0``.

    Before Python 3.14, argparse takes only a whole negative number for one, and for an option
    whatever else begins with a minus.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._negative_number_matcher = re.compile(r"-\.?\d")  # as Python 3.14 has it

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print as argparse does, but raise where the help, which is a result, can't be written."""
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)


def seed(arguments: argparse.Namespace) -> int:
    """The value of --seed, which masks take as a key of 64 bits."""
    return check_int(arguments.seed, "--seed", least=0, most=2**64 - 1)
