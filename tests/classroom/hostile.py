"""Files of students that loop, crash, leave something running, or try to be marked for what they are not.

Each is a right solution of "dropout" or "softmax-cross-entropy" with something done to it.
"""

from dataclasses import dataclass

from classroom.mistakes import MISTAKES, solved


@dataclass(frozen=True)
class Hostile:
    """A file, the verdict it has to have, and words of what is said of it."""

    name: str
    source: str
    verdict: str
    words: str


def _before(*lines):
    """The right file, with lines run before all else."""
    return "\n".join(lines) + "\n" + solved("softmax-cross-entropy")


def _inside(*lines, exercise="dropout", at="dropout_backward(dy, mask, rate):\n"):
    """The right file, with lines at the beginning of a function."""
    source = solved(exercise)
    head, _, body = source.rpartition(f"def {at}")
    return f"{head}def {at}" + "".join(f"    {line}\n" for line in lines) + body


_FORGED = (
    "import gc, os, sys, threading",
    "for n in range(3, 64):",
    "    try: os.write(n, (b'\\0' * 7 + b'N') * 4)",
    "    except OSError: pass",
)

HOSTILE = [
    Hostile("loop", _inside("while True: pass"), "not yet", "dropout_backward did not end in 10 s, line"),
    Hostile("sleep", _inside("import time", "time.sleep(10**6)"), "not yet", "did not end in 10 s, line"),
    Hostile("in_c", _inside("sum(range(10**14))"), "not yet", "did not end in 10 s, line"),
    Hostile("eig", _inside("np.linalg.eig(np.random.rand(4000, 4000))"), "not yet", "did not end in 10 s"),
    Hostile("loop_at_once", _before("while True: pass"), "not graded", "did not end in 10 s, line 1"),
    Hostile("exit_at_once", _before("import os", "os._exit(0)"), "not graded", "with exit code 0"),
    Hostile("exit_inside", _inside("import os", "os._exit(0)"), "not yet", "with exit code 0"),
    Hostile("sys_exit", _inside("raise SystemExit(0)"), "not yet", "raises SystemExit: 0"),
    Hostile("killed", _inside("import os", "os.kill(os.getpid(), 9)"), "not yet", "SIGKILL"),
    Hostile("crash", _inside("import ctypes", "ctypes.string_at(0)"), "not yet", "SIGSEGV, line"),
    Hostile("recursion", _inside("return dropout_backward(dy, mask, rate)"), "not yet", "RecursionError"),
    Hostile("forks", _inside("import os", "while True: os.fork()"), "not yet", "more than 64 processes"),
    Hostile("memory", _inside("kept = []", "while True: kept.append(np.ones(10**6))"), "not yet",
            "asks for more memory than it may have"),
    Hostile("list", _inside("kept = []", "while True: kept.append(str(len(kept)))"), "not yet",
            "asks for more memory than it may have"),
    Hostile("forged", _inside(*_FORGED), "not yet", "disturbs the process that it runs in"),
    Hostile("zeros_forged", _inside(*_FORGED, "return np.zeros(dy.shape)"), "not yet", "disturbs"),
    Hostile("printed_pass", _inside("print('PASSED: 9 of 9 cases pass.')", "return 2 * dy"), "not yet",
            "dx[0, 0] should be"),
    Hostile("no_mark", "def dropout(x, rate, rng):\n    return x, x > x\n",
            "not graded", "has no line EXERCISE"),
    Hostile("bytes", "\0\1\2", "not graded", "has no line EXERCISE"),
    Hostile("unknown", "EXERCISE = 'chess'\n", "not graded", "there is no exercise 'chess'"),
    Hostile("syntax", "EXERCISE = 'dropout'\ndef f(:\n", "not graded", "SyntaxError"),
    # Right, and marked as right, whatever they do to their process.
    Hostile("patched", _before("import numpy as np", "np.asarray = np.frombuffer = np.allclose = None",
                               "np.seterr(over='raise', divide='raise')"), "passed", ""),
    Hostile("chdir", _before("import os", "os.chdir('/')", "os.environ.clear()"), "passed", ""),
    Hostile("modules", _before("import sys", "sys.modules['json'] = sys.modules['hypothesis'] = None",
                               "sys.path.clear()", "sys.setrecursionlimit(90)"), "passed", ""),
    Hostile("threads", _before("import threading, time",
                               "threading.Thread(target=time.sleep, args=(10**6,)).start()"), "passed", ""),
    Hostile("child", _before("import subprocess, sys",
                             "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(10**6)'],"
                             " start_new_session=True)"), "passed", ""),
    Hostile("bomb", _before("import os", "for _ in range(40):",
                            "    if os.fork() == 0:", "        while True: pass"), "passed", ""),
    Hostile("noise", _before("import threading, time", "def noise():", "    while True:",
                             "        print('noise')", "        time.sleep(0.001)",
                             "threading.Thread(target=noise, daemon=True).start()"), "passed", ""),
    Hostile("written", _before("open('x.txt', 'w').close()", "open(__file__ + '.txt', 'w').close()"),
            "passed", ""),
    Hostile("closed", _before("import os, sys", "sys.stdout.close()", "sys.stdin.close()", "os.close(1)"),
            "passed", ""),
    Hostile("borrowed", _before("import tinycnn"), "passed", ""),
]  # fmt: skip
WRONG = [
    Hostile(f"wrong_{number}", one.source, "not yet", one.words)
    for number, one in enumerate(MISTAKES[:: len(MISTAKES) // 10][:10])
]
