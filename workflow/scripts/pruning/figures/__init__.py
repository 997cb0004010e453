"""Figures: a module each, with a function `draw` that makes a matplotlib Figure of tables. Without torch."""
