import pickle

import pytest

from benforge import errors
from benforge.errors import BenError, ProductError


def every_error() -> list[type[BenError]]:
    found = [BenError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


def test_message_says_where_what_and_what_to_do_in_one_line() -> None:
    error = ProductError("band B8A is\n missing", where="X.SAFE", do="Download it again")
    assert str(error) == "X.SAFE: band B8A is missing. Download it again"


@pytest.mark.parametrize("kind", every_error())
def test_every_error_survives_the_way_from_a_worker(kind: type[BenError]) -> None:
    error = kind("full", where="disk", do="Free some")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert str(back) == str(error) == "disk: full. Free some"


@pytest.mark.parametrize("kind", every_error()[1:])
def test_every_error_is_also_a_builtin(kind: type[BenError]) -> None:
    builtin = {b for b in kind.__mro__ if b.__module__ == "builtins"} - {
        Exception,
        BaseException,
        object,
    }
    assert builtin, f"{kind.__name__} inherits no builtin error"
    assert kind.__module__ == errors.__name__


@pytest.mark.parametrize(("where", "told"), [("", "archive: full. Free"), ("a", "a: full. Free")])
def test_errors_that_name_no_place_get_one(where: str, told: str) -> None:
    with pytest.raises(ProductError) as caught, errors.errors_at("archive"):
        raise ProductError("full", where=where, do="Free")
    assert str(caught.value) == told
