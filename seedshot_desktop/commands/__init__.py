"""What each command of ``seedshot`` does; ``cli`` says what may be typed."""
