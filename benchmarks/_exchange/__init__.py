"""Curves and numbers that come from other people's tools, and go to them."""
