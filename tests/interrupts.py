"""Interrupts where the interpreter looks for signals, one after the other.

CPython lets a signal's handler run when a function begins, after a call, and where a loop jumps back;
nowhere else. So instead of sending signals at random moments, `at_each_point` raises KeyboardInterrupt at
each of these points in turn.
"""

import dis
import functools
import gc
import inspect
import sys

_LOOKS = {"CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD"}  # for signals, once they are done


@functools.cache
def _instructions(code):
    """Whether the instruction at an offset looks for signals, and where its exceptions go."""
    handlers = {
        offset: entry.target
        for entry in dis.Bytecode(code).exception_entries
        for offset in range(entry.start, entry.end)
    }
    return {
        i.offset: (i.opname in _LOOKS, handlers.get(i.offset)) for i in dis.get_instructions(code)
    }


class _Press:
    """A trace function that interrupts at one point, or only counts the points."""

    def __init__(self, point=None):
        self.point, self.count, self.before = point, 0, {}

    def __call__(self, frame, event, argument):
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "call":
            # A generator that goes on, or is closed, which looks the same here and is no such point.
            if not frame.f_code.co_flags & inspect.CO_GENERATOR:
                self._pass(frame)
        elif event == "opcode":
            looks, handler = _instructions(frame.f_code)[frame.f_lasti]
            # An exception raised here is one of this instruction: of another handler than that of
            # the instruction that looked, it would be another exception.
            if self.before.get(frame) == (True, handler):
                self._pass(frame)
            self.before[frame] = looks, handler
        elif event == "return":
            self.before.pop(frame, None)
        return self

    def _pass(self, frame):
        self.count += 1
        if self.count == self.point:
            raise KeyboardInterrupt(f"{frame.f_code.co_filename}:{frame.f_lineno}")


def points(work):
    """Points at which a signal's handler may run in ``work``, in this thread."""
    press = _Press()
    _traced(work, press)
    return press.count


def at_each_point(work, after, *, step=1):
    """Interrupt ``work`` at each point in turn, and call ``after``; gives how often it was interrupted."""
    interrupted = 0
    for point in range(1, points(work) + 1, step):
        try:
            _traced(work, _Press(point))
        except KeyboardInterrupt as error:
            interrupted += 1
            place = str(error)
        else:
            place = "not reached"  # the other threads were quicker this time
        try:
            after()
        except Exception as error:
            error.add_note(f"after an interrupt at {place}")
            raise
    return interrupted


def _traced(work, press):
    before = sys.gettrace()
    gc.disable()  # what it calls back would have points too, now and then, and drop the interrupt
    sys.settrace(press)
    try:
        work()
    finally:
        sys.settrace(before)
        gc.enable()
        press.before.clear()  # it would keep the frames, and what these hold
