import pytest

from benforge.errors import InputError
from benforge.tiles.wish import Period, parse_baseline


def test_a_period_holds_its_last_day() -> None:
    period = Period.parse("2017-06-01/2018-05-31")
    assert f"{period.last:%H:%M:%S}" == "23:59:59"
    assert str(period) == "2017-06-01/2018-05-31"
    assert period.seasons == ("winter", "spring", "summer", "autumn")
    assert Period.parse("2017-06-13").seasons == ("summer",)
    assert Period.parse("2017-11-30/2017-12-01").seasons == ("winter", "autumn")


@pytest.mark.parametrize("text", ["", "2017", "2017-06-01/", "2017-13-01", "yesterday", "1/2"])
def test_no_period(text: str) -> None:
    if text.endswith("/"):
        assert str(Period.parse(text)) == "2017-06-01/2017-06-01"
        return
    with pytest.raises(InputError, match="not a period"):
        Period.parse(text)


def test_a_period_goes_forward() -> None:
    with pytest.raises(InputError, match="ends before it begins"):
        Period.parse("2018-01-01/2017-01-01")


@pytest.mark.parametrize("text", ["02.05", "2.5", "0205", "N0205", " 2.05"])
def test_baselines(text: str) -> None:
    assert parse_baseline(text) == "02.05"


@pytest.mark.parametrize("text", ["", "2", "two", "2.5.1", "123.1", "02.051"])
def test_no_baseline(text: str) -> None:
    with pytest.raises(InputError, match="not a processing baseline"):
        parse_baseline(text)
