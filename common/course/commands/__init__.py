"""One file a command (or a small family); `common.course.__main__` imports each only when it is called."""
