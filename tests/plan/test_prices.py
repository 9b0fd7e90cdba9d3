"""Price books: what a pumping station costs over its life, and that a figure which is none is named."""

import pytest

from mapapp.core.errors import InputError
from mapapp.plan.prices import Running, load_prices, prices_from

BOOK = {
    "pipe": {"pieces": [{"terms": [[1000.0, 1.0, 0.0]]}]},
    "manhole": {"pieces": [{"terms": [[3000.0, 0.0, 0.0]]}]},
}


def test_running_a_station_is_worth_its_annuity_and_its_renewals_by_hand():
    # 4 per cent, 30 years: annuity factor 17.2920; renewals after 10 and 20 years: 1.04^-10 + 1.04^-20 = 1.131951
    assert Running(yearly=1000.0).worth == pytest.approx(17_292.03, abs=0.01)
    assert Running(renewal=1000.0).worth == pytest.approx(1_131.95, abs=0.01)
    assert Running(yearly=1000.0, interest=0.0, life_years=5).worth == 5000.0


def test_a_book_adds_running_to_building_and_keeps_the_parts_to_be_told():
    book = prices_from(BOOK | {"pump": {"each": 100.0, "yearly": 10.0, "interest": 0.0, "life_years": 20}}, "mine")
    assert book.pump == (300.0, 0.0, 0.0)
    assert book.running is not None
    assert book.running.worth == 200.0
    assert prices_from(BOOK | {"pump": {"each": 100.0}}, "plain").running is None


def test_the_shipped_station_is_dearer_to_run_than_nothing():
    book = load_prices("example")
    assert book.running is not None
    assert book.pump[0] > book.running.worth > 0


@pytest.mark.parametrize(
    "wrong", [{"yearly": -1.0}, {"interest": 4.0}, {"life_years": 0}, {"atendance": 1.0}, {"each": "x"}]
)
def test_a_figure_that_is_none_is_named(wrong):
    with pytest.raises(InputError) as caught:
        prices_from(BOOK | {"pump": wrong}, "mine")
    assert "pump" in str(caught.value.message("en"))
