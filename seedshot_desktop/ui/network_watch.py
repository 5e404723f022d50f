"""Word that the machine woke or that its addresses changed, without a timer that ticks.

On Linux the kernel says both: rtnetlink tells of every address and route
(RFC 3549), and a timerfd that is cancelled when the clock is set is cancelled
by waking up too (timerfd_create(2), since Linux 5.14). This works without a
message bus and without NetworkManager. Elsewhere Qt's QNetworkInformation tells.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Signal
from PySide6.QtNetwork import QNetworkInformation

_SETTLE_MS = 700
"""A cable that is plugged in changes ten things in half a second; one look afterwards is enough."""
_IPV4_ADDRESSES, _IPV4_ROUTES, _IPV6_ADDRESSES, _IPV6_ROUTES = 0x10, 0x40, 0x100, 0x400  # RTMGRP_*
_CLOCK_REALTIME = 0
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_ABSOLUTE_CANCEL_ON_SET = 0b11  # TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET
_NEVER_S = 1 << 40


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", ctypes.c_long * 2), ("value", ctypes.c_long * 2))


class NetworkWatch(QObject):
    """Emits ``changed`` once after each burst of changes."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.changed)
        self._netlink: socket.socket | None = None
        self._clock = -1
        self._notifiers: list[QSocketNotifier] = []

    def start(self) -> None:
        """Watch from now on; what a system does not offer is left out."""
        if sys.platform.startswith("linux"):
            self._watch_addresses()
            self._watch_clock()
        elif QNetworkInformation.loadDefaultBackend():
            information = QNetworkInformation.instance()
            information.reachabilityChanged.connect(lambda _reach: self._settle.start())
            information.transportMediumChanged.connect(lambda _medium: self._settle.start())

    def close(self) -> None:
        """Watch no longer."""
        self._settle.stop()
        for notifier in self._notifiers:
            notifier.setEnabled(False)
            notifier.deleteLater()
        self._notifiers.clear()
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None
        if self._clock >= 0:
            os.close(self._clock)
            self._clock = -1

    def _watch_addresses(self) -> None:
        try:
            self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            self._netlink.setblocking(False)
            self._netlink.bind((0, _IPV4_ADDRESSES | _IPV4_ROUTES | _IPV6_ADDRESSES | _IPV6_ROUTES))
        except OSError:
            return  # a sandbox without netlink: the engine's own timers remain
        self._notify(self._netlink.fileno(), self._on_addresses)

    def _on_addresses(self) -> None:
        assert self._netlink is not None
        try:
            while self._netlink.recv(65536):
                self._settle.start()
        except BlockingIOError:
            pass  # all read
        except OSError:
            self._settle.start()  # the kernel dropped some: something changed

    def _watch_clock(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "timerfd_create"):
            return
        self._clock = libc.timerfd_create(_CLOCK_REALTIME, _NONBLOCK_CLOEXEC)
        if self._clock >= 0:
            self._arm()
            self._notify(self._clock, self._on_clock)

    def _arm(self) -> None:
        """A time that never comes: only its cancelling is waited for."""
        spec = _TimerSpec()
        spec.value[0] = _NEVER_S
        ctypes.CDLL(None).timerfd_settime(self._clock, _ABSOLUTE_CANCEL_ON_SET, ctypes.byref(spec), None)

    def _on_clock(self) -> None:
        try:
            os.read(self._clock, 8)
        except OSError:
            pass  # ECANCELED: the clock jumped, as it does on waking
        self._arm()
        self._settle.start()

    def _notify(self, descriptor: int, read: Callable[[], None]) -> None:
        notifier = QSocketNotifier(descriptor, QSocketNotifier.Type.Read, self)
        notifier.activated.connect(read)
        self._notifiers.append(notifier)
