"""A reader with a pocket calculator: redoes what an explanation prints, from the printed text alone."""

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from equations import evaluate

INDENT = 8
NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?"
GROUPED = r"\d{1,3}(?:,\d{3})+|" + NUMBER

# How a printed number may be called, in a list or before a product.
_RANGE = r"\d+(?:\.\.\d+)?"
_PLACES = "|".join(
    [
        "red|green|blue",
        rf"(?:kernel rows?|columns?|channels?|filters?|units?|images?|class(?:es)?|others?|terms?) {_RANGE}",
        rf"rows? {_RANGE}, columns? {_RANGE}",
        r"position \(\d+,\d+\)(?:, padding)?",
        r"cell \(\d+,\d+\)|\(\d+,\d+\)",
        r"(?:image \d+, )?place \(\d+,\d+\)(?:, not read)?",
        r"window \(\d+,\d+\), (?:won|lost to \d+,\d+|between|1/\d+)",
        r"dy \* s\^-beta|by s of (?:channel \d+|red|green|blue)|y \* dy|y \* -sum|dy",
        r"x|-mean|gamma \* xhat|beta|-dbeta / M|-xhat \* dgamma / M",
        r"-?onehot(?: / \d+)?|p(?: / \d+)?",
    ]
)
_PRODUCT = re.compile(rf"(?P<place>{_PLACES}) +(?:(\S+) \* +(\S+) +)?= +(\S+)")
_CELL = rf"(?:{_PLACES}) +{NUMBER}"
_LIST = re.compile(rf"{_CELL}(?: {{3,}}{_CELL})*")
_GRID = re.compile(rf"{NUMBER}(?: +{NUMBER})*")
_UNIT = r"\(in units of 1e(-?\d+)\)"
_TOTAL = re.compile(
    rf"these (\d+) add up to ({NUMBER})(?:; unrounded ({NUMBER}), rounding ({NUMBER}))?"
)
_OPENED = re.compile(
    rf"part (?P<address>[\w,/]+) \((?P<openable>.*)\)(?P<largest>, the largest)?: (?P<place>{_PLACES}), "
    r"[\d,]+ terms?"
)
_CANDIDATE = re.compile(
    r"part [\w,]+ \(.*\)(?P<winner>, the winner)?: row -?\d+, column -?\d+ of the input, "
    r"in (?P<windows>\d+) windows?"
    rf"(?P<listed>( +window \(\d+,\d+\), (won|lost to -?\d+,-?\d+) +{NUMBER})+)"
)
_EQUATION = re.compile(
    rf"((?:[-+*/^(), ]|{GROUPED}|exp|ln|max|\(rounding\))+) = ({NUMBER})(?![\d.]|e[-+])"
)


@dataclass
class Level:
    """One printed sum: its numbers as printed, what each is called, and the unit they are in."""

    opened: str  # the place that this level opens, "" for the first
    address: str = ""  # of that part, in the words of the reader
    largest: bool = False  # whether it is said to be the largest
    columns: int = 1  # of a grid
    places: list[str] = field(default_factory=list)
    numbers: list[Decimal] = field(default_factory=list)
    products: list[tuple[str, str, Decimal]] = field(default_factory=list)
    exponent: int = 0
    value: Decimal | None = None  # unrounded, in that unit

    @property
    def step(self):
        """One in the last decimal that is printed."""
        places = {number.as_tuple().exponent for number in self.numbers}
        assert len(places) == 1, "numbers of one sum have equally many decimals"
        return Decimal(1).scaleb(places.pop())


def redo(text):
    """Redo every sum, product and equation of a printed explanation; gives how many of each."""
    assert "DISAGREES" not in text, text
    lines = text.splitlines()
    assert all(len(line) <= 80 for line in lines), text
    done, above = Counter(), None
    for heading, body in sections(text):
        if any(re.search(r"\b(?:nan|inf)\b", line) for line in body):
            continue
        if heading == "OPEN" and (candidate := _CANDIDATE.fullmatch(" ".join(body))):
            redo_candidate(candidate)
            done["candidates"] += 1
        elif heading in ("SUMS", "OPEN"):
            level = read_level(heading, body)
            if level.numbers:
                redo_level(level, above if heading == "OPEN" else None)
                done["sums"] += 1
                done["products"] += len(level.products)
                above = level
        elif heading == "CHECK":
            done["checks"] += redo_check(body)
        elif heading not in ("SEES", "NEXT", "HOLDS", "WHY 0"):
            done["equations"] += redo_equations(heading, " ".join(body))
    return done


def redo_candidate(candidate):
    """All windows are listed that a number competes in; a winner has won, in one of them at least."""
    outcomes = re.findall(r"\), (won|lost)", candidate["listed"])
    assert len(outcomes) == int(candidate["windows"])
    assert not candidate["winner"] or "won" in outcomes


def sound(opened):
    """Whether an explanation agrees; one of NaN or infinity has nothing to agree on, and says so."""
    for check in opened.checks:
        if not math.isfinite(check.reference):
            np.testing.assert_equal(check.engine, check.reference)
            assert not check.ok and "NOT FINITE" in str(opened)
    unfinished = not math.isfinite(opened.value) or not all(c.finite for c in opened.checks)
    assert bool(opened.notes("BEGINS")) == unfinished
    return opened.ok or all(check.ok or not check.finite for check in opened.checks)


def sections(text):
    """(heading, lines) in order, the subject's line left out."""
    found = []
    for line in text.splitlines():
        if line[:1].strip():
            found.append((line[:INDENT].strip(), [line[INDENT:].strip()]))
        elif line.strip():
            found[-1][1].append(line.strip())
    return found[1:]


def read_level(heading, body):
    """The numbers of one sum; words may only stand before them."""
    opened, body = None, list(body)
    while heading == "OPEN" and (opened := _OPENED.fullmatch(body[0])) is None:
        assert len(body) > 1, f"no opened part: {body[0]}"
        body[:2] = [" ".join(body[:2])]  # a long one takes two lines
    level = (
        Level(opened["place"], opened["address"], bool(opened["largest"])) if opened else Level("")
    )
    counted = None
    for line in body[1:]:
        if total := _TOTAL.fullmatch(line):
            assert counted is None
            counted, shown, unrounded, gap = total.groups()
            assert len(level.numbers) == int(counted)
            assert sum(level.numbers) == Decimal(shown), line
            assert Decimal(shown) + Decimal(gap or 0) == Decimal(unrounded or shown), line
            assert gap is None or Decimal(gap) != 0, line
            level.value = Decimal(unrounded or shown)
        elif unit := re.fullmatch(_UNIT, line):
            assert not level.numbers
            level.exponent = int(unit[1])
        elif product := _PRODUCT.fullmatch(line):
            place, a, b, value = product.groups()
            level.places.append(place)
            level.numbers.append(Decimal(value))
            if a is not None:
                level.products.append((a, b, Decimal(value)))
        elif _GRID.fullmatch(line):
            level.columns = len(line.split()) if not level.numbers else level.columns
            level.numbers += map(Decimal, line.split())
        elif _LIST.fullmatch(line):
            for place, value in re.findall(rf"({_PLACES}) +({NUMBER})(?: {{3,}}|$)", line):
                level.places.append(place)
                level.numbers.append(Decimal(value))
        else:
            assert not level.numbers, f"what is this? {line!r}"
    assert len(level.numbers) <= 25
    assert len(level.numbers) == 1 or counted is not None or not level.numbers, body
    if len(level.numbers) == 1 and counted is None:
        level.value = level.numbers[0]
    return level


def redo_level(level, above):
    """Multiply the printed factors; a level opens the number of the one above that its address names."""
    unit = Decimal(1).scaleb(level.exponent)
    for a, b, value in level.products:
        assert abs(Decimal(a) * Decimal(b) / unit - value) <= Decimal("0.75") * level.step, (a, b)
    if above is not None:
        *row, column = map(int, level.address.rpartition("/")[2].split(","))
        index = sum(row) * above.columns + column if not above.places or not row else None
        if above.places:
            index = above.places.index(level.opened) if index is None else index
            assert above.places[index] == level.opened
        number = above.numbers[index]
        assert not level.largest or abs(number) == max(map(abs, above.numbers))
        coarse, fine = (Decimal(1).scaleb(each.exponent) * each.step for each in (above, level))
        assert abs(level.value * unit - number.scaleb(above.exponent)) <= (coarse + fine) / 2


def redo_equations(heading, text):
    """Work out what stands to the left of each "= number"; how many there are."""
    count = 0
    for match in _EQUATION.finditer(text):
        left, right = match[1].lstrip(" ,)").rstrip(), match[2]
        if not re.search(r"[-+*/^]|exp|ln|max", left) or not re.search(r"\d", left):
            continue
        if heading == "BIAS":
            terms = re.sub(r"\(rounding\)| ", "", left)
            assert sum(map(Decimal, re.findall(r"[-+]?[\d.]+(?:e[-+]?\d+)?", terms))) == Decimal(
                right
            ), match[0]
        else:
            expression = re.sub(rf"ln ({GROUPED})", r"ln(\1)", left)
            step = Decimal(1).scaleb(Decimal(right).as_tuple().exponent)
            assert abs(evaluate(expression) - float(right)) <= 0.75 * float(step), match[0]
        count += 1
    return count


def redo_check(body):
    """An agreement: the difference, the verdict, and the bound from what is said of it."""
    text = " ".join(body)
    if not text.startswith("engine"):
        return 0  # words instead of an agreement
    found = re.fullmatch(
        rf"engine ({NUMBER}) \| (.*?):? ({NUMBER}) differ ({NUMBER}), bound ({NUMBER}): agrees "
        r"bound: (.*?)( \(rounding alone can take the two so far apart; more would be an error\))?",
        text,
    )
    assert found, text
    engine, reference, differ, bound = (float(found[i]) for i in (1, 3, 4, 5))
    assert differ <= bound and (bound > 0 or not found[7])
    printed = 1e-8 * max(abs(engine), abs(reference))  # nine digits
    assert abs(abs(engine - reference) - differ) <= printed + 0.06 * differ, text
    redone, near = redo_bound(found[6], abs(reference))
    assert redone is None or abs(redone - bound) <= near * bound, text
    return 1


def redo_bound(why, reference):
    """The bound that the words state, None for words alone; and how near two digits come."""
    slopes = re.fullmatch(
        rf"({NUMBER}) \* the tensor's largest, ({NUMBER}), for \w+ activations"
        rf"(?: \* ({NUMBER}) for digits lost in a softmax)?, \+ ({NUMBER}) for float64's rounding of "
        rf"the loss(?:, \+ ({NUMBER}) for that of terms which cancel)?",
        why,
    )
    if slopes:
        share, largest, lost, rounding = (float(text or 1) for text in slopes.groups()[:4])
        noise = float(slopes[5] or 0)
        return share * largest * lost + rounding + noise, 0.11  # two numbers in two digits
    sums = re.fullmatch(
        rf"([\d,]+) (?:terms?|roundings?).*? \* 2\^-(\d+)(?: \* (its size|(?:the .*, )?({NUMBER})))?",
        why,
    )
    if sums:
        size = reference if sums[3] == "its size" else float(sums[4] or 1)
        return int(sums[1].replace(",", "")) * 2.0 ** -int(sums[2]) * size, 0.06
    assert re.search("copied|exact|no more digits", why), why
    return None, 0.0
