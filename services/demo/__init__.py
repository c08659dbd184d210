"""Two invented months of a library, played through the system's own entry points.

Not a service: it knows all of them, as ``services.__main__`` does, and none knows it.
"""
