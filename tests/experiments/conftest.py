"""One thread, and the archive, as in the tests of training."""

from tests.training.conftest import few, one_thread  # noqa: F401
