"""One thread, as in the tests of training."""

from tests.training.conftest import one_thread  # noqa: F401
