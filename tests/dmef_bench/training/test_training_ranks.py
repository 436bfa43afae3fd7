"""Two processes train as one: the same samples, the same curve, and one message when one fails."""

import dataclasses
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from own_process import OwnProcess

from dmef_bench.errors import DmefError, MissingError, UsageError
from dmef_bench.training import TrainSettings, find_recipe, started_by_torchrun, train
from dmef_bench.training.feed import batches_from
from dmef_bench.training.log import read_rows
from dmef_bench.training.ranks import Ranks
from dmef_bench.training.samples import Batch, bracket_sample

CPU = torch.device("cpu")
SETTINGS = TrainSettings(
    steps=5, batch=4, learning_rate=1e-3, warm_up=1, validation_scenes=1, validation_side=32,
    options={"channels": "4", "blocks": "1", "channel_block": "4", "drtm_size": "4"},
)  # fmt: skip


class Ramps:
    """Colour ramps at rest; one place of a step may fail."""

    evs, track = (-1.5, 0.5, 2.5), "paper"

    def __init__(self, fails=None):
        self._fails = fails

    def sample(self, key):
        if (key.step, key.slot) == self._fails:
            raise UsageError("this sample can't be read")
        slope = key.generator().uniform(1, 7, 3)
        frame = (np.arange(32)[None, :, None] * slope + np.zeros((32, 1, 1))).astype(np.uint8)
        return bracket_sample((frame, frame, frame), key.generator())

    def description(self):
        return {"kind": "ramps"}


class WholeBatches:
    """Batches that number their samples."""

    evs, track, response = (-1.5, 0.5, 2.5), "paper", None

    def batch(self, seed, step, samples):
        images = torch.arange(step, step + samples, dtype=torch.uint8).view(-1, 1, 1, 1, 1)
        return Batch(images, images[:, 0], place=torch.zeros(samples, 4))

    def description(self):
        return {"kind": "numbers"}


def both(output):
    """What each process does."""
    with started_by_torchrun() as ranks:
        for minutes in (1e-9, None):  # stopped after its first step, and gone on with
            run(output / "two", ranks=ranks, minutes=minutes)
        if ranks.first:
            (output / "unwritable" / "log.png").mkdir(parents=True)
        try:
            run(output / "unwritable", ranks=ranks, curve=True)
        except (DmefError, OSError) as error:
            print(f"stopped: {error}")
        run(output / "fails", Ramps(fails=(2, 3)), ranks=ranks)


def run(output, source=None, **more):
    return train(
        find_recipe("ipl"), source or Ramps(), SETTINGS, output, device=CPU, quiet=True, **more
    )


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
import torch
torch.set_num_threads(1)
from dmef_bench.errors import DmefError
from test_training_ranks import both
try:
    both(Path(sys.argv[1]))
except DmefError as error:
    print(f"error: {{error}}", file=sys.stderr)
    sys.exit(error.exit_code)
"""


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """Their folder, exit codes and what they said."""
    output = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = SCRIPT.format(paths=[str(Path.cwd()), str(Path(__file__).parent)])
    processes = [
        OwnProcess(
            script, output, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2",
            MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
        )
        for rank in range(2)
    ]  # fmt: skip
    ended = [process.ended() for process in processes]
    return output, [one.code for one in ended], [(one.out, one.err) for one in ended]


def test_two_processes_take_the_steps_of_one(two_processes, tmp_path):
    output, _, said = two_processes
    run(tmp_path)
    one, two = read_rows(tmp_path / "log.csv"), read_rows(output / "two" / "log.csv")
    assert [row["step"] for row in two] == ["1", "2", "3", "4", "5"], said
    for name in ("loss", "learning_rate"):
        found = [[float(row[name]) for row in rows] for rows in (one, two)]
        np.testing.assert_allclose(found[1], found[0], rtol=1e-5)
    assert float(two[-1]["validation_psnr"]) == pytest.approx(float(one[-1]["validation_psnr"]))


def test_what_fails_in_one_process_stops_both_and_is_told_once(two_processes):
    output, codes, said = two_processes
    assert codes == [UsageError.exit_code] * 2, said
    assert [errors.count("error:") for _, errors in said] == [1, 0], said
    assert "error: process 2 of 2: this sample can't be read" in said[0][1]
    assert len(read_rows(output / "fails" / "log.csv")) == 2


def test_a_failure_of_the_one_that_writes_stops_all(two_processes):
    _, _, said = two_processes
    (first, _), (second, _) = said
    assert first.count("stopped:") == second.count("stopped:") == 1
    assert "log.png" in first
    assert "process 1 of 2: " in second and "log.png" in second


def test_every_process_has_its_own_places_of_a_batch():
    shares = [Ranks(rank, 3).share(6) for rank in range(3)]
    assert shares == [range(2), range(2, 4), range(4, 6)]
    with pytest.raises(UsageError, match="--batch 4 can't be divided by 3 processes"):
        Ranks(0, 3).share(4)
    settings = dataclasses.replace(SETTINGS, steps=3)
    for source in (Ramps(), WholeBatches()):
        whole = list(batches_from(source, settings, 1, range(4), 0, CPU))
        parts = [list(batches_from(source, settings, 1, part, 0, CPU)) for part in shares[:2]]
        assert len(whole) == 2
        for step, batch in enumerate(whole):
            joined = torch.cat([part[step].images for part in parts])
            assert torch.equal(joined, batch.images)
            assert torch.equal(torch.cat([part[step].target for part in parts]), batch.target)


def test_more_processes_than_gpus_are_refused():
    assert Ranks(1, 2, 2).own(CPU) == CPU
    assert Ranks().own(torch.device("cuda", 3)) == torch.device("cuda", 3)
    count = torch.cuda.device_count()
    with pytest.raises(MissingError, match=f"{count + 2} processes on a machine with {count} GPUs"):
        Ranks(count + 1, count + 2, count + 2).own(torch.device("cuda"))
