"""benforge: build, check, explore and learn from BigEarthNet archives of Sentinel-2 patches."""

from importlib.metadata import version

__version__ = version("benforge")
