"""Everything that can go wrong and that a person can do something about.

The tree::

    SeedshotError                what happened, why, and what to do: its text is shown as it is
    ├── LinkError                text that is not a Seedshot link
    ├── SettingsError            the settings file, or a value in it, cannot be used
    ├── CaptureError             no picture of the screen could be taken
    ├── HotkeyError              the hotkey cannot be used
    │   └── HotkeyTakenError     another program holds that combination
    ├── ShareError               a file cannot be shared
    │   ├── FileVanishedError    it was moved, deleted, or can no longer be read
    │   └── FileChangedError     it is no longer the file that was shared
    ├── SignallingError          the signalling server cannot be used
    │   └── AddressInUseError    no port is free for the embedded server
    ├── TransportError           a connection to a viewer cannot be made or kept
    ├── EngineError              the seeding engine cannot start, or has stopped
    └── ControlError             the running app cannot be reached, or refused
"""


class SeedshotError(Exception):
    """Base of every error with a text for the person at the screen.

    The message is one or two short sentences: what happened and why, then what
    to do. It holds no secret, no key, no address.
    """


class LinkError(SeedshotError):
    """The text is not a Seedshot link."""


class SettingsError(SeedshotError):
    """The settings file, or a value in it, cannot be used."""


class CaptureError(SeedshotError):
    """No picture of the screen could be taken; the message carries every backend's reason."""


class HotkeyError(SeedshotError):
    """The hotkey cannot be used on this desktop."""


class HotkeyTakenError(HotkeyError):
    """Another program holds that combination."""


class ShareError(SeedshotError):
    """A file cannot be shared."""


class FileVanishedError(ShareError):
    """A shared file was moved, deleted, or can no longer be read."""


class FileChangedError(ShareError):
    """A shared file is no longer the file that was shared."""


class SignallingError(SeedshotError):
    """The signalling server cannot be reached, or refused."""


class AddressInUseError(SignallingError):
    """No port is free for the embedded server."""


class TransportError(SeedshotError):
    """A connection to a viewer cannot be made or kept."""


class EngineError(SeedshotError):
    """The seeding engine cannot start, or has stopped."""


class ControlError(SeedshotError):
    """The running app cannot be reached, or refused."""
