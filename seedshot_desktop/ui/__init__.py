"""All of Qt: tray, selector, windows, and the bridge to the engine. Knows messages and settings, nothing else."""
