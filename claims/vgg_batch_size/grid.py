"""The grid as a claim's test sees it: samples over batch sizes, of the part that is there.

A claim about all batch sizes still makes sense on some of them; below full scale the grid has
fewer. Where the store has only a part of the grid and nothing can be trained, it is judged on the
batch sizes that are there, and the row names them; on fewer than half of those that its scale has
it is not evaluated, and the row names what lacks.
"""

import math
import statistics
from collections.abc import Sequence
from typing import TypeAlias

from claims.vgg_batch_size.protocol import BATCHES, accuracy, arm, dead_if_ended, failed, trained
from cvclaims import Arm, Judge, NotEvaluated, Pooled, Record, Runs, Sample, combined, pooled

# A network and a treatment: "vgg11", "raw".
Line: TypeAlias = tuple[str, str]


class Grid:
    """The cells of one claim."""

    def __init__(self, runs: Runs, verdict: Judge) -> None:
        self._runs, self._verdict = runs, verdict

    def there(
        self, *lines: Line, batches: Sequence[int] = BATCHES, whole: bool = False
    ) -> tuple[int, ...]:
        """Those batch sizes at which every line's first look is there or can be trained.

        Raises NotEvaluated where they are fewer than half of those that the claim's scale has, or
        with `whole` not all. Where there is nothing at all the judge is left to say why.
        """
        batches = self.sizes(*lines, batches=batches)
        if not batches:
            raise NotEvaluated("stopping on images held out is trained at full scale alone")
        has = self._verdict.available
        have = {batch: [has(self.arm(line, batch)) for line in lines] for batch in batches}
        full = tuple(batch for batch in batches if all(have[batch]))
        if not any(any(cells) for cells in have.values()):
            return batches
        if len(full) < (len(batches) if whole else math.ceil(len(batches) / 2)):
            lacking = {
                line: [batch for batch in batches if not have[batch][number]]
                for number, line in enumerate(lines)
            }
            named = [f"{_name(line)}, {told(sizes)}" for line, sizes in lacking.items() if sizes]
            raise NotEvaluated(
                f"the grid lacks {'; '.join(named)}: run without --claims-replay to train them"
            )
        return full

    def sizes(self, *lines: Line, batches: Sequence[int] = BATCHES) -> tuple[int, ...]:
        """Those of the batch sizes that the grid has at the claim's scale."""
        return tuple(b for b in batches if all(arm(*line, b) in self._runs for line in lines))

    def arm(self, line: Line, batch: int) -> Arm:
        """The arm of one cell."""
        return self._runs[arm(*line, batch)]

    def failing(self, line: Line, batches: Sequence[int]) -> Pooled:
        """1 for each run that failed to train, else 0."""
        label = f"{_name(line)} fails, {told(batches)}"
        return pooled(label, *(self.arm(line, batch).measure(failed) for batch in batches))

    def accuracy(self, line: Line, batches: Sequence[int]) -> Sample:
        """The mean accuracy over batch sizes, runs that failed included."""
        arms = [self.arm(line, batch) for batch in batches]
        label = f"{_name(line)}, {told(batches)}"
        return combined(label, arms, lambda records: statistics.fmean(map(accuracy, records)))

    def gain(self, line: Line, over: Line, batches: Sequence[int]) -> Sample:
        """Accuracy of one line less another's at the same batch size, where both trained.

        The mean over the batch sizes; not a number for a seed in which no size trained on both.
        """
        arms = [self.arm(which, batch) for batch in batches for which in (line, over)]
        label = f"{_name(line)} − {_name(over)}, {told(batches)}"
        return combined(label, arms, _gain)

    def dead_among_ended(self, *lines: Line, batches: Sequence[int]) -> Pooled:
        """Of the failing runs that patience ended, 1 for each whose first layer has no gradient."""
        cells = [self.arm(line, batch) for line in lines for batch in batches]
        samples = (cell.measure(dead_if_ended) for cell in cells)
        label = f"failing runs whose first layer is dead, {told(batches)}"
        return pooled(label, *samples, drop_missing=True)

    def smallest_that_trains(self, line: Line) -> Sample:
        """log₂ of the smallest batch size that trains; a step past the largest where none does."""
        label = f"{_name(line)}, log₂ of the smallest batch that trains"
        batches = self.sizes(line)
        arms = [self.arm(line, batch) for batch in batches]

        def log2_of_smallest(records: Sequence[Record]) -> float:
            sizes = [b for b, run in zip(batches, records, strict=True) if trained(run)]
            return math.log2(sizes[0] if sizes else 2 * batches[-1])

        return combined(label, arms, log2_of_smallest)


def told(batches: Sequence[int]) -> str:
    """Batch sizes in a row's words: "batch 8–32", and all of them where one lacks between."""
    first, last = BATCHES.index(batches[0]), BATCHES.index(batches[-1])
    unbroken = tuple(batches) == BATCHES[first : last + 1]
    if unbroken and len(batches) > 2:
        return f"batch {batches[0]}–{batches[-1]}"
    return f"batch {', '.join(map(str, batches))}"


def _name(line: Line) -> str:
    net, treatment = line
    return f"{net.upper()} {treatment.replace('_', ' ')}"


def _gain(records: Sequence[Record]) -> float:
    pairs = zip(records[::2], records[1::2], strict=True)
    gains = [accuracy(a) - accuracy(b) for a, b in pairs if trained(a) and trained(b)]
    return statistics.fmean(gains) if gains else math.nan
