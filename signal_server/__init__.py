"""The signalling server: pairs an owner with viewers, forwards, forgets."""
