"""What the running app answers to the command line; ``control`` has the words, ``app`` the deeds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from seedshot_desktop.control import (
    CaptureRequest,
    Code,
    ListedShare,
    ListRequest,
    QuitRequest,
    ReloadRequest,
    Reply,
    Request,
    RevokeRequest,
    ShareRequest,
    ShowRequest,
)
from seedshot_desktop.story import Shared, Story
from seedshot_desktop.ui.actions import Actions
from seedshot_desktop.ui.book import Item, Overview


@dataclass(frozen=True)
class ControlAnswers:
    """One answer for each kind of request."""

    story: Story
    actions: Actions
    overview: Callable[[], Overview]
    reload: Callable[[], None]
    """Read the settings file again; raises SeedshotError."""
    end: Callable[[], None]
    """Revoke everything and end, without asking."""

    async def __call__(self, request: Request) -> AsyncIterator[Reply]:
        """The replies to `request`; raises SeedshotError."""
        match request:
            case ShowRequest(window=window):
                (self.actions.show_settings if window == "settings" else self.actions.show_shares)()
                yield Reply(ok=True)
            case CaptureRequest(mode=mode, save=save):
                yield _captured(await self.story.capture(mode, save))
            case ShareRequest(paths=paths):
                yield _captured(await self.story.share_files(paths))
            case ListRequest():
                yield self._list()
            case RevokeRequest(share=share, all=every):
                yield self._revoke(share, every=every)
            case ReloadRequest():
                self.reload()
                yield Reply(ok=True)
            case QuitRequest():
                yield Reply(ok=True)
                self.end()

    def _list(self) -> Reply:
        overview = self.overview()
        return Reply(ok=True, shares=tuple(_listed(item) for item in overview.items), server=overview.server.value)

    def _revoke(self, share: str | None, *, every: bool) -> Reply:
        overview = self.overview()
        if every:
            self.actions.revoke_all()
            return Reply(ok=True, revoked=len(overview.items))
        if share is None or overview.item(share) is None:
            problem = "There is no live share of that id. seedshot list shows them."
            return Reply(ok=False, error=problem, code=Code.NO_SUCH_SHARE)
        self.actions.revoke(share)
        return Reply(ok=True, revoked=1)


def _captured(shared: Shared | None) -> Reply:
    if shared is None:
        return Reply(ok=False, error="Nothing was chosen, so nothing is shared.", code=Code.CANCELLED)
    return Reply(ok=True, share=shared.share, link=shared.link, saved=shared.saved)


def _listed(item: Item) -> ListedShare:
    status = item.status
    return ListedShare(
        share=status.share,
        label=status.label,
        link=item.link,
        created_at=status.created_at,
        files=len(status.files),
        size=item.size,
        viewers=item.watchers,
        views=status.views,
        bytes_sent=status.bytes_sent,
        max_views=status.max_views,
        expires_at=status.expires_at,
        preparing=status.preparing,
        problem=" ".join(file.problem for file in status.files if file.problem),
    )
