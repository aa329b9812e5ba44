"""Figures: what a page shows, which files they are, and how each is drawn."""
