"""Disk, memory, device: the same pixels and the same batches, bit for bit on a CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benforge.archive.archive import Archive
from benforge.core.contract import Contract, Normalisation
from benforge.core.nomenclature import load_nomenclature
from benforge.core.sensor import load_sensor
from benforge.errors import InputError, MemoryShortError
from benforge.loading import held
from benforge.loading.held import DevicePixels, RamPixels
from benforge.loading.inputs import DeviceInputs, PatchInputs
from benforge.loading.order import draw_turns, shuffle
from benforge.loading.places import PLACES, open_inputs
from benforge.loading.reading import PatchReader, PixelSource

SENSOR = load_sensor()
RGB = ("B04", "B03", "B02")
ALL = tuple(band.name for band in SENSOR.patch_bands)
CPU = torch.device("cpu")
USED = np.array([3, 0, 65, 17, 40, 5, 6])


def _contract(bands: tuple[str, ...], *, native: bool = False) -> Contract:
    classes = load_nomenclature("clc-43")
    return Contract(
        model="scnn-all", title="", options={}, bands=bands, quantification=10_000,
        native=native, kernel="cubic-0.5",
        normalisation=Normalisation(
            source="none", mean=tuple(range(len(bands))), std=(700.0,) * len(bands)
        ),
        nomenclature=classes.name, classes=classes.names, split="", split_digest="", archive="",
        simulated=False, recipe={}, weights="", versions={},
    )  # fmt: skip


@pytest.mark.parametrize("bands", [RGB, ALL, ("B12", "B01", "B02")])
@pytest.mark.parametrize("turned", [True, False])
def test_batches_are_the_same_bits(
    imported_sample: Archive, bands: tuple[str, ...], turned: bool
) -> None:
    order = shuffle(USED, 3, 1)
    turns = draw_turns(len(order), 3, 1) if turned else None
    found = {}
    for place in PLACES:
        inputs = open_inputs(imported_sample, _contract(bands), CPU, place=place, used=USED)
        found[place] = list(inputs.batches(order, 3, turns=turns))
        late = list(inputs.batches(order, 3, turns=turns, start=2))
        assert len(late) == 1
        assert torch.equal(late[0].inputs, found[place][2].inputs)  # type: ignore[arg-type]
    for place in ("ram", "device"):
        for one, other in zip(found["disk"], found[place], strict=True):
            assert np.array_equal(one.positions, other.positions)
            assert torch.equal(one.inputs, other.inputs)  # type: ignore[arg-type]


def test_native_batches_are_the_same_bits(imported_sample: Archive) -> None:
    contract = _contract(ALL, native=True)
    batches = [
        next(open_inputs(imported_sample, contract, CPU, place=p, used=USED).batches(USED, 7))
        for p in PLACES
    ]
    for other in batches[1:]:
        for a, b in zip(batches[0].inputs, other.inputs, strict=True):
            assert torch.equal(a, b)


def test_sources_give_what_the_archive_has(imported_sample: Archive) -> None:
    sources: list[PixelSource] = [
        PatchReader(imported_sample, RGB),
        RamPixels(imported_sample, RGB, USED),
        DevicePixels(imported_sample, RGB, USED, CPU),
    ]
    patch = imported_sample[17].arrays[10]
    for source in sources:
        found = source.read(np.array([0, 17]))
        assert set(found) == {10}
        assert found[10].dtype == np.uint16
        assert np.array_equal(found[10][1], patch[: found[10].shape[1]])


def test_only_three_bands_are_held(imported_sample: Archive) -> None:
    """B08 lies beside red, green and blue in the archive, and is left there."""
    ram = RamPixels(imported_sample, RGB, USED)
    assert {size: array.shape for size, array in ram.pixels.items()} == {10: (7, 3, 120, 120)}
    assert ram.bands.names == {10: ("B02", "B03", "B04")}
    device = DevicePixels(imported_sample, RGB, USED, CPU)
    assert device.pixels[10].dtype == torch.int16
    assert device.bands.patch_bytes == 3 * 120 * 120 * 2


def test_a_patch_that_is_not_held(imported_sample: Archive) -> None:
    ram = RamPixels(imported_sample, RGB, USED)
    with pytest.raises(InputError, match="patch 1 of the index is not held"):
        ram.read(np.array([0, 1]))


def test_stored_values_above_the_half_keep_their_sign(imported_sample: Archive) -> None:
    """int16 is how torch moves them; 65,535 must not become -1."""
    inputs = open_inputs(imported_sample, _contract(RGB), CPU, place="device", used=USED)
    assert isinstance(inputs, DeviceInputs)
    inputs.held.pixels[10].fill_(-1)
    seen = next(inputs.batches(USED, 2)).inputs
    assert float(seen[0, 0, 0, 0]) == pytest.approx(65_535 / 700)  # type: ignore[call-overload]


@pytest.mark.parametrize("place", ["ram", "device"])
def test_memory_is_looked_at_before(
    imported_sample: Archive, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(held, "free_memory", lambda: 0.25)
    with pytest.raises(MemoryShortError, match=r"need 0\.0 GiB and 0\.5 .* has 0\.2 free"):
        open_inputs(imported_sample, _contract(RGB), CPU, place=place)


def test_an_unknown_place(imported_sample: Archive) -> None:
    with pytest.raises(InputError, match="Use disk, ram, device"):
        open_inputs(imported_sample, _contract(RGB), CPU, place="tape")


def test_the_disk_reads_and_holds_nothing(imported_sample: Archive) -> None:
    inputs = open_inputs(imported_sample, _contract(RGB), CPU, used=USED)
    assert isinstance(inputs, PatchInputs)
    assert isinstance(inputs.reader, PatchReader)
