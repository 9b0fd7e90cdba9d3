"""This module counts residents' opinions; participation and consent are two rates and never mixed."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd


class Rates(NamedTuple):
    """What the collected opinions say; a rate without its base is None, never zero."""

    opinions: int
    votes: int
    agree: int
    participation_pct: float | None
    consent_pct: float | None


def rates(opinions: pd.DataFrame, households: float | None) -> Rates:
    """Return the rates of one compound.

    Parameters
    ----------
    opinions : DataFrame
        ``stance``: agree and disagree are votes; suggestions and questions are not.
    households : float, optional
        Of the compound.

    Returns
    -------
    Rates
        ``participation_pct``: votes in per cent of households; ``consent_pct``: agreement in per cent of votes. One
        opinion is taken as one household, which a link that goes round cannot guarantee; over 100 tells of it. Without a vote both are None: nobody was asked.
    """
    stance = opinions["stance"] if "stance" in opinions.columns else pd.Series(dtype="str")
    agree, against = int((stance == "agree").sum()), int((stance == "disagree").sum())
    votes = agree + against
    known = households is not None and pd.notna(households) and households > 0
    return Rates(
        len(opinions), votes, agree,
        round(100 * votes / float(households), 1) if known and households and votes else None,
        round(100 * agree / votes, 1) if votes else None,
    )  # fmt: skip
