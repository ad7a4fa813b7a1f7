from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive.storage import (
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


@pytest.mark.parametrize("compression", ["zstd", "blosc"])
def test_the_bytes_do_not_depend_on_threads(compression: str) -> None:
    codec = make_codec(StorageRecipe(compression=compression))  # type: ignore[arg-type]
    pixels = np.random.default_rng(0).integers(0, 4000, (4, 120, 120), np.uint16)
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: codec.encode(pixels), range(32)))
    assert found == {codec.encode(pixels)}


def test_the_word_for_a_compression() -> None:
    for word in ("none", "zstd", "blosc"):
        codecs = zarr_codecs(StorageRecipe(compression=word), 2)  # type: ignore[arg-type]
        assert compression_of(codecs) == word


def test_a_codec_that_only_zarr_knows_is_none() -> None:
    assert parse_codec([{"name": "gzip", "configuration": {"level": 5}}]) is None


@pytest.mark.parametrize("words", [{"compression": "lzma"}, {"level": 0}, {"level": 10}])
def test_an_impossible_recipe_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        StorageRecipe(**words)  # type: ignore[arg-type]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(words, StorageRecipe)
