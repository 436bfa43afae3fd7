"""Table 6: AHDRNet small, whole, in chunks, and in chunks with a cache."""

import dataclasses
import json

import pytest
import torch
from built_dataset import dataset_folder
from tiny_networks import tiny_network, write_weights

from baselines.ahdrnet.method import AHDRNetMethod
from baselines.conventions import Conventions
from dmef_bench.errors import UsageError
from dmef_bench.reproduce import Budget, Request, reproduce
from leaderboard.published import TABLE_6

__all__ = ["dataset_folder"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Networks this small only wait for one another on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _weights(folder):
    network = tiny_network("ahdrnet")
    return write_weights(folder / "w.safetensors", network, "ahdrnet", Conventions())


def _request(dataset, folder, **more):
    return Request(data=dataset, results=folder, device="cpu", quiet=True, **more)


def test_rows_stand_beside_the_printed_ones(dataset_folder, tmp_path):
    request = _request(dataset_folder, tmp_path, weights={"ahdrnet": _weights(tmp_path)})
    outcome = reproduce("table6", request)
    assert [row.status for row in outcome.rows] == ["measured"] * 4
    small, whole, alone, cached = outcome.rows
    first, second = TABLE_6.rows
    assert small.printed == {"PSNR": first.psnr, "SSIM": first.ssim, "LPIPS": first.lpips}
    assert cached.printed == {"PSNR": second.psnr, "SSIM": second.ssim, "LPIPS": second.lpips}
    assert whole.printed == alone.printed == {"PSNR": None, "SSIM": None, "LPIPS": None}
    # The borders of chunks and the cache's 8 bits both change the picture, the cache hardly.
    figures = [row.measured["PSNR"] for row in (whole, alone, cached)]
    assert len(set(figures)) == 3
    assert figures[2] == pytest.approx(figures[1], abs=0.1)
    # A picture smaller than MR is not enlarged.
    assert small.measured == whole.measured
    runs = {path.name for path in (tmp_path / "table6" / "runs").glob("*/*/*")}
    assert runs == {"paper-paper-256x256", "paper-native"}
    written = json.loads((tmp_path / "table6" / "table6.json").read_text())
    assert [row["method"] for row in written["rows"]] == [row.method for row in outcome.rows]
    assert "weights_sha256" in written["settings"]
    again = reproduce("table6", request)
    assert again.rows == outcome.rows
    assert again.started == outcome.started


def test_without_weights_it_trains_its_own(dataset_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(AHDRNetMethod, "shipped_weights", classmethod(lambda cls: None))
    budget = Budget(
        steps=2, batch=1, crop=32, generated=True,
        options={"features": "4", "growth": "2", "dense_layers": "1"},
    )  # fmt: skip
    request = _request(dataset_folder, tmp_path, budget=budget)
    outcome = reproduce("table6", request)
    assert [row.status for row in outcome.rows] == ["measured"] * 4
    assert "2 steps of 1 crops of 32×32" in outcome.notes[0]
    assert (tmp_path / "table6" / "trained" / "weights.safetensors").is_file()
    with pytest.raises(UsageError, match="steps was '2', is now '3'"):
        reproduce(
            "table6", dataclasses.replace(request, budget=dataclasses.replace(budget, steps=3))
        )


def test_what_it_cannot_use_is_said(dataset_folder, tmp_path):
    with pytest.raises(UsageError, match="table6 is about ahdrnet alone"):
        reproduce("table6", _request(dataset_folder, tmp_path, weights={"ipl": tmp_path}))
    with pytest.raises(UsageError, match="--protocol: table6"):
        reproduce("table6", _request(dataset_folder, tmp_path, protocol="native"))
