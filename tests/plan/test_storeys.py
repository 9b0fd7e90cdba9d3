"""Levels of the lower bound's graph."""

import numpy as np

from mapapp.plan.storeys import Pieces, _way


def test_the_way_to_the_served_network_is_measured_along_the_water():
    """Three pieces in a row and one beside, given in no order: metres to the root, nought where no way leads."""
    tail, head = np.array([2, 1, 3, 5, 4]), np.array([1, 0, 2, 4, 4])
    length = np.array([20.0, 10.0, 40.0, 7.0, 1.0])
    none = np.zeros(5)
    some = Pieces(6, 0, tail, head, length, none, none, none, np.full(5, -1), np.arange(5), np.zeros(5, bool), none)
    assert _way(some).tolist() == [0.0, 10.0, 30.0, 70.0, 0.0, 0.0]
