import cv2
import numpy as np
import pytest
import torch

from dmef_bench.errors import UsageError
from dmef_bench.training import TrainSettings, find_recipe, train
from dmef_bench.training.context import InContextOnDevice
from dmef_bench.training.on_device import (
    BothExposures,
    CameraExposures,
    PaperExposures,
    PicturePool,
    ScenesOnDevice,
    scenes_on_device,
)
from dmef_bench.training.on_device.draw import draw_motion
from dmef_bench.training.on_device.pictures import scene_frames
from dmef_bench.training.on_device.render import render
from synth.camera_response import camera_response
from synth.camera_track import CameraOptions, camera_bracket, draw_camera
from synth.camera_track.expose import transitions
from synth.exposure import DEFAULT_EVS, synthesise_bracket

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Pictures this small are not worth more, least of all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def smooth_picture(seed, height=150, width=210):
    rough = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def pool():
    scene = np.stack([smooth_picture(seed, 160, 160) for seed in (5, 6, 7)])
    return PicturePool([scene, smooth_picture(0)[None], smooth_picture(1, 140, 131)[None]], CPU)


@pytest.fixture(scope="module")
def frames(pool):
    """Of a batch of four, as the CPU's functions take them too."""
    motion = draw_motion(pool.sizes, KINDS, 0, 4, 48, torch.Generator().manual_seed(3))
    return render(pool, motion, 48)


KINDS = [(range(1), True), (range(1, 3), False)]


@pytest.fixture(scope="module")
def exposures():
    paper = PaperExposures(CPU)
    both = BothExposures(paper, CameraExposures.drawn(0, CPU, jitter=0.0))
    return {"paper": paper, "camera": CameraExposures.drawn(0, CPU), "both": both}


@pytest.mark.parametrize("track", ["paper", "camera", "both"])
def test_a_batch_depends_on_seed_and_step_only(pool, exposures, track):
    one, other = (ScenesOnDevice(pool, 1, 40, exposures[track], {}) for _ in range(2))
    forward = [one.batch(7, step, 3) for step in (0, 1, 2)]
    for step in (2, 0):
        again = other.batch(7, step, 3)
        assert torch.equal(again.images, forward[step].images)
        assert torch.equal(again.target, forward[step].target)
        assert again.evs == forward[step].evs
    pictures = [*(batch.target for batch in forward), one.batch(8, 0, 3).target]
    assert len({picture.numpy().tobytes() for batch in pictures for picture in batch}) == 12
    assert forward[0].images.shape == (3, 3, 3, 40, 40) and forward[0].target.shape == (
        3,
        3,
        40,
        40,
    )
    assert forward[0].images.dtype == forward[0].target.dtype == torch.uint8
    assert one.track == track and one.description().get("track", "paper") in (track, "paper")


def test_paper_exposures_are_those_of_synth(frames):
    images, evs = PaperExposures(CPU).expose(frames, 0, None, None)
    assert evs == DEFAULT_EVS
    for batch, sample in zip(images, frames, strict=True):
        expected = synthesise_bracket(as_pictures(sample), evs, camera_response("sigmoid"))
        np.testing.assert_array_equal(as_pictures(batch), np.stack(expected))


def test_camera_exposures_without_noise_are_those_of_synth(frames):
    options = CameraOptions(shot_noise=None, ev_jitter=0.0)
    drawn = (draw_camera(options, key) for key in range(30))
    families = {camera.response.name: camera for camera in drawn}
    assert len(families) == 4
    for camera in families.values():
        exposures = CameraExposures([[camera]], CPU)
        images, evs = exposures.expose(frames[:2], 0, torch.Generator(), torch.Generator())
        assert evs == camera.evs
        for batch, sample in zip(images, frames, strict=False):
            expected = np.stack(camera_bracket(as_pictures(sample), camera)).astype(int)
            assert np.abs(as_pictures(batch) - expected).max() <= 1


def test_noise_has_the_distribution_that_synth_computes():
    camera = draw_camera(CameraOptions(ev_jitter=0.0), 5)
    value, count = 90, 60_000
    flat = torch.full((1, 3, 3, 100, 200), value, dtype=torch.uint8)
    exposures = CameraExposures([[camera]], CPU)
    noise = torch.Generator().manual_seed(0)
    images, _ = exposures.expose(flat, 0, torch.Generator().manual_seed(0), noise)
    spread = []
    for place in range(3):
        at_most = transitions(camera.response, camera.evs[place], camera.noise[place])[value]
        found = np.bincount(images[0, place].numpy().ravel(), minlength=256).cumsum() / count
        # Kolmogorov's test at one in a million.
        assert np.abs(found - at_most).max() < 2.7 / np.sqrt(count)
        spread.append(((at_most > 0.01) & (at_most < 0.99)).sum())
    assert sorted(spread)[1] > 3


def test_exposure_values_vary_from_step_to_step(frames, exposures):
    draws, noise = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    results = [exposures["camera"].expose(frames, 0, draws, noise) for _ in range(4)]
    assert len({evs for _, evs in results}) > 1
    for _, evs in results:
        assert np.abs(np.subtract(evs, DEFAULT_EVS)).max() <= 0.3
    assert len({images.numpy().tobytes() for images, _ in results}) == 4


def test_both_tracks_serve_two_samples_in_a_row(frames, exposures):
    paper, both = exposures["paper"], exposures["both"]
    generators = [torch.Generator().manual_seed(number) for number in range(2)]
    images, evs = both.expose(frames, 1, *generators)
    on_paper, _ = paper.expose(frames, 1, *generators)
    same = [torch.equal(one, other) for one, other in zip(images, on_paper, strict=True)]
    assert same == [True, False, False, True] and evs == DEFAULT_EVS


@pytest.mark.parametrize("shrink", [1.0, 1.4, 2.0, 3.0, 5.5])
def test_a_shrunk_picture_is_what_its_areas_are_on_average(shrink):
    picture = np.random.default_rng(2).integers(0, 256, (176, 176, 3), dtype=np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    pool, side = PicturePool([picture[None]], CPU), 24
    corner = 8.0
    edge = corner + (torch.arange(side) + 0.5) * shrink
    down, right = torch.meshgrid(edge, edge, indexing="ij")
    layer = pool.layer(torch.tensor([0]), torch.tensor([0]), torch.tensor([shrink]).double())
    seen = pool.sample(layer.over(2), right[None], down[None])[0].numpy()
    extent = round(side * shrink)
    cut = picture[8 : 8 + extent, 8 : 8 + extent].astype(np.float32)
    expected = cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA)
    tolerance = 0.5 if shrink in (1.0, 2.0) else 5
    assert np.abs(seen - expected).mean() < tolerance
    sparse = cut[:: max(int(shrink), 1), :: max(int(shrink), 1)][:side, :side]
    if shrink >= 3:
        assert np.abs(sparse - expected).mean() > 3 * np.abs(seen - expected).mean()


def test_a_view_at_rest_shows_the_picture_itself():
    picture = smooth_picture(4, 60, 60)
    pool = PicturePool([picture[None]], CPU)
    motion = draw_motion(pool.sizes, [(range(1), False)], 0, 16, 32, torch.Generator())
    whole = torch.full((16,), 1.0, dtype=torch.float64)
    motion.camera[:] = torch.eye(2)
    motion.origin[:] = 30
    motion.shrink[:] = whole
    motion.things.side[:] = 0
    motion.tones[:] = torch.arange(256)
    seen = render(pool, motion, 32)
    cut = torch.from_numpy(picture[14:46, 14:46]).movedim(-1, 0)
    oriented = {
        flipped.rot90(turns, (1, 2)).numpy().tobytes()
        for turns in range(4)
        for flipped in (cut, cut.flip(2))
    }
    shown = {sample[time].numpy().tobytes() for sample in seen for time in range(3)}
    assert shown <= oriented and len(shown) > 3


def test_things_move_in_front_of_a_resting_view(pool, frames):
    assert (frames[:, 0] != frames[:, 1]).flatten(1).any(1).all()
    assert (frames[:, 2] != frames[:, 1]).flatten(1).any(1).all()
    halves = np.full((1, 200, 400, 3), 200, np.uint8)
    halves[:, :, 200:] = 0
    pool = PicturePool([halves], CPU)
    motion = draw_motion(pool.sizes, [(range(1), False)], 0, 24, 48, torch.Generator())
    motion.camera[:] = torch.eye(2)
    motion.origin[:] = 100
    motion.things.texture[:] = torch.tensor([300, 100])
    motion.things.shrink[:] = 1
    motion.tones[:] = torch.arange(256)
    seen = render(pool, motion, 48)[:, :, 0]
    there = (motion.things.side > 0).any(1)
    assert there.any() and not there.all()
    assert ((seen[:, 1] < 20).flatten(1).any(1) == there).all()
    assert ((seen[:, 0] != seen[:, 1]).flatten(1).any(1) == there).all()
    assert ((seen > 20) & (seen < 180)).any(), "edges are soft"


def test_a_scene_on_the_device_moves_and_a_photograph_keeps_its_colours(pool):
    scene = scene_frames(0, 3, 32)
    assert scene.shape == (3, 768, 768, 3) and (scene[0] != scene[1]).any()
    np.testing.assert_array_equal(scene, scene_frames(0, 3, 32))
    motion = draw_motion(pool.sizes, KINDS, 0, 40, 48, torch.Generator().manual_seed(0))
    generated = motion.picture == 0
    assert generated.tolist() == [True, False] * 20
    assert (motion.channels[~generated] == torch.arange(3)).all()
    assert len({tuple(order) for order in motion.channels[generated].tolist()}) > 3


def test_a_training_is_resumed_exactly(pool, exposures, tmp_path):
    source = InContextOnDevice(ScenesOnDevice(pool, 1, 64, exposures["camera"], {}), 32)
    small = {"channels": "8", "blocks": "1", "channel_block": "4", "drtm_size": "6"}
    settings = TrainSettings(
        steps=3, batch=2, options=small, validation_scenes=1, validation_side=32
    )

    def run(folder, **limits):
        return train(find_recipe("ipl"), source, settings, folder, device=CPU, quiet=True, **limits)

    assert run(tmp_path / "whole").finished
    while not run(tmp_path / "short", minutes=1e-9).finished:
        pass
    for name in ("weights.safetensors", "log.csv"):
        assert (tmp_path / "short" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_pictures_come_in_the_same_order_with_any_number_of_workers(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), smooth_picture(number))
    alone, shared = (
        scenes_on_device(tmp_path, 48, "paper", CPU, scenes=0, seed=0, workers=workers, quiet=True)
        for workers in (0, 2)
    )
    assert torch.equal(alone.batch(0, 0, 4).images, shared.batch(0, 0, 4).images)
    assert alone.description() == shared.description() and len(alone.description()["sha256"]) == 3


def test_nothing_to_show_is_refused():
    with pytest.raises(UsageError, match="nothing to train on"):
        scenes_on_device(None, 48, "paper", CPU, scenes=0, seed=0)
    with pytest.raises(ValueError, match="at least one"):
        PicturePool([], CPU)
    with pytest.raises(ValueError, match=r"got \(2, 8, 8, 3\)"):
        PicturePool([np.zeros((2, 8, 8, 3), np.uint8)], CPU)


def as_pictures(sample):
    return np.ascontiguousarray(sample.movedim(1, -1).numpy())
