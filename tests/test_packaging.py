"""What is installed is what stands in the checkout."""

from configparser import ConfigParser
from pathlib import Path

import tinycnn

PACKAGE = Path(tinycnn.__file__).parent
SETUP = Path(__file__).parents[1] / "setup.cfg"


def test_setup_names_every_folder_of_the_package():
    """The list is written by hand, for one of the packages stands elsewhere: tinycnn.kernels."""
    config = ConfigParser()
    config.read(SETUP, encoding="utf-8")
    named = config["options"]["packages"].split()
    folders = {
        file.parent for file in [*PACKAGE.rglob("__init__.py"), *PACKAGE.glob("*/__init__.py")]
    }
    there = {".".join(("tinycnn", *folder.relative_to(PACKAGE).parts)) for folder in folders}
    assert set(named) == there
    assert len(named) == len(there)
