"""A file that somebody else wrote, run in a process of its own, whose functions are called from here.

Its process answers "call this function with these values" and knows no more: what is expected, and the
verdict, stay on this side. Nothing that comes back is unpickled.
"""
