"""Things that move by themselves: sprites with soft edges and shadows, drawn once."""

from collections.abc import Callable

import numpy as np

from synth.moving_scenes import outlines
from synth.moving_scenes.layout import Layout
from synth.moving_scenes.materials import Palette
from synth.moving_scenes.motion import ObjectPath
from synth.moving_scenes.outlines import Outline
from synth.moving_scenes.sprites import Bench, Sprite
from synth.moving_scenes.stamps import TUFTS


def draw_object(
    rng: np.random.Generator,
    palette: Palette,
    layout: Layout,
    span: tuple[float, float],
    unit: float,
    motion: float,
) -> Sprite:
    """A thing of a random kind on a random path.

    Args:
        rng: source of chance.
        palette: colours of the scene.
        layout: plan of the scene: what stands on the ground starts below its horizon.
        span: width and height of the canvas in pixels.
        unit: height in pixels of the whole scene.
        motion: factor on all speeds.
    """
    radius = float(min(rng.uniform(0.05, 0.15) * unit, 0.28 * min(span)))
    speed = unit * motion * float(np.exp(rng.uniform(np.log(0.07), np.log(0.32))))
    draw = (_vehicle, _vehicle, _walker, _walker, _ball, _bundle)[int(rng.integers(6))]
    bench = Bench(rng, palette, min(1.25 * layout.lit, 255), radius)
    draw(bench, rng)
    turns = draw in (_ball, _bundle)
    heading = float(rng.choice([0, np.pi]) + rng.normal(0, 0.35 if turns else 0.12))
    highest = 0.15 if turns else max(layout.horizon, 0.15)
    place = np.array([rng.uniform(0.15, 0.85), rng.uniform(highest, 0.85)]) * span
    path = ObjectPath(
        start=(float(place[0]), float(place[1])),
        velocity=(speed * float(np.cos(heading)), speed * float(np.sin(heading))),
        span=span,
        reach=1.5 * radius,
        angle=float(rng.normal(0, 0.06)),
        spin=motion * float(rng.uniform(-2.5, 2.5)) if turns else 0.0,
        sway=0.07 if draw is _walker else 0.015,
        bob=0.06 * radius if draw is _walker else 0.0,
        step_rate=motion * float(rng.uniform(4, 8)),
    )
    return Sprite(bench.planes(mirrored=np.cos(heading) < 0), path)


def _vehicle(bench: Bench, rng: np.random.Generator) -> None:
    """A car or van that heads to the right."""
    paintwork = bench.material("plaster", "grain")
    glass = bench.material("smooth")
    tyre = bench.material("grain")
    tall = float(rng.uniform(0.2, 0.36))
    cabin = float(rng.uniform(0.45, 0.8))
    bench.add(-0.12, -tall, cabin, outlines.rounded_rectangle(0.55, 0.5, 0), paintwork)
    for x in (-0.5, 0.3):
        window = outlines.rounded_rectangle(0.75, 0.3, 0)
        bench.add(-0.12 + x * cabin, -1.25 * tall, 0.3 * cabin, window, glass, level=0.5)
    body = outlines.rounded_rectangle(tall, 0.5, 0)
    bench.add(0, 0.12, 1.0, body, paintwork, level=float(rng.uniform(0.8, 1.3)))
    for x in (-0.58, 0.58):
        bench.add(x, 0.12 + tall, 0.2, outlines.ellipse(1, 0), tyre, level=0.35)
        bench.add(x, 0.12 + tall, 0.1, outlines.ellipse(1, 0), paintwork, ball=True)
    bench.add_lamp(0.93, 0.1, 0.045)


def _walker(bench: Bench, rng: np.random.Generator) -> None:
    """Someone on two legs."""
    trousers, skin = bench.material("cloth", "grain"), bench.material("smooth", "plaster")
    jacket = bench.material("cloth", "leaves", "smooth", "marble")
    stride = float(rng.uniform(0.12, 0.35))
    for side in (-1, 1):
        leg = outlines.rounded_rectangle(0.22, 0.9, np.pi / 2 - side * stride)
        bench.add(side * stride * 0.45, 0.6, 0.46, leg, trousers, level=0.9 + 0.15 * side)
    torso = outlines.rounded_rectangle(0.5, 0.8, np.pi / 2)
    bench.add(0, -0.12, 0.46, torso, jacket)
    for side in (-1, 1):
        arm = outlines.rounded_rectangle(0.22, 0.9, np.pi / 2 - side * stride)
        bench.add(side * 0.26, -0.1, 0.36, arm, jacket, level=1.1)
    bench.add(0, -0.74, 0.2, outlines.ellipse(0.85, np.pi / 2), skin, ball=True, level=1.2)


def _ball(bench: Bench, rng: np.random.Generator) -> None:
    """A ball or wheel with coloured sectors."""
    base, other = bench.material("smooth", "cloth", "wood"), bench.material("marble", "bricks")
    bench.add(0, 0, 0.9, outlines.ellipse(1, 0), base, ball=True)
    sectors = int(rng.integers(3, 7))
    for turn in np.arange(sectors) * 2 * np.pi / sectors:
        wedge = outlines.rounded_rectangle(0.35, 0.6, turn)
        bench.add(0.5 * np.cos(turn), 0.5 * np.sin(turn), 0.3, wedge, other, level=0.9)
    bench.add(0, 0, 0.16, outlines.ellipse(1, 0), base, ball=True, level=1.4)


def _bundle(bench: Bench, rng: np.random.Generator) -> None:
    """A heap of leaves of all shapes that stick together."""
    bench.add(0, 0, 0.95, int(rng.integers(TUFTS)), bench.material("foliage", "grain", "leaves"))
    for _ in range(int(rng.integers(8, 16))):
        x, y = rng.normal(0, 0.25, 2)
        size = float(rng.uniform(0.08, 0.4))
        choices: tuple[Callable[[], Outline], ...] = (
            lambda: outlines.blob(rng),
            lambda: outlines.polygon(rng),
            lambda: outlines.ellipse(float(rng.uniform(0.4, 1)), float(rng.uniform(0, np.pi))),
        )
        shape = choices[int(rng.integers(3))]()
        bench.add(float(x), float(y), size, shape, bench.material(*_HEAP), ball=size > 0.2)


_HEAP = ("wood", "leaves", "pebbles", "marble", "smooth", "cloth")
