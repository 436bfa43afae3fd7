import base64
import io
import math
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from run_folders import DATASET, MACHINE, PSNRS, write_pictures, write_run

from leaderboard import as_html, build_leaderboard, group_runs, load_runs
from leaderboard.loading import Skipped
from leaderboard.pages.pictures import PictureBudget, scene_pictures

VOID = {"meta", "img", "br", "hr", "link", "input"}
SVG = ("line", "circle")


class Page(HTMLParser):
    """Checks that tags close in order and collects what the tests look at."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def shown(self):
        return " ".join(" ".join(self.text).split())


def page_of(folder, **options):
    boards = [build_leaderboard(group) for group in group_runs(load_runs(folder))]
    return Page(as_html(boards, **options))


def two_runs(folder):
    for seed, name in enumerate(("gdc", "mertens")):
        run = write_run(folder, name, [psnr + seed for psnr in PSNRS])
        write_pictures(run, seed=seed)


def test_the_page_needs_nothing_from_outside(tmp_path):
    two_runs(tmp_path)
    page = page_of(tmp_path)
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "base", "form")
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/"))
    policy = [a["content"] for a in page.all("meta") if "http-equiv" in a]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_inner_links_lead_somewhere_and_ids_are_unique(tmp_path):
    two_runs(tmp_path)
    write_run(tmp_path, "gdc", dataset=DATASET.model_copy(update={"digest": "ab" * 32}))
    page = page_of(tmp_path)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {a["href"].lstrip("#") for a in page.all("a")} <= set(ids)
    assert [one for one in ids if one.startswith("board")] == ["board-1", "board-2"]


def test_foreign_words_are_text(tmp_path):
    evil = '<script>alert(1)</script>"><img src=x onerror=1>'
    write_run(
        tmp_path, "gdc", (*PSNRS[:4], None), command=evil, software={evil: evil},
        method={"title": evil, "paper": evil, "licence": evil},
        machine=MACHINE.model_copy(update={"system": evil}),
    )  # fmt: skip
    page = page_of(tmp_path, title=evil, skipped=[Skipped(tmp_path, evil)])
    assert page.all("script") == []
    assert page.all("img") == []
    assert evil in page.shown


def test_the_figures_are_on_the_page(tmp_path):
    two_runs(tmp_path)
    write_run(tmp_path, "ipl", PSNRS[:2], outcome="running")
    write_run(tmp_path, "ahdrnet", (), outcome="out-of-memory")
    shown = page_of(tmp_path).shown
    for text in ("32.15 ± 2.08", "paper 16.84", "incomplete", "out of memory", "not measured",
                 "GDC, native", "Difference to MERTENS, native", "−1.00 [−1.00, −1.00]",
                 "Table 7: How IPL's cache is compressed", "22.7"):  # fmt: skip
        assert text in shown


def test_pictures_of_a_scene_are_in_the_page_once(tmp_path):
    two_runs(tmp_path)
    images = page_of(tmp_path).all("img")
    # 4 of the bracket, 2 × 2 of the crops, and 2 + 2 of each of the two rows
    assert len(images) == 4 + 4 + 2 * 4
    assert len({image["src"] for image in images}) == len(images)
    for image in images:
        kind, _, data = image["src"].partition(";base64,")
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert f"data:{picture.get_format_mimetype()}" == kind
            assert (int(image["width"]), int(image["height"])) == picture.size
        assert image["alt"]


def test_a_page_without_pictures_or_plots(tmp_path):
    write_run(tmp_path, "gdc", (math.inf,) * 5)
    page = page_of(tmp_path)
    assert page.all("img") == []
    assert page.all("svg") == []
    assert "∞" in page.shown


def test_plots_hold_every_measured_row_with_finite_figures(tmp_path):
    two_runs(tmp_path)
    write_run(tmp_path, "copy-reference", [psnr - 4 for psnr in PSNRS], kind="bound")
    write_run(tmp_path, "ipl", [20.0, 21.0], outcome="running")
    write_run(tmp_path, "invert-response", (math.inf,) * 5, kind="bound")
    board = build_leaderboard(load_runs(tmp_path))
    page = Page(as_html([board]))
    assert len(page.all("svg")) == 2
    # differences to the base: three finite ones; one of the legend of quality against speed
    assert len(page.all("circle")) == 3 + 1
    diamonds = [a for a in page.all("path") if "diamond" in a["class"]]
    assert len(diamonds) == 4 + 1
    assert "∞ →" in page.shown
    for tag in SVG:
        for attributes in page.all(tag):
            figures = [float(attributes[k]) for k in ("x1", "x2", "cx") if k in attributes]
            assert all(0 <= figure <= 960 for figure in figures)


def test_the_budget_leaves_out_whole_comparisons_and_says_so(tmp_path):
    two_runs(tmp_path)
    board = build_leaderboard(load_runs(tmp_path))
    whole = PictureBudget()
    scene_pictures(board, whole)
    spent = PictureBudget().left - whole.left
    tight = PictureBudget(left=spent - 1)
    (scene,) = scene_pictures(board, tight)
    assert [one.row.name for one in scene.rows] == ["mertens", "gdc"]
    assert len(scene.crops) == 1
    assert len(scene.crops[0].results) == 2
    assert tight.left_out == ["crop2 of scene test/0001"]
    assert tight.left >= 0
    nothing = PictureBudget(left=10)
    assert scene_pictures(board, nothing) == []
    assert "GDC, native on scene test/0001" in nothing.left_out


@pytest.mark.parametrize("damage", ["link", "text", "large", "huge header"])
def test_hostile_pictures_are_left_out(tmp_path, damage):
    run = write_run(tmp_path / "results", "gdc")
    path = write_pictures(run) / "result.jpg"
    content = path.read_bytes()
    path.unlink()
    if damage == "link":
        (tmp_path / "secret.jpg").write_bytes(content)
        path.symlink_to(tmp_path / "secret.jpg")
    elif damage == "text":
        path.write_text("<svg onload='alert(1)'/>")
    elif damage == "large":
        path.write_bytes(content + b"\0" * 2_000_000)
    else:
        header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60000).to_bytes(4) * 2 + b"\x08\x02\0\0\0"
        path.write_bytes(header + b"\xd3\x10\x3f\x31")
    (scene,) = scene_pictures(build_leaderboard(load_runs(tmp_path / "results")), PictureBudget())
    assert scene.rows[0].result is None
    assert scene.rows[0].error is not None


def test_a_linked_picture_folder_is_not_entered(tmp_path):
    run = write_run(tmp_path / "results", "gdc")
    other = write_run(tmp_path / "outside", "gdc")
    write_pictures(other)
    (run / "pictures").symlink_to(other / "pictures")
    assert scene_pictures(build_leaderboard(load_runs(tmp_path / "results")), PictureBudget()) == []


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"../crop1": {"x": 1, "y": 1, "what": "a"}}', '{"crop1": {"x": -1}}']
)
def test_crop_places_that_make_no_sense(tmp_path, text):
    run = write_run(tmp_path, "gdc")
    (write_pictures(run) / "crops.json").write_text(text)
    (scene,) = scene_pictures(build_leaderboard(load_runs(tmp_path)), PictureBudget())
    assert scene.crops == ()
    assert scene.rows[0].result is not None


def test_the_old_record_becomes_a_page():
    page = page_of(Path(__file__).parent.parent / "golden" / "run_v1")
    assert "c0ffee00" in page.shown
    assert "∞" in page.shown
    assert "n/a: the backbone's weights could not be read" in page.shown
    assert "A survey, Table 3, SICE: PSNR 18.50 static scenes" in page.shown
