"""Measurements, side by side. Run with `make bench`; never part of the tests."""
