"""Seedshot Desktop: share a screenshot or a file straight from this machine."""

__version__ = "0.1.0"
