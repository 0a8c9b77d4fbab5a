"""The handout is current, and says what a count by hand says."""

from pathlib import Path

from tinycnn import cli
from tinycnn.classroom import handout


def test_page_is_what_the_command_prints(capsys):
    assert cli.main(["handout"]) == 0
    printed = capsys.readouterr().out
    page = Path(__file__).parents[2] / "docs" / "handout.md"
    assert page.read_text(encoding="utf-8") == printed


def test_numbers_worked_out_by_hand():
    text = handout.page()
    conv = [96 * (11 * 11 * 3 + 1), 256 * (5 * 5 * 96 + 1), 384 * (3 * 3 * 256 + 1),
            384 * (3 * 3 * 384 + 1), 256 * (3 * 3 * 384 + 1)]  # fmt: skip
    hidden = [4096 * (6 * 6 * 256 + 1), 4096 * (4096 + 1)]
    total = sum(conv) + sum(hidden) + 1000 * 4097
    assert total == 62_378_344 and f"{total:,}, which is 62.4 million" in text
    assert f"{total - 1000 * 4097 + 10_000 * 4097:,}" == "99,251,344" and "99,251,344" in text
    assert "It gives 23 for conv2 and 11 for conv3, where the same table says 27 and 13" in text
    assert "96, 256, 384, 384, 256. conv5 falls to 256" in text
    assert f"{55 * 55 * 96 * 364:,}" == "105,705,600" and "105,705,600" in text
    assert "60,965,224 parameters instead of 62,378,344" in text
    assert "6 * 6 * 256 = 9,216" in text and "ln 1,000 = 6.9078" in text
