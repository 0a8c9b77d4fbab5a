"""How work runs: cut into ranges, handed to threads, with BLAS held to one thread meanwhile.

An interrupt (Ctrl-C, or any signal whose handler raises) can strike the main thread between two
instructions of Python. So nothing here is a pair of steps that must both happen: what is held is held
by a lock of the interpreter in a ``with`` statement, which no signal can come between; what must be
finished is one call of compiled code, or is left to a thread that signals do not reach.
"""
