"""The seeding engine: asyncio and WebRTC, never Qt. Its only door is ``messages``."""
