"""Figures: one module each, with a function `draw` that takes tables and gives a matplotlib Figure back. Without torch."""
