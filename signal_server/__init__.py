"""The signalling server: pairs an owner with viewers, forwards, forgets."""

__version__ = "0.1.0"
