"""Participation and consent are two rates."""

from __future__ import annotations

import pandas as pd

from mapapp.programme.opinions import rates


def test_participation_and_consent_are_apart():
    """Half took part, three of four agree; a suggestion is no vote, and a stance nobody gave is none."""
    held = pd.DataFrame({"stance": ["agree", "agree", "agree", "disagree", "suggest", None]})
    told = rates(held, 8)
    assert (told.opinions, told.votes, told.participation_pct, told.consent_pct) == (6, 4, 50.0, 75.0)


def test_without_a_base_there_is_no_rate():
    """No households known, or nobody asked: unknown, never zero."""
    assert rates(pd.DataFrame({"stance": ["agree"]}), None).participation_pct is None
    assert rates(pd.DataFrame(), 100)[3:] == (None, None)


def test_more_answers_than_households_show():
    """A link that goes round may bring more; the rate says so instead of hiding it."""
    assert rates(pd.DataFrame({"stance": ["agree"] * 3}), 2).participation_pct == 150.0
