"""From a training's weights to a file that is shipped, loaded, measured and described."""

import json

import pytest
import torch
from safetensors import safe_open

from baselines import Bracket, WeightsError
from baselines.ahdrnet.method import AHDRNetMethod
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.ipl.chunked_ahdrnet import ChunkedAHDRNet
from dmef_bench.training import GeneratedScenes, TrainSettings, find_recipe, train
from dmef_bench.training.model_cards import model_cards, write_model_cards
from dmef_bench.training.ship import Scenes, Story, main, ship
from dmef_bench.training.shipped import measure, read_weights, shipped_weights
from dmef_bench.training.shipped.data_words import data_in_words, first_crop, tracks_seen
from dmef_bench.training.shipped.photographs import photographs_of
from dmef_bench.training.tensor_file import tensor_file

CPU = torch.device("cpu")
STORY = Story(hours=0.5, processor="a processor", commit="0123456789abcdef")
TINY = {"features": "4", "growth": "2", "dense_layers": "1"}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Pictures this small only make threads wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What `dmef-bench train` leaves: AHDRNet in its smallest size after three steps."""
    settings = TrainSettings(3, batch=1, options=TINY, validation_scenes=1, validation_side=32)
    output = tmp_path_factory.mktemp("trained")
    return train(
        find_recipe("ahdrnet"), GeneratedScenes(32), settings, output, device=CPU, quiet=True
    ).weights


def _shipped(source, to, story=STORY, half=True):
    return ship(source, to, story, half=half, validation=Scenes(2, 32), check=Scenes(1, 32))


@pytest.fixture(scope="module")
def shipped(trained, tmp_path_factory):
    return _shipped(trained, tmp_path_factory.mktemp("weights") / "ahdrnet.safetensors")


def _with_folder(method, folder):
    """The method as it were if its shipped weights lay in that folder."""
    return type(method.__name__, (method,), {"weights_folder": folder})


def test_what_was_shipped_is_loaded_by_default_and_gives_the_recorded_figures(shipped):
    method = _with_folder(AHDRNetMethod, shipped.path.parent)()
    method.load(None, CPU)
    assert method.weights_sha256 == shipped.sha256
    assert {p.dtype for p in method.network().parameters()} == {torch.float32}
    assert measure(method, 1, 32) == shipped.record.check
    assert measure(method, 2, 32) == shipped.record.validation
    chunked = _with_folder(ChunkedAHDRNet, shipped.path.parent)()
    chunked.load(None, CPU)
    assert chunked.weights_sha256 == shipped.sha256


def test_half_precision_halves_the_tensors_and_hardly_moves_the_picture(trained, shipped, tmp_path):
    whole = _shipped(trained, tmp_path / "whole.safetensors", half=False)
    assert (whole.record.storage, shipped.record.storage) == ("float32", "float16")
    tensors = {name: (whole.content[name], shipped.content[name]) for name in whole.content}
    assert all(one.dtype == torch.float32 for one, _ in tensors.values())
    assert all(torch.equal(one.half(), other) for one, other in tensors.values())
    images = torch.rand(1, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pictures = []
    for weights in (whole, shipped):
        method = AHDRNetMethod()
        method.load(weights.path, CPU)
        pictures.append(method.fuse(Bracket(images, (-1.5, 0.5, 2.5))))
    torch.testing.assert_close(*pictures, atol=2e-3, rtol=0)


def test_the_file_tells_its_whole_story(trained, shipped):
    with safe_open(shipped.path, "pt") as opened:
        metadata = opened.metadata()
    assert metadata["format"] == "dmef-bench-weights/1"
    assert metadata["method"] == "ahdrnet"
    assert json.loads(metadata["config"])["features"] == 4
    assert json.loads(metadata["conventions"])["output"] == "display"
    training = json.loads(metadata["training"])
    assert training["data"] == {"kind": "generated", "crop": 32}
    assert (training["steps"], training["step"], training["seed"]) == (3, 3, 0)
    told = json.loads(metadata["shipped"])
    assert (told["hours"], told["processor"]) == (0.5, "a processor")
    assert told["commit"] == "0123456789abcdef"
    assert told["trained_sha256"] == read_weights(trained).sha256
    assert set(told["validation"]["tracks"]) == {"paper", "camera"}
    network = find_recipe("ahdrnet").build(TINY)
    assert told["parameters"] == sum(p.numel() for p in network.parameters())


def test_shipping_again_keeps_the_story_and_measures_anew(shipped, tmp_path):
    again = _shipped(shipped.path, tmp_path / "again.safetensors", Story(), half=False)
    assert again.record == shipped.record
    corrected = _shipped(shipped.path, tmp_path / "c.safetensors", Story(hours=2.0))
    assert corrected.record.hours == 2.0
    assert corrected.record.commit == shipped.record.commit


def test_only_a_method_s_own_file_counts_as_shipped(shipped, tmp_path):
    here = _with_folder(AHDRNetMethod, shipped.path.parent)
    assert [one.sha256 for one in shipped_weights([here])] == [shipped.sha256]
    assert shipped_weights([_with_folder(AHDRNetMethod, tmp_path)]) == []
    sctnet = tmp_path / "ahdrnet.safetensors"
    sctnet.write_bytes(tensor_file(shipped.content, {**shipped.metadata, "method": "sctnet"}))
    with pytest.raises(IntegrityError, match="weights of 'sctnet', not of 'ahdrnet'"):
        shipped_weights([_with_folder(AHDRNetMethod, tmp_path)])
    with pytest.raises(WeightsError, match="weights of 'sctnet', not of 'ahdrnet'"):
        _with_folder(AHDRNetMethod, tmp_path)().load(None, CPU)


def test_what_cannot_be_shipped_is_refused_in_a_sentence(trained, tmp_path):
    to = tmp_path / "to.safetensors"
    with pytest.raises(UsageError, match="say with --hours"):
        _shipped(trained, to, Story())
    weights = read_weights(trained)
    bare = tmp_path / "bare.safetensors"
    bare.write_bytes(tensor_file(weights.content, {"method": "ahdrnet"}))
    with pytest.raises(UsageError, match="its metadata lack training"):
        _shipped(bare, to)
    name = next(iter(weights.content))
    large = tmp_path / "large.safetensors"
    content = {**weights.content, name: weights.content[name] + 1e6}
    large.write_bytes(tensor_file(content, weights.metadata))
    with pytest.raises(UsageError, match=f"{name} does not fit in 16 bits"):
        _shipped(large, to)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(tensor_file(weights.content, {**weights.metadata, "shipped": "{}"}))
    with pytest.raises(IntegrityError, match="its metadata can't be used"):
        read_weights(damaged)
    assert not to.exists()


def test_licences_of_photographs_come_from_a_table(tmp_path):
    data = {"kind": "mixture", "sources": [{"kind": "generated"}, {"sha256": ["a", "b", "c"]}]}
    table = tmp_path / "photographs.csv"
    table.write_text("sha256,licence\na,CC0\nb,MIT\nc,CC0\nd,CC-BY\n")
    found = photographs_of({"kind": "both tracks", "tracks": [data, data]}, table)
    assert (found.count, found.licences) == (3, {"CC0": 2, "MIT": 1})
    assert photographs_of({"kind": "generated"}, None) is None
    with pytest.raises(UsageError, match="give --photographs CSV"):
        photographs_of(data, None)
    table.write_text("sha256,licence\na,CC0\nb,MIT\n")
    with pytest.raises(UsageError, match=r"no licence for 1 of the 3 photographs.*SHA-256 c"):
        photographs_of(data, table)
    table.write_text("sha256,licence\na,\n")
    with pytest.raises(UsageError, match="each with a sha256 and a licence"):
        photographs_of(data, table)


def test_a_model_card_is_written_from_the_file_alone(shipped, tmp_path):
    pages = model_cards([shipped])
    assert set(pages) == {"README.md", "ahdrnet.md"}
    card = pages["ahdrnet.md"]
    for text in (
        shipped.sha256, "features 4", "generated moving scenes", "| steps | 3 |",
        "| crops | 32×32 |", "0.5 hours on a processor", "not the authors' weights",
        "arXiv 1904.10293", "float16",
        f"{shipped.record.validation.tracks['camera'].psnr:.2f} dB", "paper track alone",
    ):  # fmt: skip
        assert text in card
    assert shipped.sha256 in pages["README.md"]
    (tmp_path / "gone.md").write_text("of weights that are no longer shipped")
    (tmp_path / "photographs.csv").write_text("kept")
    write_model_cards(tmp_path, [shipped])
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {"README.md", "ahdrnet.md", "photographs.csv"}


def test_the_command_ships_and_names_what_is_wrong(trained, tmp_path, capsys):
    to = tmp_path / "to.safetensors"
    arguments = [str(trained), "--to", str(to), "--scenes", "1", "--side", "32"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {trained}: say with --hours")
    main([*arguments, "--half", "--hours", "1", "--commit", "0123456"])
    said = capsys.readouterr().out
    assert read_weights(to).sha256 in said
    assert "camera: " in said


def test_every_kind_of_data_has_words():
    generated = {"kind": "generated", "crop": 96}
    photographs = {"kind": "photographs", "crop": 96, "sha256": ["a", "b"]}
    mixture = {"kind": "mixture", "sources": [generated, photographs]}
    both = {"kind": "both tracks", "tracks": [mixture, mixture]}
    said = "equal shares of generated moving scenes and 2 photographs set in motion"
    assert data_in_words(mixture) == said
    assert data_in_words(both).startswith(f"{said}; half of all on the paper track")
    assert tracks_seen(both) == ["paper", "camera"]
    assert tracks_seen(mixture) == ["paper"]
    parts = {"kind": "mixture", "parts": [generated, {**generated, "track": "camera"}]}
    assert data_in_words(parts).endswith("scenes and generated moving scenes on the camera track")
    assert tracks_seen(parts) == ["paper", "camera"]
    assert first_crop(both) == 96
    device = {"kind": "on device", "crop": 64, "scenes": 9, "sha256": ["a"], "track": "both"}
    assert data_in_words(device) == (
        "9 generated moving scenes and 1 photograph set in motion on both tracks"
    )
    assert tracks_seen(device) == ["paper", "camera"]
    context = {"kind": "in context", "crop": 64, "whole": both}
    assert data_in_words(context).endswith("each crop beside a small copy of the picture around it")
    assert (tracks_seen(context), first_crop(context)) == (["paper", "camera"], 64)
    drawn = {"kind": "drawn", "count": 7, "source": generated}
    few = {"kind": "few-shot", "labelled": 5, "source": drawn}
    assert data_in_words(few) == (
        "7 samples of generated moving scenes, 5 scenes of them with a ground truth"
    )
    camera = {"kind": "dataset", "digest": "0123456789", "track": "camera"}
    assert data_in_words(camera).endswith("dataset (digest 01234567) on the camera track")
    assert (tracks_seen(camera), first_crop(camera)) == (["camera"], None)
