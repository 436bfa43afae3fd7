import json

import pytest

from dmef_bench.dataset.croissant import parse
from dmef_bench.errors import IntegrityError


@pytest.fixture
def content(three):
    return (three / "croissant.json").read_bytes()


def test_it_is_croissant_1_0(content, three):
    document = json.loads(content)
    assert document["@type"] == "sc:Dataset"
    assert document["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert document["@context"]["@vocab"] == "https://schema.org/"
    for needed in ("name", "description", "license", "version"):
        assert document[needed]
    for entry in document["distribution"]:
        assert entry["@type"] == "cr:FileObject"
        assert {"@id", "name", "contentUrl", "encodingFormat", "sha256"} <= set(entry)
    objects = {entry["@id"] for entry in document["distribution"]}
    assert len(objects) == len(document["distribution"])
    for records in document["recordSet"]:
        assert records["@type"] == "cr:RecordSet"
        line = json.loads((three / records["@id"] / "metadata.jsonl").open().readline())
        for field in records["field"]:
            assert field["source"]["fileObject"]["@id"] in objects
            assert field["source"]["extract"]["column"] in line


def test_it_lists_every_other_file(content, three):
    files = parse(content)
    there = {
        str(path.relative_to(three)): path.stat().st_size
        for path in three.rglob("*")
        if path.is_file()
    }
    del there["croissant.json"]
    assert {name: facts.size for name, facts in files.items()} == there


def test_other_bytes_are_refused(content):
    with pytest.raises(IntegrityError, match="do not fit its identifier"):
        parse(content.replace(b"4K-DMEF", b"5K-DMEF", 1))
    with pytest.raises(IntegrityError, match="do not fit its identifier"):
        parse(content + b"\n")
    with pytest.raises(IntegrityError, match="identifier is not there"):
        parse(b"{}")
    with pytest.raises(IntegrityError, match=r"croissant\.json"):
        parse(content[:-10])
