"""The vocabulary files can be built again from the originals."""

import gzip
from importlib.resources import files

import pytest

from langchain_control.encodings.build import build, main


def test_building_gives_the_shipped_files(originals, tmp_path):
    """The shipped files are what `build` makes of the original ones, byte for byte."""
    for path in build(originals, tmp_path):
        assert path.read_bytes() == (files("langchain_control.encodings") / path.name).read_bytes()


def test_compressed_originals_are_read(originals, tmp_path):
    """Originals may be gzipped, as other packages ship them."""
    for path in originals.iterdir():
        (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
    assert [path.name for path in build(tmp_path, tmp_path)] == [
        "cl100k_base.bin",
        "o200k_base.bin",
    ]


def test_other_content_is_refused_before_anything_is_written(originals, tmp_path):
    """An original with the wrong checksum stops the build."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    for path in originals.iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    (source / "o200k_base.tiktoken").write_bytes(b"IQ== 0\n")
    with pytest.raises(ValueError, match="SHA-256"):
        build(source, target)
    assert not list(target.iterdir())


def test_a_folder_is_required(capsys):
    """Without a folder the command says how it is used."""
    with pytest.raises(SystemExit):
        main([])
    assert "langchain_control.encodings.build" in capsys.readouterr().err
