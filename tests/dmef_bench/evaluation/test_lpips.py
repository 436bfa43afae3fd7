import importlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from dmef_bench.errors import UsageError
from dmef_bench.evaluation import Lpips, LpipsUnavailableError, lpips_backbones, make_scorer

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """Random squeezenet features as a file; loading them exactly is what is tested."""
    file = tmp_path_factory.mktemp("backbone") / "features.pth"
    with pytest.raises(LpipsUnavailableError, match="no pretrained"):
        Lpips("squeeze", None, CPU)
    models = _torchvision_models(file)
    torch.manual_seed(7)
    torch.save(models.squeezenet1_1(weights=None).features.state_dict(), file)
    return file


def _torchvision_models(anywhere: Path):
    """torchvision.models, importable after the package has seen to it."""
    anywhere.write_bytes(b"")
    with pytest.raises(UsageError):
        Lpips("squeeze", anywhere, CPU)
    junk = anywhere.with_name("junk.pth")
    torch.save({"0.weight": torch.zeros(1)}, junk)
    with pytest.raises(UsageError, match="not the backbone of LPIPS-squeeze"):
        Lpips("squeeze", junk, CPU)
    return importlib.import_module("torchvision.models")


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


def _pictures():
    noise = np.random.default_rng(0)
    target = noise.integers(0, 256, (64, 80, 3), dtype=np.uint8)
    return np.roll(target, 2, axis=0), target


@pytest.mark.filterwarnings("ignore:The parameter 'pretrained'", "ignore:Arguments other than")
def test_the_backbone_is_the_one_in_the_file(backbone):
    import lpips

    prediction, target = _pictures()
    torch.manual_seed(7)  # the same random features once more
    features = importlib.import_module("torchvision.models").squeezenet1_1(weights=None).features
    theirs = lpips.LPIPS(net="squeeze", pnet_rand=True, verbose=False)
    with torch.no_grad():
        for (_, ours), value in zip(
            theirs.net.named_parameters(), features.state_dict().values(), strict=True
        ):
            ours.copy_(value)
    one, other = (
        torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1
        for picture in (prediction, target)
    )
    with torch.no_grad():
        expected = float(theirs(one, other))
    assert expected > 0.01
    assert Lpips("squeeze", backbone, CPU)(prediction, target) == pytest.approx(expected, abs=1e-7)


def test_a_whole_model_and_its_features_are_the_same_backbone(backbone, tmp_path):
    whole = {f"features.{key}": value for key, value in torch.load(backbone).items()}
    whole["classifier.1.weight"] = torch.zeros(3)
    torch.save(whole, tmp_path / "whole.pth")
    prediction, target = _pictures()
    one, other = Lpips("squeeze", backbone, CPU), Lpips("squeeze", tmp_path / "whole.pth", CPU)
    assert one.definition == other.definition
    assert one(prediction, target) == other(prediction, target)


def test_other_values_are_another_definition(backbone, tmp_path):
    state = torch.load(backbone)
    state["0.bias"] += 1
    torch.save(state, tmp_path / "other.pth")
    one, other = Lpips("squeeze", backbone, CPU), Lpips("squeeze", tmp_path / "other.pth", CPU)
    assert one.definition != other.definition


def test_global_random_numbers_are_left_alone(backbone):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    Lpips("squeeze", backbone, CPU)
    assert torch.rand(1) == expected


def test_the_backbone_of_another_network_is_refused(backbone):
    with pytest.raises(UsageError, match=r"features\.pth: not the backbone of LPIPS-alex"):
        Lpips("alex", backbone, CPU)


class _Evil:
    def __reduce__(self):
        return Path.touch, (Path("touched-by-a-pickle"),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a state dict", "not a state dict of plain tensors"),
        (pickle.dumps(_Evil()), "not a state dict of plain tensors"),
        (None, "no such LPIPS backbone file"),
    ],
    ids=["text", "pickle", "absent"],
)
def test_other_files_are_refused(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("weights.pth").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        Lpips("alex", Path("weights.pth"), CPU)
    assert not Path("touched-by-a-pickle").exists()


def test_a_state_dict_without_features_is_refused(tmp_path):
    torch.save({"classifier.weight": torch.zeros(3)}, tmp_path / "weights.pth")
    with pytest.raises(UsageError, match="holds no features"):
        Lpips("alex", tmp_path / "weights.pth", CPU)


def test_without_a_backbone_it_is_not_available_with_the_reason(empty_cache):
    assert lpips_backbones() == ([], ["alex", "vgg", "squeeze"])
    scorer = make_scorer(CPU)
    assert "alexnet-owt-7be5be79.pth is not in torch hub's cache" in scorer.lpips_unavailable
    assert scorer.definitions.lpips is None
    prediction, target = _pictures()
    assert scorer(prediction, target).lpips is None
    assert make_scorer(CPU, lpips=False).lpips_unavailable == "left out with --no-lpips"


def test_a_damaged_file_in_the_cache_is_not_used(empty_cache):
    empty_cache.mkdir(parents=True)
    (empty_cache / "alexnet-owt-7be5be79.pth").write_bytes(b"half a download")
    assert lpips_backbones()[0] == ["alex"]
    with pytest.raises(LpipsUnavailableError, match="damaged"):
        Lpips("alex", None, CPU)


def test_pictures_too_small_to_score_are_refused(backbone):
    scorer = make_scorer(CPU, "squeeze", backbone)
    tiny = np.zeros((31, 64, 3), np.uint8)
    with pytest.raises(UsageError, match="64×31 pixels are too few"):
        scorer(tiny, tiny)
