"""What every published layout keeps; inherit `LayoutContract` to hold a new one to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.index import read_attributes
from benforge.archive.layout import scene_path
from benforge.core.progress import silent
from benforge.errors import InputError
from benforge.layouts.port import ExportOptions, Importer, ImportOptions, Layout
from benforge.layouts.registry import LAYOUTS, detect_layout


class LayoutContract(ABC):
    """Import and export of one layout are inverse, repeatable, and told from other folders.

    A subclass gives the fixtures `layout` and `source`.
    """

    @abstractmethod
    @pytest.fixture
    def layout(self) -> Layout:
        """The layout under test."""

    @abstractmethod
    @pytest.fixture
    def source(self) -> Path:
        """A folder in this layout, with a few patches; it is only read."""

    @pytest.fixture
    def archive(self, layout: Layout, source: Path, tmp_path: Path) -> Archive:
        """The folder, imported."""
        _importer(layout)(source, tmp_path / "archive", ImportOptions(), silent)
        return Archive.open(tmp_path / "archive")

    def test_is_registered_by_its_name(self, layout: Layout) -> None:
        """The dict of layouts is the only place that knows it."""
        assert LAYOUTS[layout.name] is layout

    def test_is_detected(self, layout: Layout, source: Path) -> None:
        """A folder in the layout is told by itself."""
        assert detect_layout(source) is layout

    def test_an_empty_folder_is_not_detected(self, layout: Layout, tmp_path: Path) -> None:
        """Nor is any folder without patches."""
        assert not layout.detect(tmp_path)
        with pytest.raises(InputError, match="not a published layout"):
            detect_layout(tmp_path)

    def test_export_then_import_is_identity(
        self, layout: Layout, archive: Archive, tmp_path: Path
    ) -> None:
        """Rows, pixels and what is kept beside them come back equal."""
        layout.exporter(archive, tmp_path / "out", ExportOptions(), silent)
        _importer(layout)(tmp_path / "out", tmp_path / "again", ImportOptions(), silent)
        again = Archive.open(tmp_path / "again")
        assert not check_archive(archive.root) + check_archive(again.root)
        assert again.index.equals(archive.index)
        assert again.meta.nomenclature == archive.meta.nomenclature
        for place in archive.places():
            first, second = archive.pixels.read(*place), again.pixels.read(*place)
            assert all(np.array_equal(first[size], second[size]) for size in first)
        for scene in archive.index["scene"].unique().to_pylist():
            kept, same = (
                read_attributes(scene_path(a.root, scene))["provenance"] for a in (archive, again)
            )
            assert kept | {"inputs": None} == same | {"inputs": None}

    def test_export_again_writes_nothing(
        self, layout: Layout, archive: Archive, tmp_path: Path
    ) -> None:
        """An export that was cut off goes on; a whole one is left alone."""
        first = layout.exporter(archive, tmp_path / "out", ExportOptions(), silent)
        second = layout.exporter(archive, tmp_path / "out", ExportOptions(), silent)
        assert (first.new_patches, first.held_patches) == (len(archive), 0)
        assert (second.new_patches, second.held_patches) == (0, len(archive))

    def test_import_again_changes_no_byte(
        self, layout: Layout, source: Path, archive: Archive
    ) -> None:
        """An import is idempotent."""
        before = bytes_of(archive.root)
        again = _importer(layout)(source, archive.root, ImportOptions(), silent)
        assert (again.new_patches, again.patches) == (0, len(archive))
        assert bytes_of(archive.root) == before

    def test_import_elsewhere_gives_the_same_bytes(
        self, layout: Layout, source: Path, archive: Archive, tmp_path: Path
    ) -> None:
        """The same input gives the same archive."""
        _importer(layout)(source, tmp_path / "elsewhere", ImportOptions(), silent)
        assert bytes_of(tmp_path / "elsewhere") == bytes_of(archive.root)


def _importer(layout: Layout) -> Importer:
    assert layout.importer, "a layout that is only written keeps no contract of import"
    return layout.importer


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
