"""Rows of the distributions of counts."""

from __future__ import annotations

from case import Case

ROWS: tuple[Case, ...] = ()
