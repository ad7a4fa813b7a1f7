from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.storage import MemoryStore

from benforge.archive.storage import (
    COMPRESSIONS,
    Compression,
    StorageRecipe,
    compression_of,
    make_codec,
    parse_codec,
    zarr_codecs,
)
from benforge.errors import RecipeError
from benforge.testing.archives import storage_recipes


@given(storage_recipes(), st.integers(0, 99))
def test_decoding_what_was_encoded_is_identity(storage: StorageRecipe, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 4000, (2, 20, 20), np.uint16)
    out = np.empty_like(pixels)
    codec = parse_codec(zarr_codecs(storage, 2))
    assert codec is not None
    codec.decode(memoryview(make_codec(storage).encode(pixels)), out)
    assert np.array_equal(out, pixels)


@pytest.mark.parametrize("compression", [word for word in COMPRESSIONS if word != "none"])
def test_the_bytes_do_not_depend_on_threads(compression: Compression) -> None:
    codec = make_codec(StorageRecipe(compression=compression))
    pixels = np.random.default_rng(0).integers(0, 4000, (4, 120, 120), np.uint16)
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: codec.encode(pixels), range(32)))
    assert found == {codec.encode(pixels)}


def test_the_word_for_a_compression() -> None:
    for word in COMPRESSIONS:
        codecs = zarr_codecs(StorageRecipe(compression=word), 2)
        assert compression_of(codecs) == word
    gzip = {"name": "gzip", "configuration": {"level": 5}}
    assert compression_of([gzip, {"name": "crc32c"}]) == "gzip+crc32c"


@given(storage_recipes(), st.integers(0, 99))
def test_zarr_decodes_what_we_store_and_we_what_zarr_stores(
    storage: StorageRecipe, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 4000, (2, 20, 20), np.uint16)
    store: dict[str, Buffer] = {}
    array = zarr.create_array(
        MemoryStore(store),
        shape=pixels.shape,
        dtype="uint16",
        chunks=pixels.shape,
        filters=(),
        compressors=zarr_codecs(storage, 2),
    )
    array[...] = pixels
    [chunk] = [key for key in store if key != "zarr.json"]
    codec, out = parse_codec(zarr_codecs(storage, 2)), np.empty_like(pixels)
    assert codec is not None
    codec.decode(memoryview(store[chunk].to_bytes()), out)
    assert np.array_equal(out, pixels)
    store[chunk] = default_buffer_prototype().buffer.from_bytes(
        bytes(make_codec(storage).encode(np.ascontiguousarray(pixels[::-1])))
    )
    assert np.array_equal(array[...], pixels[::-1])


def test_a_codec_that_only_zarr_knows_is_none() -> None:
    assert parse_codec([{"name": "gzip", "configuration": {"level": 5}}]) is None


@pytest.mark.parametrize("words", [{"compression": "lzma"}, {"level": 0}, {"level": 10}])
def test_an_impossible_recipe_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        StorageRecipe(**words)  # type: ignore[arg-type]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(words, StorageRecipe)
