"""What every land-cover source must do: inherit this class to test one of yours."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from benforge.core.fractions import ROUNDING
from benforge.core.grid import Grid
from benforge.errors import GridError, LandCoverError
from benforge.labels.port import GAP, LandCoverSource


class LandCoverSourceContract:
    """Tests of the port `LandCoverSource`; a subclass gives the two fixtures.

    The source must have some land cover in the grid.
    """

    @pytest.fixture
    def source(self) -> LandCoverSource:
        """The source under test."""
        raise LookupError("the subclass gives the fixture `source`")

    @pytest.fixture
    def grid(self) -> Grid:
        """A grid of several patches of 120 pixels, both ways, on the source's ground."""
        raise LookupError("the subclass gives the fixture `grid`")

    def test_provenance_is_json_without_folders(self, source: LandCoverSource) -> None:
        """Provenance names the map and its content, and says nothing of the machine."""
        text = json.dumps(dict(source.provenance))
        assert {"name", "kind", "crs", "sha256"} <= set(source.provenance)
        assert "/" not in str(source.provenance["name"])
        assert len(source.provenance["sha256"]) == 64
        assert json.loads(text) == dict(source.provenance)

    def test_shapes_fit_the_grid(self, source: LandCoverSource, grid: Grid) -> None:
        """One row a patch, one pixel a pixel, one column a code."""
        labels = source.read_labels(grid, 120)
        assert labels.reference_map.shape == grid.shape
        assert labels.reference_map.dtype == np.uint16
        assert len(labels.fractions) == grid.height * grid.width // 120**2
        assert labels.fractions.patch_pixels == 120**2
        assert list(labels.fractions.codes) == sorted(labels.fractions.codes)

    def test_shares_are_shares(self, source: LandCoverSource, grid: Grid) -> None:
        """Shares lie between 0 and 1, sum to at most 1, and there are some."""
        shares = source.read_labels(grid, 120).fractions.shares
        assert shares.dtype == np.float64
        assert (shares >= 0).all()
        assert (shares.sum(axis=1) <= 1 + ROUNDING).all()
        assert shares.any()

    def test_pixels_are_those_of_the_map(self, source: LandCoverSource, grid: Grid) -> None:
        """Counts of pixels are counts of the reference map, patch by patch, row by row."""
        labels = source.read_labels(grid, 120)
        rows, cols = grid.height // 120, grid.width // 120
        blocks = labels.reference_map.reshape(rows, 120, cols, 120).swapaxes(1, 2)
        for patch, block in enumerate(blocks.reshape(-1, 120, 120)):
            expected = [(block == code).sum() for code in labels.fractions.codes]
            assert labels.fractions.pixels[patch].tolist() == expected
        assert set(np.unique(labels.reference_map)) <= {*labels.fractions.codes, GAP}

    def test_pixels_agree_with_shares(self, source: LandCoverSource, grid: Grid) -> None:
        """Pixel centres sample the shares: over the whole grid both are near each other."""
        fractions = source.read_labels(grid, 120).fractions
        sampled = fractions.pixels.sum(axis=0) / fractions.patch_pixels
        assert np.allclose(sampled, fractions.shares.sum(axis=0), atol=0.02 * len(fractions))

    def test_part_equals_whole(self, source: LandCoverSource, grid: Grid) -> None:
        """A patch has the same land cover, whatever grid it is asked for with."""
        whole = source.read_labels(grid, 120)
        patch = int(whole.fractions.shares.sum(axis=1).argmax())
        row, col = (120 * n for n in divmod(patch, grid.width // 120))
        part = source.read_labels(grid.crop(row, col, 120, 120), 120)
        assert np.allclose(part.fractions.shares[0], whole.fractions.shares[patch], atol=1e-9)
        cut = whole.reference_map[row : row + 120, col : col + 120]
        assert np.array_equal(part.reference_map, cut)

    def test_survives_the_way_to_a_worker(self, source: LandCoverSource, grid: Grid) -> None:
        """A pickled source gives the same."""
        copy: LandCoverSource = pickle.loads(pickle.dumps(source))  # noqa: S301 - our own bytes
        assert copy.provenance == source.provenance
        first, second = (one.read_labels(grid, 120) for one in (source, copy))
        assert np.array_equal(first.fractions.shares, second.fractions.shares)

    def test_other_ground_is_refused(self, source: LandCoverSource, grid: Grid) -> None:
        """A grid far from the map gets one clear line."""
        far = Grid(grid.crs, grid.ulx, grid.uly - 3_000_000, 10, 120, 120)
        with pytest.raises(LandCoverError, match="cover"):
            source.read_labels(far, 120)

    def test_broken_patches_are_refused(self, source: LandCoverSource, grid: Grid) -> None:
        """A grid that is not a whole number of patches is refused."""
        with pytest.raises(GridError, match="whole number of patches"):
            source.read_labels(grid.crop(0, 0, 120, 130), 120)
