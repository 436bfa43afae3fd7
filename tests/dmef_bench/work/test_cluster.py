import contextlib
import sys

import dask
import distributed
import pytest
from pool_tasks import double, misbehave

from dmef_bench.errors import MissingError, UsageError
from dmef_bench.work import Broken, Done, UnfitWorkerError, cluster, connected


@pytest.fixture(scope="module")
def two_threads():
    """Address of a scheduler whose one worker takes two tasks at once and has no GPU."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", host="127.0.0.1",
        dashboard_address=":0",
    ) as local:  # fmt: skip
        yield local.scheduler_address


def _each(place, function, inputs, folder, **more):
    more = {"apart": True, "sees": {}, **more}
    return {one.key: one for one in place.each(function, inputs, shared=folder, **more)}


def test_every_input_has_its_outcome(dask_cluster, tmp_path):
    kinds = ["die", "refuse", "fail", "fine"]
    with connected(str(dask_cluster.address)) as place:
        outcomes = _each(place, misbehave, {kind: (kind, tmp_path) for kind in kinds}, tmp_path)
        doubles = _each(place, double, {"21": (21,)}, tmp_path, apart=False)
    assert outcomes["fine"] == Done("fine", "fine")
    assert outcomes["refuse"] == Broken("refuse", "can't be used")
    assert outcomes["fail"] == Broken("fail", "ZeroDivisionError: a bug")
    assert "exit -9" in outcomes["die"].reason
    assert (tmp_path / "die").read_text().count("\n") == 3  # it was tried elsewhere, twice
    assert doubles == {"21": Done("21", 42)}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kinds)


def test_what_the_environment_lacks_ends_all(dask_cluster, tmp_path):
    inputs = {kind: (kind, tmp_path) for kind in ("sleep", "full")}
    with (
        connected(str(dask_cluster.address)) as place,
        pytest.raises(MissingError, match="the disk is full"),
    ):
        _each(place, misbehave, inputs, tmp_path)


def test_closing_calls_off_what_waits(dask_cluster, tmp_path):
    inputs = {"fine": ("fine", tmp_path), "sleep": ("sleep", tmp_path)}
    with connected(str(dask_cluster.address)) as place:
        outcomes = place.each(misbehave, inputs, shared=tmp_path, sees={}, apart=True)
        with contextlib.closing(outcomes):
            assert next(outcomes) == Done("fine", "fine")
        inputs = {str(number): (number,) for number in range(4)}
        assert len(_each(place, double, inputs, tmp_path)) == 4
    assert not list(tmp_path.glob(".cluster-*"))


def test_a_worker_with_several_threads_times_nothing(two_threads, tmp_path):
    with connected(two_threads) as place:
        with pytest.raises(UnfitWorkerError, match=r"2 tasks at once.* start it with --nthreads 1"):
            _each(place, double, {"21": (21,)}, tmp_path, apart=False)
        assert _each(place, double, {"21": (21,)}, tmp_path) == {"21": Done("21", 42)}


def test_a_gpu_that_no_worker_offers(two_threads, tmp_path):
    with connected(two_threads) as place:
        assert not place.offers_gpu()
        with pytest.raises(UnfitWorkerError, match="--resources GPU=1"):
            _each(place, double, {"21": (21,)}, tmp_path, gpu=True)


def test_a_file_that_a_worker_does_not_see(two_threads, tmp_path):
    with (
        connected(two_threads) as place,
        pytest.raises(UnfitWorkerError, match=r"does not see .*gone\.mp4; all machines must share"),
    ):
        _each(place, double, {"21": (21,)}, tmp_path, sees={"21": tmp_path / "gone.mp4"})


def test_a_worker_that_joins_late_takes_part(tmp_path):
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1",
        dashboard_address=":0",
    ) as local, connected(local.scheduler_address) as place:  # fmt: skip
        local.scale(1)
        assert _each(place, double, {"21": (21,)}, tmp_path) == {"21": Done("21", 42)}


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://127.0.0.1:8786", "neither tcp://HOST:PORT"),
        ("tcp://127.0.0.1", "neither tcp://HOST:PORT"),
        ("absent.json", "nor a scheduler file"),
        ("text.json", "no scheduler file; `dask scheduler --scheduler-file FILE` writes one"),
        ("foreign.json", "no scheduler file"),
    ],
)
def test_addresses_that_are_none(tmp_path, monkeypatch, address, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.json").write_text("no JSON")
    (tmp_path / "foreign.json").write_text('{"address": "file:///etc/passwd"}')
    with pytest.raises(UsageError, match=problem), connected(address):
        pass


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
    with (
        pytest.raises(MissingError, match="no Dask scheduler answers"),
        connected("tcp://127.0.0.1:1"),
    ):
        pass


def test_encryption_that_is_not_set_up():
    with (
        pytest.raises(MissingError, match="name no certificates"),
        connected("tls://127.0.0.1:1"),
    ):
        pass
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(MissingError, match="require encryption, give a tls:// address"),
        connected("tcp://127.0.0.1:1"),
    ):
        pass


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingError, match=r"pip install 'dmef-bench\[cluster\]'"),
        connected("tcp://127.0.0.1:1"),
    ):
        pass
