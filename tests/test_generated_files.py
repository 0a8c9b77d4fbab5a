"""What is generated is what its program writes."""

import pytest

from tools import written

FILES = written()


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_generated_file_is_what_the_program_writes(file):
    assert file.read_text(encoding="utf-8") == FILES[file], "it is old: run python -m tools"
